package faults

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"bungalow/tests/binary"
)

// atDesk is somebody who is signed in at the desk.
type atDesk struct {
	base string
	http *http.Client
}

const deskPassword = "correct-horse-battery"

// addStaff makes an account of the desk.
func addStaff(t *testing.T, root binary.Client, email, role string) {
	t.Helper()
	err := root.Call(t.Context(), http.MethodPost, "/api/collections/staff/records", map[string]any{
		"email": email, "name": email[:3], "role": role, "active": true, "verified": true, "password": deskPassword, "passwordConfirm": deskPassword,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
}

// enter signs in at the desk.
func enter(t *testing.T, base, email string) atDesk {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	// A redirect is an answer: nothing is asked for twice.
	d := atDesk{base, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if status, to, _, err := d.form("/desk/sign-in/", url.Values{"email": {email}, "password": {deskPassword}}); err != nil || status != http.StatusSeeOther || to != "/desk/" {
		t.Fatalf("signing in answers %d to %s, %v", status, to, err)
	}
	return d
}

func (d atDesk) send(req *http.Request, err error) (status int, to string, body []byte, _ error) {
	if err != nil {
		return 0, "", nil, err
	}
	res, err := d.http.Do(req)
	if err != nil {
		return 0, "", nil, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err = io.ReadAll(res.Body)
	return res.StatusCode, res.Header.Get("Location"), body, err
}

func (d atDesk) form(path string, values url.Values) (status int, to string, body []byte, err error) {
	req, err := http.NewRequest(http.MethodPost, d.base+path, strings.NewReader(values.Encode()))
	if err == nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Accept", "text/html")
	}
	return d.send(req, err)
}

var errRefused = errors.New("the upload was refused")

// upload sends a picture to the library and gives its id.
func (d atDesk) upload(name string, content []byte) (id string, err error) {
	body, kind, err := fileForm(name, content)
	if err != nil {
		return "", err
	}
	req, err := http.NewRequest(http.MethodPost, d.base+"/desk/media/upload/", body)
	if err == nil {
		req.Header.Set("Content-Type", kind)
		req.Header.Set("Accept", "application/json")
	}
	status, _, raw, err := d.send(req, err)
	if err != nil {
		return "", err
	}
	var kept []struct{ ID string }
	if err := json.Unmarshal(raw, &kept); err != nil || status != http.StatusOK || len(kept) != 1 {
		return "", fmt.Errorf("%w: %d %.200s, %v", errRefused, status, raw, err)
	}
	return kept[0].ID, nil
}

// acknowledged is what the server has said is done.
type acknowledged struct {
	sync.Mutex
	posts, files []string
	round        int
	kill         func() // once is enough
}

func (a *acknowledged) note(list *[]string, id string) {
	a.Lock()
	defer a.Unlock()
	*list = append(*list, id)
	if len(a.posts) > 2+a.round%4 && len(a.files) > a.round%3 {
		go a.kill()
	}
}

// rounds is how often the test kills: `make durability` asks for more.
func rounds(few int) int {
	if n, err := strconv.Atoi(os.Getenv("BUNGALOW_KILL_ROUNDS")); err == nil && n > 0 {
		return n
	}
	return few
}

var madePost = regexp.MustCompile(`^/desk/posts/([a-z0-9]{15})/$`)

// Two of the staff publish and upload when the server is killed. What was
// acknowledged is there; of everything else there is all or nothing: the text,
// its version, its line in the audit and its place in the search; a file's
// record and its bytes.
func TestKillWhileTheDeskPublishesAndUploads(t *testing.T) {
	t.Parallel()
	home := site(t)
	picture := drawing(t, 3)
	var posts, files []string
	for round := range rounds(3) {
		server := serve(t, home)
		if round == 0 {
			root := signIn(t, server)
			addStaff(t, root, "ada@example.com", "editor")
			addStaff(t, root, "bob@example.com", "author")
		}
		a := &acknowledged{round: round, kill: server.Kill}
		both := []atDesk{enter(t, server.URL, "ada@example.com"), enter(t, server.URL, "bob@example.com")}
		var people sync.WaitGroup
		for i, d := range both {
			people.Go(func() { a.publish(t, d, fmt.Sprintf("%d %d", round, i)) })
			people.Go(func() {
				for n := 0; ; n++ {
					id, err := d.upload(fmt.Sprintf("kill-%d-%d-%d.png", round, i, n), picture)
					if errors.Is(err, errRefused) {
						t.Error(err)
					}
					if err != nil {
						return // the kill
					}
					a.note(&a.files, id)
				}
			})
		}
		people.Wait()
		<-server.Done()
		posts, files = append(posts, a.posts...), append(files, a.files...)
		wholeAfterKill(t, home, posts, files)
	}
	if len(posts) == 0 || len(files) == 0 {
		t.Errorf("%d posts and %d files were acknowledged; the test needs some of each", len(posts), len(files))
	}
	// It serves what it has, pictures too.
	visitor := binary.Client{Base: serve(t, home).URL}
	if a, err := visitor.Do(t.Context(), http.MethodGet, "/blog/", nil); err != nil || a.Status != http.StatusOK {
		t.Errorf("the blog answers %d, %v", a.Status, err)
	}
}

// publish writes posts and changes each, until the server is gone.
func (a *acknowledged) publish(t *testing.T, d atDesk, name string) {
	for n := 0; ; n++ {
		text := url.Values{"title": {fmt.Sprintf("Kill %s %d", name, n)}, "body": {"kept"}, "format": {"markdown"}, "do": {"publish"}}
		status, to, body, err := d.form("/desk/posts/new/", text)
		if err != nil {
			return // the kill
		}
		id := madePost.FindStringSubmatch(to)
		if status != http.StatusSeeOther || id == nil {
			t.Errorf("publishing answers %d %.200s", status, body)
			return
		}
		a.note(&a.posts, id[1])
		text.Set("body", "changed")
		if _, _, _, err := d.form(to, text); err != nil {
			return
		}
	}
}

// wholeAfterKill looks at the folder of a site that nobody serves.
func wholeAfterKill(t *testing.T, home string, posts, files []string) {
	t.Helper()
	if problem := integrity(t, home); problem != "ok" {
		t.Fatal(problem)
	}
	db, err := sql.Open("sqlite", filepath.Join(home, "pb_data", "data.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	published := column(t, db, `SELECT id FROM posts WHERE title LIKE 'Kill %' AND status = 'published'`)
	for _, id := range posts {
		if !published[id] {
			t.Errorf("the post %s was acknowledged and is not published", id)
		}
	}
	for what, query := range map[string]string{
		"a post without a line in the audit":        `SELECT id FROM posts WHERE title LIKE 'Kill %' AND id NOT IN (SELECT record FROM audit WHERE action = 'post.create')`,
		"a publication without its line":            `SELECT id FROM posts WHERE title LIKE 'Kill %' AND (status = 'published') != (id IN (SELECT record FROM audit WHERE action = 'post.publish'))`,
		"a publication without its version":         `SELECT id FROM posts WHERE title LIKE 'Kill %' AND (status = 'published') != (id IN (SELECT record FROM revisions WHERE state = 'published'))`,
		"a version that is not the present one":     `SELECT id FROM posts WHERE title LIKE 'Kill %' AND body != (SELECT json_extract(data, '$.body') FROM revisions r WHERE r.record = posts.id AND r.state != 'draft' ORDER BY r.at DESC, r.created DESC, r.rowid DESC LIMIT 1)`,
		"a text whose HTML is another's":            `SELECT id FROM posts WHERE title LIKE 'Kill %' AND html != '<p>' || body || '</p>' || char(10)`,
		"a published text that search misses":       `SELECT id FROM posts WHERE title LIKE 'Kill %' AND (status = 'published') != (id IN (SELECT record FROM content_search_docs))`,
		"a publication that was not announced":      `SELECT id FROM posts WHERE title LIKE 'Kill %' AND (status = 'published') != (announced_at != '')`,
		"a file without a line in the audit":        `SELECT id FROM media WHERE file LIKE 'kill_%' AND id NOT IN (SELECT record FROM audit WHERE action = 'media.upload')`,
		"a line of the audit that tells of no file": `SELECT record FROM audit WHERE action = 'media.upload' AND record NOT IN (SELECT id FROM media)`,
	} {
		if bad := column(t, db, query); len(bad) > 0 {
			t.Errorf("there is %s: %v", what, bad)
		}
	}
	kept := column(t, db, `SELECT id FROM media`)
	for _, id := range files {
		if !kept[id] {
			t.Errorf("the file %s was acknowledged and is lost", id)
		}
	}
	wholeFiles(t, home, db)
}

func column(t *testing.T, db *sql.DB, query string) map[string]bool {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = rows.Close() }()
	found := map[string]bool{}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		found[id] = true
	}
	return found
}

// wholeFiles looks for the bytes of each file that has a record.
func wholeFiles(t *testing.T, home string, db *sql.DB) {
	t.Helper()
	rows, err := db.Query(`SELECT m.id, m.file, m.bytes, c.id FROM media m, _collections c WHERE c.name = 'media' AND m.file != ''`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id, file, collection string
		var size int64
		if err := rows.Scan(&id, &file, &size, &collection); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(filepath.Join(home, "pb_data", "storage", collection, id, file))
		if err != nil || int64(len(raw)) != size {
			t.Errorf("%s has %d bytes of %d, %v", file, len(raw), size, err)
			continue
		}
		if _, err := png.DecodeConfig(bytes.NewReader(raw)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}
