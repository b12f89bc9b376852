//go:build !linux

package binary

import (
	"fmt"
	"os"
)

// aloud writes a line to standard error. "go test ./..." shows it only with -v.
func aloud(line string) { _, _ = fmt.Fprintln(os.Stderr, line) }
