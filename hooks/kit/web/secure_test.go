package web_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"

	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
)

// settingsApp is an app of which only the settings are asked.
type settingsApp struct {
	core.App
	settings *core.Settings
}

func (a settingsApp) Settings() *core.Settings { return a.settings }

func TestWhoseWordAboutTLSCounts(t *testing.T) {
	t.Parallel()
	trusting := []string{"X-Forwarded-For"}
	for name, c := range map[string]struct {
		trust  []string
		remote string
		header []string
		tls    bool
		want   bool
	}{
		"plain":                   {trusting, "127.0.0.1:1", nil, false, false},
		"TLS here":                {nil, "203.0.113.5:1", nil, true, true},
		"a trusted proxy":         {trusting, "127.0.0.1:1", []string{"X-Forwarded-For", "203.0.113.5", "X-Forwarded-Proto", "https"}, false, true},
		"one in a network":        {trusting, "[fd00::2]:1", []string{"X-Forwarded-For", "203.0.113.5", "X-Forwarded-Proto", "HTTPS"}, false, true},
		"two proxies":             {trusting, "10.0.0.2:1", []string{"X-Forwarded-For", "203.0.113.5", "X-Forwarded-Proto", "http, https"}, false, true},
		"the nearest says http":   {trusting, "10.0.0.2:1", []string{"X-Forwarded-For", "203.0.113.5", "X-Forwarded-Proto", "https, http"}, false, false},
		"nobody is trusted":       {nil, "127.0.0.1:1", []string{"X-Forwarded-For", "203.0.113.5", "X-Forwarded-Proto", "https"}, false, false},
		"a client past the proxy": {trusting, "127.0.0.1:1", []string{"X-Forwarded-Proto", "https"}, false, false},
		"a client from afar":      {trusting, "203.0.113.5:1", []string{"X-Forwarded-For", "1.2.3.4", "X-Forwarded-Proto", "https"}, false, false},
		"no address at all":       {trusting, "@", []string{"X-Forwarded-For", "1.2.3.4", "X-Forwarded-Proto", "https"}, false, false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.remote
		if c.tls {
			r.TLS = &tls.ConnectionState{}
		}
		for i := 0; i+1 < len(c.header); i += 2 {
			r.Header.Set(c.header[i], c.header[i+1])
		}
		e := event(r)
		s := &core.Settings{}
		s.TrustedProxy.Headers = c.trust
		e.App = settingsApp{settings: s}
		if got := web.Secure(e); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
