// Package purego stands in for github.com/ebitengine/purego, which the WebP
// encoder would use to load libwebp from the machine. It loads nothing, so the
// encoder falls back to its own Go code, the executable stays statically
// linked, and no foreign library can enter the process. See
// docs/decisions/003-webp.md.
package purego

import "errors"

// Flags of Dlopen; they have no effect.
const (
	RTLD_NOW    = 2
	RTLD_GLOBAL = 0x100
)

var errNothing = errors.New("no library is loaded from this machine")

// Dlopen always returns an error.
func Dlopen(string, int) (uintptr, error) { return 0, errNothing }

// RegisterLibFunc always panics; the encoder recovers and uses its Go code.
func RegisterLibFunc(any, uintptr, string) { panic(errNothing) }

// NewCallback returns an address that nobody can call.
func NewCallback(any) uintptr { return 0 }
