package binary

import (
	"os"
	"testing"
)

// Skip leaves a test out because the machine lacks something, and says so
// aloud. Where everything must run (BUNGALOW_TEST_ALL=1, as in .ci/run) it is
// a failure instead.
func Skip(t testing.TB, what string, why error) {
	t.Helper()
	if os.Getenv("BUNGALOW_TEST_ALL") == "1" {
		t.Fatalf("%s (%v), and BUNGALOW_TEST_ALL=1 lets nothing be left out", what, why)
	}
	// Printed past the test framework, which hides skips without -v.
	_, _ = os.Stderr.WriteString("SKIPPED " + t.Name() + ": " + what + " (" + errorText(why) + ")\n")
	t.Skipf("skipped: %s (%v)", what, why)
}

func errorText(err error) string {
	if err == nil {
		return "not on this machine"
	}
	return err.Error()
}
