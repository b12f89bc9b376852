package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"bungalow/tests/binary"
)

// A Target is a server that a workload can be measured on. Start runs it in a
// process of its own, on the folder home, for the recorded requests.
type Target struct {
	Name  string
	Title string
	// Exact targets repeat what the subject answered, headers too.
	Exact bool
	Start func(ctx context.Context, home string, answers []recorded) (*binary.Server, error)
}

// The names of the targets; subject is the one that all others are compared
// with.
const (
	subject     = "bungalow"
	bare        = "bare"
	vanilla     = "vanilla"
	vanillaFull = "vanilla-full"
	prepared    = "prepared"
)

var targets = []Target{
	{Name: subject, Title: "Bungalow", Start: func(ctx context.Context, home string, _ []recorded) (*binary.Server, error) {
		return binary.Start(ctx, binary.Options{Home: home})
	}},
	{Name: bare, Title: "bare net/http", Exact: true, Start: startBare},
	{Name: vanilla, Title: "PocketBase", Start: startVanilla("")},
	{Name: vanillaFull, Title: "PocketBase at FULL", Start: startVanilla("FULL")},
	{Name: prepared, Title: "prepared SQL", Start: startPrepared},
}

func targetNamed(name string) Target {
	for _, t := range targets {
		if t.Name == name {
			return t
		}
	}
	panic("no target " + name)
}

// vanillaBinary builds plain PocketBase, once per run.
var vanillaBinary = sync.OnceValues(func() (string, error) { return binary.Compile("./bench/vanilla") })

// startVanilla runs plain PocketBase; synchronous is SQLite's pragma, "" is
// PocketBase's own choice.
func startVanilla(synchronous string) func(context.Context, string, []recorded) (*binary.Server, error) {
	return func(ctx context.Context, home string, _ []recorded) (*binary.Server, error) {
		path, err := vanillaBinary()
		if err != nil {
			return nil, err
		}
		return binary.Start(ctx, binary.Options{
			Home: home, Binary: path, Probe: "/api/health", Env: []string{"VANILLA_SYNCHRONOUS=" + synchronous},
		})
	}
}

// startBare runs this program again as the bare handler.
func startBare(ctx context.Context, home string, answers []recorded) (*binary.Server, error) {
	raw, err := json.Marshal(answers)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(home, "bare.json")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		return nil, err
	}
	return startSelf(ctx, healthPath, "-bare", file)
}

// startPrepared runs this program again as hand-written Go on prepared SQL.
func startPrepared(ctx context.Context, home string, _ []recorded) (*binary.Server, error) {
	return startSelf(ctx, healthPath, "-prepared", filepath.Join(home, "pb_data", "data.db"))
}

func startSelf(ctx context.Context, probe string, args ...string) (*binary.Server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	addr, err := binary.FreeAddr()
	if err != nil {
		return nil, err
	}
	return binary.Exec(ctx, exec.Command(self, append(args, "-addr", addr)...), addr, probe)
}

// sameAnswers fails unless the target answers the requests with the same status
// and bytes as were recorded; an exact one with the same headers too. Answers to
// anything but GET name new records and tokens, so only an exact target's are
// compared.
func sameAnswers(ctx context.Context, host string, exact bool, requests []Request, want []recorded) error {
	got, err := record(ctx, host, requests)
	if err != nil {
		return err
	}
	for i := range want {
		if !exact && requests[i].method() != http.MethodGet {
			continue
		}
		if got[i].Status != want[i].Status || !bytes.Equal(got[i].Body, want[i].Body) {
			return fmt.Errorf("%s: the servers answer different bytes: %s", want[i].Path, difference(got[i].Body, want[i].Body))
		}
		if g, w := fmt.Sprint(got[i].Header), fmt.Sprint(want[i].Header); exact && g != w {
			return fmt.Errorf("%s: the servers answer different headers:\n%s\n%s", want[i].Path, g, w)
		}
	}
	return nil
}

// difference shows where two bodies part.
func difference(got, want []byte) string {
	n := 0
	for n < min(len(got), len(want)) && got[n] == want[n] {
		n++
	}
	from := max(0, n-20)
	return fmt.Sprintf("%.60q, not %.60q", got[from:], want[from:])
}

func hostOf(s *binary.Server) string { return strings.TrimPrefix(s.URL, "http://") }

func commit(root string) string {
	out, err := exec.Command("git", "-C", root, "rev-parse", "--short=12", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}
