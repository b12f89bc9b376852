package browser

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// vectors are attempts to get a script into a page, one a line.
//
//go:embed testdata/xss.txt
var vectors []byte

// tripwire is there before any script of a page, in every frame: it notes each
// call by which a vector would show itself.
const tripwire = `
	window.tripped = [];
	for (const name of ["alert", "confirm", "prompt", "print"]) {
		window[name] = (...args) => { top.tripped.push(name + " on " + location.pathname + ": " + args.join(" ")); };
	}
	addEventListener("message", e => { if (e.data === "tripped") top.tripped.push("a foreign frame"); });
`

// audit finds what would run a script on a click, a hover or a focus, without
// waiting for one: it is run inside each frame.
const audit = `d => {
	const bad = [];
	for (const e of d.querySelectorAll("*")) {
		const name = e.localName;
		if (["iframe", "object", "embed", "base", "applet", "frame", "frameset", "portal"].includes(name)) bad.push(e);
		if (name === "script" && !(e.src.startsWith(location.origin + "/assets/") || e.type === "application/ld+json")) bad.push(e);
		if (name === "meta" && e.httpEquiv && e.httpEquiv.toLowerCase() === "refresh") bad.push(e);
		if (name === "style" && !e.closest("svg")) bad.push(e);
		for (const a of e.attributes) {
			const value = a.value.replace(/[\u0000-\u0020]/g, "").toLowerCase();
			if (a.name.startsWith("on") || a.name === "srcdoc" || a.name === "style") bad.push(e);
			if (["href", "src", "action", "formaction", "xlink:href", "data", "poster", "background"].includes(a.name) &&
				/^(javascript|vbscript|livescript|data:(?!image\/))/.test(value)) bad.push(e);
		}
	}
	return bad.map(e => e.outerHTML.slice(0, 300));
}`

// frames loads many pages of the site side by side and looks into each.
const frames = `async paths => {
	const findings = [];
	await Promise.all(paths.map(path => new Promise(done => {
		const frame = document.createElement("iframe");
		frame.onload = () => {
			let inside = null;
			try { inside = frame.contentDocument; } catch (e) {}
			if (!inside || !inside.querySelector("main")) findings.push(path + ": the page has lost its main part");
			else for (const bad of (%s)(inside)) findings.push(path + ": " + bad);
			frame.remove();
			done();
		};
		frame.src = path;
		document.body.append(frame);
	})));
	return findings;
}`

// How many vectors are stored and looked at in one go.
const xssBatch = 20

// Whatever a person writes into a title, body, excerpt, tag or author stays
// text. The site's policy would stop most scripts; it is switched off here, so
// that the cleaning must hold by itself.
func TestNoVectorRuns(t *testing.T) {
	t.Parallel()
	list := readVectors(t)
	site := fresh(t)
	b := open(t, site.URL)
	b.ignorePolicy()
	b.beforeEveryPage(tripwire)
	b.visit("/healthz") // a page of the same origin that holds the frames
	for batch := range slices.Chunk(list, xssBatch) {
		paths := site.plant(t, batch)
		call, err := json.Marshal(paths)
		if err != nil {
			t.Fatal(err)
		}
		for _, finding := range eval[[]string](b, fmt.Sprintf("("+frames+")(%s)", audit, call)) {
			t.Error(finding)
		}
		reportTripped(t, b)
	}
	for _, path := range []string{"/", "/blog/", "/archive/", "/search/?q=xss", "/search/?q=%3Csvg%20onload%3Dalert(1)%3E", "/%3Cscript%3Ealert(1)%3C/script%3E/"} {
		b.visit(path)
		for _, finding := range eval[[]string](b, "("+audit+")(document)") {
			t.Errorf("%s: %s", path, finding)
		}
		reportTripped(t, b)
		b.shot("xss-" + strings.Trim(strings.NewReplacer("/", "-", "?", "-", "%", "").Replace(path), "-"))
	}
	t.Logf("%d vectors stood in titles, bodies, excerpts, tags and authors", len(list))
}

func reportTripped(t *testing.T, b *tab) {
	t.Helper()
	for _, call := range eval[[]string](b, `window.tripped.splice(0)`) {
		t.Errorf("a script ran: %s", call)
	}
}

// plant stores each vector in a tag, an author, and a post of each format, and
// returns the addresses that show them.
func (s *website) plant(t *testing.T, batch []string) []string {
	t.Helper()
	var requests []map[string]any
	add := func(collection string, fields map[string]any) {
		requests = append(requests, map[string]any{"method": "POST", "url": "/api/collections/" + collection + "/records", "body": fields})
	}
	number := s.planted.Add(int64(len(batch))) - int64(len(batch))
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, vector := range batch {
		name := fmt.Sprintf("v%d", number+int64(i))
		add("tags", map[string]any{"name": vector, "slug": name, "description": vector})
		add("authors", map[string]any{"name": vector, "slug": name, "bio": vector, "url": vector})
		for _, format := range []string{"html", "markdown"} {
			add("posts", published(vector, name+"-"+format, at, map[string]any{"format": format, "body": vector, "excerpt": vector, "seo_title": vector, "seo_description": vector}))
		}
	}
	for _, r := range requests {
		body := r["body"].(map[string]any)
		// What the rules of a field refuse can't be shown; the rest still is.
		status := 0
		for _, refuses := range []string{"", "url", "name", "title", "bio", "description"} {
			if _, there := body[refuses]; there {
				body[refuses] = "https://example.com/"
			} else if refuses != "" {
				continue
			}
			a, err := s.root.Do(t.Context(), http.MethodPost, r["url"].(string), body)
			if err != nil {
				t.Fatal(err)
			}
			if status = a.Status; status < 300 {
				break
			}
		}
		if status >= 300 {
			t.Errorf("%v could not be stored: status %d", body, status)
		}
	}
	var paths []string
	for i := range batch {
		name := fmt.Sprintf("v%d", number+int64(i))
		paths = append(paths, "/blog/"+name+"-html/", "/blog/"+name+"-markdown/", "/tag/"+name+"/", "/author/"+name+"/")
	}
	return paths
}

// readVectors returns our own list and, where BUNGALOW_XSS names a folder, the
// strings of every JSON file in it.
func readVectors(t *testing.T) []string {
	t.Helper()
	var list []string
	lines := bufio.NewScanner(bytes.NewReader(vectors))
	for lines.Scan() {
		if line := lines.Text(); line != "" {
			list = append(list, strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\0`, "\x00").Replace(line))
		}
	}
	more, err := filepath.Glob(filepath.Join(os.Getenv("BUNGALOW_XSS"), "*.json"))
	if err != nil || os.Getenv("BUNGALOW_XSS") == "" {
		return list
	}
	for _, path := range more {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var values []any
		if err := json.Unmarshal(raw, &values); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, v := range values {
			switch v := v.(type) {
			case string:
				list = append(list, v)
			case map[string]any:
				if payload, ok := v["payload"].(string); ok {
					list = append(list, payload)
				}
			}
		}
	}
	return list
}
