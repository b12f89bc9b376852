package faults

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"bungalow/tests/binary"
)

// typists is how many commands are typed at once.
const typists = 2

// A command beside a server that writes all the time waits for its turn. Neither
// is refused because the other wrote between what it read and what it writes.
func TestCommandsBesideAWritingServer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		commands int
		args     []string
	}{"with the engine": {20, nil}, "without": {8, []string{"--without", "engine"}}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := site(t)
			server := serve(t, home, c.args...)
			root := signIn(t, server)
			var wrote atomic.Int64
			stop := make(chan struct{})
			var writers, typed sync.WaitGroup
			for writer := range killWriters {
				writers.Go(func() {
					for i := 0; ; i++ {
						select {
						case <-stop:
							return
						default:
						}
						slug := fmt.Sprintf("beside-%d-%d", writer, i)
						if err := root.Call(t.Context(), http.MethodPost, "/api/collections/posts/records", post(slug), nil); err != nil {
							t.Errorf("the server's write was refused: %v", err)
							return
						}
						wrote.Add(1)
					}
				})
			}
			for typist := range typists {
				typed.Go(func() {
					for i := range c.commands / typists {
						email := fmt.Sprintf("person-%d-%d@example.com", typist, i)
						words := [][]string{
							{"superuser", "upsert", email, "correct-horse-battery"},
							{"staff", "add", email, "--role", "editor"},
						}[i%2]
						r, err := binary.Run(t.Context(), home, append(words, c.args...)...)
						if err != nil || r.Code != 0 {
							t.Errorf("%s was refused: %v, exit code %d: %s", strings.Join(words[:2], " "), err, r.Code, r.Stderr)
						}
					}
				})
			}
			typed.Wait()
			close(stop)
			writers.Wait()
			if int(wrote.Load()) < c.commands {
				t.Errorf("the server wrote only %d times", wrote.Load())
			}
		})
	}
}
