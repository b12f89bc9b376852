package engine

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// listen serves the app as PocketBase's serve command does, on a port of its
// own, and returns its address.
func (s *site) listen(t testing.TB, origins ...string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	s.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.Listener, e.InstallerFunc = listener, nil
		return e.Next()
	})
	go func() {
		_ = apis.Serve(s.App, apis.ServeConfig{HttpAddr: listener.Addr().String(), AllowedOrigins: origins}) // ends with the app
	}()
	return listener.Addr().String()
}

// wire sends a request as text on a connection of its own and returns the
// answer with everything that a client can see, but for the date.
func wire(t testing.TB, addr, path string, header ...string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	must(t, err)
	defer func() { _ = conn.Close() }()
	must(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: site.test\r\n%s\r\n", path, strings.Join(append(header, ""), "\r\n"))
	must(t, err)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	must(t, err)
	body, err := io.ReadAll(res.Body)
	must(t, err)
	if res.Header.Get("Date") == "" {
		t.Error("no date")
	}
	res.Header.Del("Date")
	var b strings.Builder
	fmt.Fprintln(&b, res.Proto, res.Status, res.ContentLength, res.TransferEncoding)
	for _, name := range slices.Sorted(maps.Keys(res.Header)) {
		fmt.Fprintln(&b, name, res.Header[name])
	}
	return b.String() + string(body)
}

// pair is plain PocketBase and one with the engine, with the same records.
type pair struct {
	theirs, ours         *site
	theirToken, ourToken string
	theirSuper, ourSuper string
	theirAddr, ourAddr   string
}

func newPair(t testing.TB, o Options, set func(*core.Settings), origins ...string) *pair {
	p := &pair{theirs: &site{App: boot(t, nil, "", Options{})}, ours: &site{App: boot(t, nil, "", o)}}
	for s, tokens := range map[*site][2]*string{p.theirs: {&p.theirToken, &p.theirSuper}, p.ours: {&p.ourToken, &p.ourSuper}} {
		library(t, s, 12)
		_, *tokens[0] = s.user(t, "ada@example.com")
		root := s.save(t, core.CollectionNameSuperusers, map[string]any{"id": id("root"), "email": "root@example.com", "password": password})
		var err error
		*tokens[1], err = root.NewAuthToken()
		must(t, err)
		s.Settings().Logs.MaxDays = 5
		if set != nil {
			set(s.Settings())
		}
		must(t, s.Save(s.Settings()))
	}
	p.theirAddr, p.ourAddr = p.theirs.listen(t, origins...), p.ours.listen(t, origins...)
	return p
}

// ask sends the same to both and compares; TOKEN and SUPER in a header stand
// for tokens. It returns the status line.
func (p *pair) ask(t testing.TB, path string, header ...string) string {
	t.Helper()
	fill := func(token, super string) []string {
		all := slices.Clone(header)
		for i := range all {
			all[i] = strings.NewReplacer("TOKEN", token, "SUPER", super).Replace(all[i])
		}
		return all
	}
	want := wire(t, p.theirAddr, path, fill(p.theirToken, p.theirSuper)...)
	got := wire(t, p.ourAddr, path, fill(p.ourToken, p.ourSuper)...)
	if got != want {
		t.Errorf("%s %v:\n%.900s\nPocketBase:\n%.900s", path, header, got, want)
	}
	line, _, _ := strings.Cut(got, "\n")
	return line
}

func (p *pair) hits() int64 {
	if s := Of(p.ours.App).shortcut; s != nil {
		return s.hits.Load()
	}
	return -1
}

// everything is what an engine does to lists and views.
var everything = Options{ActivityLog: true, Tokens: true, Count: true, JSON: true, Scans: true, Responses: true}

func TestTheShortcutAnswersAsPocketBaseDoes(t *testing.T) {
	t.Parallel()
	paths := []string{
		"/api/collections/books/records?perPage=3", "/api/collections/books/records?sort=-shelf&skipTotal=1&filter=pages%3E1",
		"/api/collections/books/records/" + id("book3"), "/api/collections/books/records?expand=authors", "/api/collections/books/records/" + id("book5") + "?fields=id",
		"/api/collections/books/records/" + id("book4") + "?a=%zz&b=<>", "/api/collections/BOOKS/records?page=2&perPage=2", "http://other.test/api/collections/books/records?perPage=1",
		"/api/collections/books/records?perPage=500&filter=(pages>=0)",
	}
	headers := [][]string{
		nil, {"Origin: https://a.test"}, {"Origin: "}, {"Origin: null"}, {"Authorization: TOKEN"}, {"Authorization: Bearer SUPER", "Origin: https://a.test"},
		{"Authorization: nonsense"}, {"Content-Type: application/json", "Accept-Encoding: gzip, br"}, {"Cookie: a=b"}, {"X-Forwarded-For: 10.0.0.1", "User-Agent: \"x\"", "Referer: /here"},
		{"If-None-Match: *"}, {"Range: bytes=0-10"}, {"Connection: close"}, {"Content-Length: 0"},
	}
	for name, origins := range map[string][]string{"any origin": nil, "chosen origins": {"https://*.test", "https://b.test"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, everything, func(s *core.Settings) { s.Logs.LogAuthId = true; s.TrustedProxy.Headers = []string{"X-Forwarded-For"} }, origins...)
			for range 3 {
				for _, path := range paths {
					for _, header := range headers {
						if line := p.ask(t, path, header...); !strings.Contains(line, " 200 ") {
							t.Errorf("%s %v: %s", path, header, line)
						}
					}
				}
			}
			n := 3 * len(paths) * len(headers)
			if hits := p.hits(); hits < int64(n)/3 {
				t.Errorf("only %d of %d requests took the shortcut", hits, n)
			}
			want, got := logged(t, p.theirs, n), logged(t, p.ours, n)
			if len(want) != n || len(got) != n {
				t.Fatalf("%d rows in the log, PocketBase has %d, expected %d", len(got), len(want), n)
			}
			for i := range want {
				if want[i] != got[i] {
					t.Errorf("log\nPocketBase %.300q\nengine     %.300q", want[i], got[i])
				}
			}
		})
	}
}

func TestTheShortcutObeysTheNextChangeOfSettings(t *testing.T) {
	t.Parallel()
	const path = "/api/collections/books/records?perPage=3"
	p := newPair(t, everything, nil)
	// PocketBase reads its settings without a lock where it writes the log, so
	// they are changed when every request of before is in it.
	requests := 0
	change := func(set func(*core.Settings)) {
		for _, s := range []*site{p.theirs, p.ours} {
			logged(t, s, requests)
			set(s.Settings())
			must(t, s.Save(s.Settings()))
		}
	}
	ask := func(header ...string) string {
		requests++
		return p.ask(t, path, header...)
	}
	for range 4 {
		ask("Authorization: SUPER")
	}
	if p.hits() < 1 {
		t.Error("no request took the shortcut")
	}
	change(func(s *core.Settings) { s.SuperuserIPs = []string{"10.1.1.1"} })
	if line := ask("Authorization: SUPER"); !strings.Contains(line, " 403 ") {
		t.Error(line)
	}
	change(func(s *core.Settings) { s.SuperuserIPs = []string{"127.0.0.0/8"} })
	ask("Authorization: SUPER")
	before := p.hits()
	change(func(s *core.Settings) { s.Logs.MaxDays = 0 })
	requests = 0  // PocketBase deletes what it had
	for range 4 { // PocketBase would not tell when it is done with these
		wire(t, p.ourAddr, path)
	}
	change(func(s *core.Settings) { s.Logs.MaxDays = 5; s.Logs.MinLevel = 8 })
	p.ask(t, path)
	if rows := logged(t, p.ours, 0); len(rows) != 0 {
		t.Errorf("%d rows in a log that was off, then for errors only: %v", len(rows), rows)
	}
	if p.hits() == before {
		t.Error("no request took the shortcut afterwards")
	}
}

func TestWhereTheShortcutStaysAway(t *testing.T) {
	t.Parallel()
	next := func(e *core.RequestEvent) error { return e.Next() }
	none := func(core.App, *core.ServeEvent) {}
	middleware := func(id string) func(core.App, *core.ServeEvent) {
		return func(_ core.App, e *core.ServeEvent) {
			e.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: id, Func: next})
		}
	}
	unbind := func(ids ...string) func(core.App, *core.ServeEvent) {
		return func(_ core.App, e *core.ServeEvent) { e.Router.Unbind(ids...) }
	}
	for name, c := range map[string]struct {
		bind func(core.App, *core.ServeEvent)
		o    Options
		away bool
	}{
		"nobody else":             {none, everything, false},
		"ours":                    {middleware("bungalowX"), everything, false},
		"somebody's middleware":   {middleware(""), everything, true},
		"under PocketBase's name": {middleware(apis.DefaultRateLimitMiddlewareId), everything, true},
		"PocketBase's own log":    {none, Options{Responses: true}, true},
		"no log at all":           {unbind(apis.DefaultActivityLoggerMiddlewareId), Options{Responses: true}, false},
		"no headers, no accounts": {unbind(apis.DefaultSecurityHeadersMiddlewareId, apis.DefaultLoadAuthTokenMiddlewareId), everything, false},
		"answers are not kept":    {none, Options{ActivityLog: true}, true},
		"PocketBase's own tokens": {none, Options{ActivityLog: true, Responses: true}, false},
		"somebody's list hook": {func(app core.App, _ *core.ServeEvent) {
			app.OnRecordsListRequest().BindFunc(func(e *core.RecordsListRequestEvent) error { return e.Next() })
		}, everything, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, "", c.o, c.bind)
			library(t, s, 3)
			_, token := s.user(t, "ada@example.com")
			const path = "/api/collections/books/records"
			for _, who := range []string{"", token} {
				_, wantHeader, want := s.get(path, who)
				for range 4 {
					status, header, got := s.get(path, who)
					if status != http.StatusOK || got != want || fmt.Sprint(header) != fmt.Sprint(wantHeader) {
						t.Errorf("%d %v %s", status, header, got)
					}
				}
			}
			hits := int64(0)
			if e := Of(s.App); e.shortcut != nil {
				hits = e.shortcut.hits.Load()
			}
			if away := hits == 0; away != c.away {
				t.Errorf("%d hits", hits)
			}
		})
	}
}

func newRequest(t testing.TB, path string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, path, nil)
	must(t, err)
	req.RequestURI, req.RemoteAddr = path, "192.0.2.1:1234"
	return req
}

func TestAddressesThatAreKnownAreBounded(t *testing.T) {
	t.Parallel()
	s := serve(t, "", everything)
	ws := &Of(s.App).responses.wishes
	learn := func(path string) *http.Request {
		req := newRequest(t, path)
		e := &core.RequestEvent{App: s.App}
		e.Request = req
		ws.learn(e, 1, "x")
		return req
	}
	for i := range wishesKept + 50 {
		if req := learn(fmt.Sprint("/api/collections/books/records?page=", i)); ws.find(s.App, req) == nil {
			t.Fatalf("address %d is not known", i)
		}
	}
	if long := learn("/api/collections/books/records?x=" + strings.Repeat("x", wishLength)); ws.find(s.App, long) != nil || len(ws.known) != wishesKept {
		t.Errorf("%d addresses are known", len(ws.known))
	}
	if other := learn("/api/collections/books%2Frecords"); ws.find(s.App, other) != nil {
		t.Error("an address that the router reads in two ways is known")
	}
}
