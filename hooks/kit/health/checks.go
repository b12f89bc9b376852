package health

import (
	"context"
	"sync"

	"github.com/pocketbase/pocketbase/core"
)

// Checker looks whether a part of the site is in order. Each fault is a sentence
// that says what to do.
type Checker struct {
	Name string // what is looked at, such as "the shop"
	Do   func(ctx context.Context, app core.App) (faults []string)
}

// checkers are those of one app.
type checkers struct {
	mu   sync.Mutex
	list []Checker
}

func checkersOf(app core.App) *checkers {
	return app.Store().GetOrSet("bungalow.checks", func() any { return &checkers{} }).(*checkers)
}

// AddChecker has the command check look at one thing more. A feature calls it
// when it is registered.
func AddChecker(app core.App, c Checker) {
	l := checkersOf(app)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, c)
}

// Checkers lists what was added, in that order.
func Checkers(app core.App) []Checker {
	l := checkersOf(app)
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Checker(nil), l.list...)
}
