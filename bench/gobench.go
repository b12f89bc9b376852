package main

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"bungalow/tests/binary"
)

// GoFigure is one line of go test -bench.
type GoFigure struct {
	Package string             `json:"package"`
	Name    string             `json:"name"`
	Values  map[string]float64 `json:"values"` // by unit: ns/op, B/op, jobs/s …
}

// runGoBenches runs the benchmarks of the packages in goBenches. One that
// fails is named and left out: its own tests say why.
func runGoBenches(ctx context.Context, say func(string, ...any)) []GoFigure {
	root, err := binary.Root()
	if err != nil {
		say("go benchmarks left out: %v", err)
		return nil
	}
	var all []GoFigure
	for _, b := range goBenches {
		if files, _ := filepath.Glob(filepath.Join(root, b.Package, "*_test.go")); len(files) == 0 {
			say("%s has no benchmarks", b.Package)
			continue
		}
		cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", b.Pattern, "-benchmem",
			"-benchtime", "1s", "-timeout", "5m", b.Package)
		cmd.Dir = root
		cmd.Env = append(os.Environ(), "GOTOOLCHAIN=auto")
		out, err := cmd.CombinedOutput()
		if err != nil {
			say("%s: go test -bench failed: %v\n%s", b.Package, err, out)
			continue
		}
		all = append(all, parseGoBench(b.Package, string(out))...)
	}
	return all
}

// parseGoBench reads "BenchmarkName-2  100  123 ns/op  4 B/op …".
func parseGoBench(pkg, out string) []GoFigure {
	var figures []GoFigure
	lines := bufio.NewScanner(strings.NewReader(out))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := strings.TrimPrefix(fields[0], "Benchmark")
		if i := strings.LastIndexByte(name, '-'); i > 0 {
			name = name[:i]
		}
		f := GoFigure{Package: pkg, Name: name, Values: map[string]float64{}}
		for i := 2; i+1 < len(fields); i += 2 {
			if v, err := strconv.ParseFloat(fields[i], 64); err == nil {
				f.Values[fields[i+1]] = v
			}
		}
		figures = append(figures, f)
	}
	return figures
}
