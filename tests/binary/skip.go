package binary

import (
	"os"
	"testing"
)

// Skip leaves a test out because the machine lacks something that .ci/run
// installs, and says so aloud. Where everything must run (BUNGALOW_TEST_ALL=1)
// it is a failure instead.
func Skip(t testing.TB, what string, why error) {
	t.Helper()
	if os.Getenv("BUNGALOW_TEST_ALL") == "1" {
		t.Fatalf("%s (%v), and BUNGALOW_TEST_ALL=1 lets nothing be left out", what, why)
	}
	SkipAloud(t, what, why)
}

// SkipAloud leaves a test out because of what nobody can install, such as the
// rights of root.
func SkipAloud(t testing.TB, what string, why error) {
	t.Helper()
	reason := what
	if why != nil {
		reason += " (" + why.Error() + ")"
	}
	aloud("SKIPPED " + t.Name() + ": " + reason)
	t.Skip("skipped: " + reason)
}
