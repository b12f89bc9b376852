// Package conformance holds the promise that whoever knows PocketBase knows
// Bungalow: PocketBase's own API tests pass with our hooks registered, and the
// official JavaScript client works against the real executable.
package conformance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bungalow/tests/binary"
)

// enough is how many cases of a package must at least pass, so that an empty
// run never counts as a success.
var enough = map[string]int{"./apis": 850, "./core": 1000}

// failsUpstream are the cases that fail in PocketBase without us too, where
// the machine has no internet.
var failsUpstream = map[string]string{
	"TestRecordAuthWithOAuth2/creating_user_(with_mapped_OAuth2_fields_and_avatarURL->file_field)": "downloads an avatar from the internet",
}

// differs are the cases that fail because Bungalow is meant to differ there.
var differs = map[string]string{
	"TestUIExtensions_Mainjs/no_extensions": "asks for a dashboard without extensions, and ours has the link to the desk in its head",
}

// TestUpstream runs PocketBase's own tests of its API against apps that carry
// our hooks. It takes some minutes, so it runs when asked: make conformance.
func TestUpstream(t *testing.T) {
	packages := os.Getenv("BUNGALOW_CONFORMANCE")
	if packages == "" {
		binary.SkipAloud(t, "PocketBase's own API tests take some minutes; run them with make conformance", nil)
	}
	dir, err := patchedCopy(t)
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range strings.FieldsSeq(packages) {
		t.Run(pkg, func(t *testing.T) {
			tally := runUpstream(t, dir, pkg)
			t.Logf("%s: %d cases passed, %d skipped, %d failed", pkg, tally.passed, tally.skipped, len(tally.failed))
			var unknown []string
			for _, name := range tally.failed {
				if why, known := failsUpstream[name]; known {
					t.Logf("%s failed, as it does without us: it %s", name, why)
				} else if why, known := differs[name]; known {
					t.Logf("%s failed, as it is meant to: it %s", name, why)
				} else {
					unknown = append(unknown, name)
				}
			}
			for range alone {
				if len(unknown) > 0 {
					unknown = stillFailing(t, dir, pkg, unknown, tally)
				}
			}
			for _, name := range unknown {
				t.Errorf("%s failed:\n%s", name, tally.output[name])
			}
			if tally.passed < max(1, enough[pkg]) {
				t.Errorf("only %d cases passed; at least %d are there\n%s", tally.passed, enough[pkg], tally.output[""])
			}
		})
	}
}

// alone is how often what failed runs by itself before it counts as failed.
// PocketBase's tests give a mail or a subscriber a tenth of a second of the
// clock, which is not enough for anybody on a machine that is busy otherwise.
const alone = 3

// stillFailing runs the tests of the failed cases with nothing beside them and
// returns the cases that fail, or don't run, again.
func stillFailing(t *testing.T, dir, pkg string, failed []string, first tally) (still []string) {
	t.Helper()
	tests := map[string]bool{}
	for _, name := range failed {
		top, _, _ := strings.Cut(name, "/")
		tests[top] = true
	}
	again := runUpstream(t, dir, pkg, "-parallel=1", "-run=^("+strings.Join(slices.Sorted(maps.Keys(tests)), "|")+")$")
	for _, name := range failed {
		if again.outcome[name] == "pass" {
			t.Logf("%s failed beside others and passes alone; it printed:\n%s", name, first.output[name])
			continue
		}
		still = append(still, name)
	}
	return still
}

// patchedCopy copies the PocketBase module, lets its test app register our
// hooks, and replaces bungalow by this checkout. The place stays the same from
// run to run, so that the compiled packages are found again.
func patchedCopy(t *testing.T) (string, error) {
	t.Helper()
	root, err := binary.Root()
	if err != nil {
		return "", err
	}
	source, err := moduleDir(root, "github.com/pocketbase/pocketbase")
	if err != nil {
		return "", err
	}
	base, unlock, err := binary.Cache("conformance-" + filepath.Base(source))
	if err != nil {
		return "", err
	}
	t.Cleanup(unlock)
	dir := filepath.Join(base, "pocketbase")
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	if err := os.CopyFS(dir, os.DirFS(source)); err != nil {
		return "", fmt.Errorf("copy PocketBase: %w", err)
	}
	if err := makeWritable(dir); err != nil {
		return "", err
	}
	if err := patchTestApp(filepath.Join(dir, "tests", "app.go")); err != nil {
		return "", err
	}
	if err := patchClock(filepath.Join(dir, "apis", "record_auth_with_oauth2_redirect_test.go")); err != nil {
		return "", err
	}
	if err := appendFile(filepath.Join(dir, "go.sum"), filepath.Join(root, "go.sum")); err != nil {
		return "", err
	}
	_, err = goTool(dir, "mod", "edit", "-require=bungalow@v0.0.0", "-replace=bungalow="+root)
	return dir, err
}

// makeWritable undoes the read-only modes of the module cache.
func makeWritable(dir string) error {
	return filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chmod(path, map[bool]os.FileMode{true: 0o755, false: 0o644}[d.IsDir()])
	})
}

// patchTestApp has NewTestAppWithConfig connect to the databases as we do, and
// adds our registration to its end.
func patchTestApp(path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	const end, start, open = "\treturn t, nil\n}\n", "import (\n", "\tapp := core.NewBaseApp(config)\n"
	if bytes.Count(raw, []byte(end)) != 1 || bytes.Count(raw, []byte(start)) != 1 || bytes.Count(raw, []byte(open)) != 1 {
		return errors.New("PocketBase's tests/app.go has another form; mend the patch in tests/conformance")
	}
	text := strings.Replace(string(raw), start, start+"\tbungalow \"bungalow/hooks\"\n", 1)
	// BUNGALOW_CONFORMANCE_WITHOUT=engine runs them on PocketBase's own connections.
	// BUNGALOW_CONFORMANCE_PARTS=JSON runs them with that part of the engine off.
	cfg := fmt.Sprintf("bungalow.Config{Without: %#v, EngineWithout: %#v}",
		strings.Fields(os.Getenv("BUNGALOW_CONFORMANCE_WITHOUT")), strings.Fields(os.Getenv("BUNGALOW_CONFORMANCE_PARTS")))
	text = strings.Replace(text, open, "\tif config.DBConnect == nil {\n\t\tconfig.DBConnect = bungalow.Connect("+cfg+")\n\t}\n"+open, 1)
	text = strings.Replace(text, end, "\tif err := bungalow.Register(t, nil, "+cfg+"); err != nil {\n\t\treturn nil, err\n\t}\n"+end, 1)
	return os.WriteFile(path, []byte(text), 0o644)
}

// patchClock gives the subscribers of a test, which ends them itself, more of the
// clock than the tenth of a second in which a busy machine does not come to ask.
func patchClock(path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	const short, long = "context.Background(), 100*time.Millisecond)", "context.Background(), time.Minute)"
	if bytes.Count(raw, []byte(short)) != 1 {
		return fmt.Errorf("PocketBase's %s has another form; mend the patch in tests/conformance", filepath.Base(path))
	}
	return os.WriteFile(path, bytes.Replace(raw, []byte(short), []byte(long), 1), 0o644)
}

func appendFile(to, from string) error {
	raw, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	return errors.Join(err, f.Close())
}

func moduleDir(root, module string) (string, error) {
	out, err := goTool(root, "list", "-m", "-f", "{{.Dir}}", module)
	if err != nil {
		return "", err
	}
	dir := strings.TrimSpace(string(out))
	if dir == "" {
		return "", fmt.Errorf("module %s is not in the module cache; run go mod download", module)
	}
	return dir, nil
}

func goTool(dir string, args ...string) ([]byte, error) {
	cmd := goCommand(dir, args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", args[0], err, errs.String())
	}
	return out, nil
}

func goCommand(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN=auto", "GOFLAGS=", "GOWORK=off")
	return cmd
}

// tally is the outcome of one package's tests.
type tally struct {
	passed, skipped int
	failed          []string
	outcome         map[string]string // pass, fail or skip of each test
	output          map[string]string // what each test printed; "" is the package
}

func runUpstream(t *testing.T, dir, pkg string, flags ...string) tally {
	t.Helper()
	args := append([]string{"test", "-mod=mod", "-count=1", "-timeout", "20m", "-json"}, flags...)
	cmd := goCommand(dir, append(args, pkg)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	result, readErr := readTests(out)
	// The exit code says no more than the events, which are judged one by one.
	_ = cmd.Wait()
	if readErr != nil {
		t.Fatalf("read go test's events: %v\n%s", readErr, errs.String())
	}
	result.output[""] += errs.String()
	return result
}

// readTests counts the leaves among go test's JSON events: a test that failed
// only because a case of it failed is not a failure of its own.
func readTests(r io.Reader) (tally, error) {
	outcome := map[string]string{}
	result := tally{outcome: outcome, output: map[string]string{}}
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			var event struct{ Action, Test, Output string }
			if json.Unmarshal(line, &event) != nil {
				result.output[""] += string(line)
			}
			switch event.Action {
			case "output", "build-output":
				result.output[event.Test] += event.Output
			case "pass", "fail", "skip":
				if event.Test != "" {
					outcome[event.Test] = event.Action
				}
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return result, err
		}
	}
	parents := map[string]bool{}
	for name := range outcome {
		for i := strings.LastIndexByte(name, '/'); i > 0; i = strings.LastIndexByte(name[:i], '/') {
			parents[name[:i]] = true
		}
	}
	for name, action := range outcome {
		switch {
		case parents[name]:
		case action == "pass":
			result.passed++
		case action == "skip":
			result.skipped++
		default:
			result.failed = append(result.failed, name)
		}
	}
	slices.Sort(result.failed)
	return result, nil
}
