package hooks

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sqliteError is an error with a result code, as the driver's.
type sqliteError int

func (sqliteError) Error() string { return "SQL logic error" }
func (e sqliteError) Code() int   { return int(e) }

func TestExplainDatabase(t *testing.T) {
	t.Parallel()
	const head = "SQLite format 3\x00 and the rest"
	cases := []struct {
		name      string
		code      int
		data, aux string // what the files hold; "" is no file
		want      []string
	}{
		{name: "garbage", code: 26, data: "garbage", want: []string{"data.db is damaged", "backup", ".recover"}},
		{name: "short", code: 26, data: "SQL", want: []string{"data.db is damaged"}},
		{name: "damaged inside", code: 11, data: head, aux: head, want: []string{"data.db is damaged"}},
		{name: "damaged logs", code: 26, data: head, aux: "garbage", want: []string{"auxiliary.db is damaged", "only logs"}},
		{name: "full", code: 13, data: head, want: []string{"full", "free some space"}},
		{name: "held", code: 5 | 2<<8, data: head, want: []string{"another program"}},
		{name: "vague", code: 10 | 19<<8, data: head, want: []string{"can't be read or written", "SQL logic error"}},
		{name: "unknown code", code: 1, data: head, want: []string{"SQL logic error"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for name, content := range map[string]string{"data.db": c.data, "auxiliary.db": c.aux} {
				if content == "" {
					continue
				}
				if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got := Explain(inFolder(dir, errors.Join(sqliteError(c.code), errors.New("later"))))
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("%q is not in %q", want, got)
				}
			}
			if left, _ := filepath.Glob(filepath.Join(dir, ".probe-*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
	if err := inFolder("x", nil); err != nil {
		t.Errorf("no error became %v", err)
	}
}

func TestFirstStartIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "pb_data")
	begin := func(want bool) {
		t.Helper()
		if got, err := beginFirstStart(dir); got != want || err != nil {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	}
	begin(true)
	if err := os.WriteFile(filepath.Join(dir, "data.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	begin(true) // cut off before it was finished
	if err := endFirstStart(dir); err != nil {
		t.Fatal(err)
	}
	begin(false)
	if err := endFirstStart(dir); err != nil {
		t.Errorf("ending twice: %v", err)
	}
}
