package imap_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bungalow/hooks/inbox/imap"
	"bungalow/tests/postoffice"
)

// reading is a mailbox that is read, and what came of it.
type reading struct {
	mu     sync.Mutex
	mark   imap.Mark
	taken  []string
	faults map[string]error // by a word of the mail; each once
	states []error
}

func (r *reading) config(box *postoffice.Mailbox) imap.Config {
	return imap.Config{
		Server: box.Address, Security: "none", User: postoffice.User, Password: postoffice.Password, MaxBytes: 1000,
		Log: slog.New(slog.DiscardHandler),
		Load: func() (imap.Mark, error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.mark, nil
		},
		Save: func(m imap.Mark) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.mark = m
			return nil
		},
		Deliver: func(raw []byte) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			for word, err := range r.faults {
				if strings.Contains(string(raw), word) {
					delete(r.faults, word)
					return err
				}
			}
			r.taken = append(r.taken, string(raw))
			return nil
		},
		State: func(err error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.states = append(r.states, err)
		},
	}
}

// has reports how often a mail with the word was taken.
func (r *reading) has(word string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, raw := range r.taken {
		n += strings.Count(raw, word)
	}
	return n
}

// read reads the mailbox until the test ends or the returned function is called.
func (r *reading) read(t *testing.T, box *postoffice.Mailbox) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		imap.Run(ctx, r.config(box))
	}()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(2 * time.Minute)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func put(box *postoffice.Mailbox, word string) {
	box.Put(postoffice.Letter("ann@example.com", "hello@haus.example", "<"+word+"@x>", "This is "+word+"."))
}

// A mailbox that is cut off is read on, each mail once; one that could not be
// stored is tried again; one that is never taken is passed over.
func TestAMailboxIsReadOnAfterABreak(t *testing.T) {
	t.Parallel()
	box := postoffice.OpenMailbox(t)
	r := &reading{faults: map[string]error{"clumsy.": errors.New("the disk is full"), "unwanted.": imap.ErrNever}}
	put(box, "waiting")
	r.read(t, box)
	until(t, "the mail that waited", func() bool { return r.has("waiting.") == 1 })
	put(box, "fresh")
	until(t, "the mail that came", func() bool { return r.has("fresh.") == 1 })
	if n := box.Cut(); n != 1 {
		t.Errorf("%d connections were open", n)
	}
	put(box, "unwanted")
	put(box, "clumsy")
	put(box, "last")
	until(t, "the mails after the break", func() bool { return r.has("last.") == 1 && box.Unseen() == 0 })
	if r.has("clumsy.") != 1 || r.has("unwanted.") != 0 || r.has("waiting.") != 1 || r.has("fresh.") != 1 {
		t.Errorf("taken: %q", r.taken)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.states) < 3 || r.states[0] != nil || !slices.ContainsFunc(r.states, func(err error) bool { return err != nil }) {
		t.Errorf("the settings page was told %v", r.states)
	}
}

// Whoever stops and starts again goes on behind the last mail, and takes of one
// that is too large its header alone.
func TestAMailboxIsReadOnAfterAStop(t *testing.T) {
	t.Parallel()
	box := postoffice.OpenMailbox(t)
	r := &reading{}
	stop := r.read(t, box)
	put(box, "early")
	until(t, "the first mail", func() bool { return r.has("early.") == 1 && box.Unseen() == 0 })
	stop()
	box.Put(postoffice.Letter("ann@example.com", "hello@haus.example", "<large@x>", strings.Repeat("A large mail. ", 500), "Subject: The large one"))
	r.read(t, box)
	until(t, "the large mail", func() bool { return r.has("Subject: The large one") == 1 })
	if r.has("early.") != 1 || r.has("A large mail.") != 0 || r.has("larger than the inbox takes") != 1 {
		t.Errorf("taken: %q", r.taken)
	}
}

// What is wrong with the settings is said.
func TestWhatIsWrongWithAMailboxIsSaid(t *testing.T) {
	t.Parallel()
	box := postoffice.OpenMailbox(t)
	for name, change := range map[string]func(*imap.Config){
		"":                         func(*imap.Config) {},
		"sign in to the mailbox":   func(c *imap.Config) { c.Password = "wrong" },
		"open the folder Nowhere":  func(c *imap.Config) { c.Folder = "Nowhere" },
		"connect to the mailbox":   func(c *imap.Config) { c.Server = "127.0.0.1:1" },
		"connect to the mailbox: ": func(c *imap.Config) { c.Security = "tls" }, // it speaks none
	} {
		cfg := (&reading{}).config(box)
		change(&cfg)
		err := imap.Check(t.Context(), cfg)
		if name == "" && err != nil || name != "" && (err == nil || !strings.Contains(err.Error(), name)) {
			t.Errorf("want %q: %v", name, err)
		}
	}
}
