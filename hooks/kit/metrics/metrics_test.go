package metrics_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"bungalow/hooks"
	"bungalow/hooks/kit/metrics"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
)

const token = "a-token-of-some-length"

func setToken(t *testing.T, app core.App, token string) {
	t.Helper()
	if err := settings.Save(app, metrics.Feature, metrics.Options{Token: token}); err != nil {
		t.Fatal(err)
	}
}

func TestNobodyReadsFiguresWithoutTheToken(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	if res, _ := app.Get("/metrics", "Authorization", "Bearer "); res.StatusCode != http.StatusNotFound {
		t.Errorf("without a token there is %d", res.StatusCode)
	}
	setToken(t, app, token)
	for header, want := range map[string]int{"": 401, "Bearer ": 401, "Bearer wrong": 401, "Basic " + token: 401, "Bearer " + token: 200} {
		if res, body := app.Get("/metrics", "Authorization", header); res.StatusCode != want || want == 200 != strings.Contains(body, "bungalow_goroutines") {
			t.Errorf("%q answers %d", header, res.StatusCode)
		}
	}
	if res, _ := app.JSON(http.MethodGet, "/metrics", sitetest.Superuser(t, app), ""); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a superuser's own token answers %d", res.StatusCode)
	}
	setToken(t, app, "")
	if res, _ := app.Get("/metrics", "Authorization", "Bearer "+token); res.StatusCode != http.StatusNotFound {
		t.Errorf("switched off, there is %d", res.StatusCode)
	}
}

// line is what Prometheus reads (text format 0.0.4).
var line = regexp.MustCompile(`^(# (HELP|TYPE) bungalow_[a-z_]+ .+|bungalow_[a-z_]+(\{([a-z]+="[^"]*",?)+\})? [0-9.e+-]+)$`)

func TestARunningServerIsCounted(t *testing.T) {
	t.Parallel()
	app, handler := sitetest.Running(t, hooks.Config{})
	setToken(t, app, token)
	get := func(path string, header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	for range 3 {
		get("/")
	}
	get("/no/such/page/")
	get("/api/health")
	body := get("/metrics", "Authorization", "Bearer "+token).Body.String()
	for _, want := range []string{
		`bungalow_http_requests_total{area="site",status="2xx"} 3`, `bungalow_http_requests_total{area="site",status="4xx"} 1`,
		`bungalow_http_requests_total{area="api",status="2xx"} 1`, `bungalow_http_request_duration_seconds_count{area="site"} 4`,
		`bungalow_http_request_duration_seconds_bucket{area="site",le="+Inf"} 4`, `bungalow_pages_total{from="memory"} 2`, `bungalow_jobs{state="failed"} 0`,
		`bungalow_database_bytes{file="data.db"} `, "bungalow_writes_commits_total ", "bungalow_cache_entries ",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is missing", want)
		}
	}
	seen := map[string]bool{}
	for _, l := range strings.Split(strings.TrimSuffix(body, "\n"), "\n") {
		if !line.MatchString(l) {
			t.Errorf("not of the format: %q", l)
		}
		if strings.HasPrefix(l, "# TYPE ") && seen[l] {
			t.Errorf("twice: %s", l)
		}
		seen[l] = true
	}
	if strings.Contains(body, "no/such") {
		t.Error("an address is shown")
	}
}
