package faults

import (
	"database/sql"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"bungalow/tests/binary"
	"bungalow/tests/postoffice"
)

const (
	mailForms  = 25 // submissions
	mailPeople = 20 // who are told of each
	mailsInAll = mailForms * mailPeople
	mailsFirst = 120 // taken before the kill
)

// 500 mails wait; a kill -9 comes while the mail server holds one that it has
// kept and not confirmed. After the next start each was taken at least once, and
// what was taken twice has one Message-ID, so that mail programs show it once.
func TestKillUnderMailLoad(t *testing.T) {
	t.Parallel()
	office := postoffice.Serve(t)
	var open, killed sync.WaitGroup
	open.Add(1)
	killed.Add(1)
	enough := make(chan struct{}, mailsInAll)
	office.Each(func(n int) {
		open.Wait()
		if n >= mailsFirst {
			enough <- struct{}{}
			killed.Wait()
		}
	})
	home := site(t)
	server := serve(t, home)
	root := signIn(t, server)
	everyoneIsTold(t, root, office)
	visitor := binary.Client{Base: server.URL}
	for i := range mailForms {
		if err := visitor.Call(t.Context(), http.MethodPost, "/f/fair", map[string]any{"message": fmt.Sprintf("Question %d", i)}, nil); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, "all mails to be queued", func() bool { return count(t, home, `SELECT count(*) FROM _mails`) == mailsInAll })
	open.Done()
	<-enough
	server.Kill()
	killed.Done()
	if problem := integrity(t, home); problem != "ok" {
		t.Fatal(problem)
	}
	if sent := count(t, home, `SELECT count(*) FROM _mails WHERE state = 'sent'`); sent == 0 || sent >= mailsInAll {
		t.Fatalf("%d of %d were sent before the kill; it was to come in the middle", sent, mailsInAll)
	}
	// A dead process's jobs come back when their lease has run out, half a minute
	// later: the test lets that time pass.
	change(t, home, `UPDATE _jobs SET lease_until = 1 WHERE state = 'running'`)

	serve(t, home)
	waitFor(t, "all mails to be sent", func() bool {
		return count(t, home, `SELECT count(*) FROM _mails WHERE state = 'sent'`) == mailsInAll
	})
	taken := map[string]string{} // what a mail is, by its Message-ID
	for _, m := range office.All() {
		id, what := m.Header().Get("Message-Id"), m.To[0]+" "+m.Header().Get("Subject")
		if before, ok := taken[id]; ok && before != what {
			t.Errorf("two mails have one Message-ID: %q, %q", before, what)
		}
		taken[id] = what
	}
	if len(taken) != mailsInAll || len(office.All()) <= mailsInAll {
		t.Errorf("%d mails were taken, %d different ones; want %d different ones and those in hand at the kill once more", len(office.All()), len(taken), mailsInAll)
	}
	t.Logf("%d mails were taken, %d different ones", len(office.All()), len(taken))
}

// everyoneIsTold makes a form with many recipients and lets mail go to office.
func everyoneIsTold(t *testing.T, root binary.Client, office *postoffice.Server) {
	t.Helper()
	recipients := ""
	for i := range mailPeople {
		recipients += fmt.Sprintf("person-%d@example.com\n", i)
	}
	for path, body := range map[string]map[string]any{
		"/api/collections/settings/records": {"feature": "spam", "value": map[string]any{"no_limits": true}},
		"/api/collections/forms/records": {"slug": "fair", "title": "The fair", "open": true, "spam_policy": "off", "recipients": recipients,
			"fields": []map[string]any{{"name": "message", "type": "text", "required": true}}},
	} {
		if err := root.Call(t.Context(), http.MethodPost, path, body, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := root.Call(t.Context(), http.MethodPatch, "/api/settings", office.Settings(), nil); err != nil {
		t.Fatal(err)
	}
}

// waitFor waits until something is so.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(2 * binary.Patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// count asks a site's database for a number, from outside.
func count(t *testing.T, home, query string) (n int) {
	t.Helper()
	db := openData(t, home)
	defer func() { _ = db.Close() }()
	if err := db.QueryRow(query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// change changes a site's database while no server runs.
func change(t *testing.T, home, query string) {
	t.Helper()
	db := openData(t, home)
	defer func() { _ = db.Close() }()
	if _, err := db.Exec(query); err != nil {
		t.Fatal(err)
	}
}

func openData(t *testing.T, home string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(home, "pb_data", "data.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	return db
}
