//go:build race

package comments_test

// raced says that the race detector slows everything down.
const raced = true
