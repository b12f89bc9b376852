package spam

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed disposable.txt
var disposableList string

// builtIn are the well-known domains of throw-away mail.
var builtIn = sync.OnceValue(func() map[string]bool {
	out := map[string]bool{}
	for _, line := range strings.Fields(disposableList) {
		out[line] = true
	}
	return out
})

// disposable reports whether the domain or one above it hands out throw-away
// addresses.
func disposable(domain string, more map[string]bool) bool {
	for d := cleanDomain(domain); strings.Contains(d, "."); {
		if builtIn()[d] || more[d] {
			return true
		}
		_, d, _ = strings.Cut(d, ".")
	}
	return false
}
