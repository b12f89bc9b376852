package conformance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadTestsCountsLeaves(t *testing.T) {
	t.Parallel()
	events := `{"Action":"run","Test":"TestA"}
{"Action":"output","Test":"TestA/one","Output":"boom\n"}
{"Action":"fail","Test":"TestA/one"}
{"Action":"pass","Test":"TestA/two/deep"}
{"Action":"pass","Test":"TestA/two"}
{"Action":"fail","Test":"TestA"}
{"Action":"skip","Test":"TestB"}
{"Action":"pass","Test":"TestC"}
not JSON
{"Action":"fail"}
`
	got, err := readTests(strings.NewReader(events))
	if err != nil {
		t.Fatal(err)
	}
	if got.passed != 2 || got.skipped != 1 || strings.Join(got.failed, " ") != "TestA/one" {
		t.Errorf("got %+v", got)
	}
	if got.output["TestA/one"] != "boom\n" || !strings.Contains(got.output[""], "not JSON") {
		t.Errorf("output %q", got.output)
	}
}

func TestPatchClock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x_test.go")
	for text, want := range map[string]string{
		"c, f := context.WithTimeout(context.Background(), 100*time.Millisecond)": "c, f := context.WithTimeout(context.Background(), time.Minute)",
		"c, f := context.WithTimeout(context.Background(), time.Second)":          "",
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		err := patchClock(path)
		if (err != nil) != (want == "") {
			t.Errorf("%s: %v", text, err)
		}
		if got, _ := os.ReadFile(path); want != "" && string(got) != want {
			t.Errorf("%s became %s", text, got)
		}
	}
}

func TestPatchRefusesAnotherForm(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.go")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("package tests\n\nimport (\n\t\"io\"\n)\n\nfunc New() (*App, error) {\n\tapp := core.NewBaseApp(config)\n\treturn t, nil\n}\n")
	if err := patchTestApp(path); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"import (\n\tbungalow \"bungalow/hooks\"\n", "bungalow.Connect(bungalow.Config{", "Register(t, nil, bungalow.Config{", "\treturn t, nil\n}\n"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	write("package tests\n")
	if err := patchTestApp(path); err == nil {
		t.Error("a file without the place to patch was patched")
	}
}
