package safehttp

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

var addresses = map[string]bool{
	"93.184.216.34": true, "8.8.8.8": true, "1.1.1.1": true, "172.15.255.255": true, "172.32.0.0": true,
	"100.63.255.255": true, "100.128.0.0": true, "223.255.255.255": true, "169.253.1.1": true,
	"2606:4700:4700::1111": true, "2a00:1450:4001::1": true, "2001:200::1": true,
	"::ffff:8.8.8.8": true, "64:ff9b::808:808": true, "2002:808:808::1": true,

	"0.0.0.0": false, "0.1.2.3": false, "10.0.0.1": false, "100.64.0.1": false, "100.127.255.255": false,
	"127.0.0.1": false, "127.255.0.9": false, "169.254.169.254": false, "172.16.0.1": false, "172.31.255.255": false,
	"192.0.0.8": false, "192.0.2.1": false, "192.88.99.1": false, "192.168.1.1": false, "198.18.0.1": false,
	"198.51.100.1": false, "203.0.113.1": false, "224.0.0.1": false, "239.1.1.1": false, "240.0.0.1": false,
	"255.255.255.255": false,
	"::":              false, "::1": false, "::8.8.8.8": false, "fe80::1": false, "fec0::1": false, "fc00::1": false,
	"fd12:3456::1": false, "ff02::1": false, "2001::1": false, "2001:db8::1": false, "3fff::1": false,
	"100::1": false, "5f00::1": false, "2606:4700::1%eth0": false,
	"::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:169.254.169.254": false,
	"64:ff9b::7f00:1": false, "64:ff9b::a9fe:a9fe": false, "64:ff9b:1::808:808": false,
	"2002:7f00:1::1": false, "2002:c0a8:101::1": false, "2002:a00:1::": false,
}

func TestPublic(t *testing.T) {
	t.Parallel()
	for s, want := range addresses {
		if got := Public(netip.MustParseAddr(s)); got != want {
			t.Errorf("%s: public %v, want %v", s, got, want)
		}
	}
	if Public(netip.Addr{}) {
		t.Error("the zero address is public")
	}
}

func FuzzPublic(f *testing.F) {
	for s := range addresses {
		f.Add(netip.MustParseAddr(s).WithZone("").AsSlice())
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		addr, ok := netip.AddrFromSlice(raw)
		if !ok || !Public(addr) {
			return
		}
		a := addr.Unmap()
		if a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() {
			t.Fatalf("%s passes for public", addr)
		}
	})
}

func get(t *testing.T, c *http.Client, url string) (string, error) {
	t.Helper()
	res, err := c.Get(url)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return string(body), err
}

// Without AllowLoopback nothing of this reaches the server beside us.
func TestRefuses(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	client := Client(Options{})
	open := Client(Options{Ports: []int{server.Listener.Addr().(*net.TCPAddr).Port}})
	for url, c := range map[string]*http.Client{
		server.URL:                              client,
		server.URL + "/x":                       open,
		"http://localhost:" + port:              open,
		"http://[::ffff:127.0.0.1]:" + port:     open,
		"http://0.0.0.0:" + port:                open,
		"http://[::1]:" + port:                  open,
		"http://127.1:" + port:                  open,
		"http://2130706433:" + port:             open,
		"http://169.254.169.254/latest":         client,
		"http://[64:ff9b::7f00:1]/":             client,
		"http://93.184.216.34:22/":              client,
		"ftp://93.184.216.34/":                  client,
		"file:///etc/passwd":                    client,
		"http://user:password@93.184.216.34/":   client,
		"http:///nothing":                       client,
		"http://127.0.0.1:8080@127.0.0.1:8080/": client,
	} {
		_, err := get(t, c, url)
		if err == nil {
			t.Errorf("%s was called", url)
			continue
		}
		var dns *net.DNSError // an odd spelling of a number may also be an unknown name
		if !errors.Is(err, ErrRefused) && !errors.As(err, &dns) && !strings.Contains(err.Error(), "no Host") {
			t.Errorf("%s: %v", url, err)
		}
	}
	if n := calls.Load(); n != 0 {
		t.Fatalf("the server was reached %d times", n)
	}
}

// A name that answers a public address to whoever asks first and the loopback
// to us must not get through.
func TestRebinding(t *testing.T) {
	t.Parallel()
	var calls, questions atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	t.Cleanup(server.Close)
	resolver := fakeDNS(t, func() [4]byte {
		if questions.Add(1) == 1 {
			return [4]byte{93, 184, 216, 34}
		}
		return [4]byte{127, 0, 0, 1}
	})
	first, err := resolver.LookupNetIP(t.Context(), "ip4", "rebind.test.")
	if err != nil || len(first) != 1 || !Public(first[0]) {
		t.Fatalf("the first answer is %v, %v", first, err)
	}
	port := server.Listener.Addr().(*net.TCPAddr).Port
	c := Client(Options{Ports: []int{port}, resolver: resolver})
	if _, err := get(t, c, fmt.Sprintf("http://rebind.test.:%d/", port)); !errors.Is(err, ErrRefused) {
		t.Fatalf("the second answer: %v", err)
	}
	if questions.Load() < 2 || calls.Load() != 0 {
		t.Fatalf("%d questions, %d calls", questions.Load(), calls.Load())
	}
}

// fakeDNS returns a resolver that knows one address for every name.
func fakeDNS(t *testing.T, answer func() [4]byte) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			q := m.Questions[0]
			m.Header.Response = true
			m.Additionals = nil
			if q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
					Body:   &dnsmessage.AResource{A: answer()},
				}}
			}
			if out, err := m.Pack(); err == nil {
				_, _ = pc.WriteTo(out, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mux.Handle("/loop", http.RedirectHandler("/loop", http.StatusFound))
	mux.Handle("/inside", http.RedirectHandler("http://169.254.169.254/latest/meta-data/", http.StatusFound))
	mux.Handle("/file", http.RedirectHandler("file:///etc/passwd", http.StatusFound))
	mux.Handle("/once", http.RedirectHandler("/end", http.StatusFound))
	mux.HandleFunc("/end", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "end") })

	c := Client(Options{AllowLoopback: true})
	for path, want := range map[string]error{"/loop": ErrRedirects, "/inside": ErrRefused, "/file": ErrRefused} {
		if _, err := get(t, c, server.URL+path); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
	if body, err := get(t, c, server.URL+"/once"); err != nil || body != "end" {
		t.Errorf("/once: %q, %v", body, err)
	}
	res, err := Client(Options{AllowLoopback: true, Redirects: -1}).Get(server.URL + "/once")
	if err != nil || res.StatusCode != http.StatusFound {
		t.Fatalf("not following: %v, %v", res, err)
	}
	_ = res.Body.Close()
}

func TestBodyIsBounded(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	body := func(n int) []byte { return bytes.Repeat([]byte("x"), n) }
	mux.HandleFunc("/exact", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body(1000)) })
	mux.HandleFunc("/announced", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body(1001)) })
	mux.HandleFunc("/chunked", func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush()
		_, _ = w.Write(body(5000))
	})
	mux.HandleFunc("/bomb", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = z.Write(body(1 << 20))
		_ = z.Close()
	})
	c := Client(Options{AllowLoopback: true, MaxBytes: 1000})
	if got, err := get(t, c, server.URL+"/exact"); err != nil || len(got) != 1000 {
		t.Errorf("/exact: %d bytes, %v", len(got), err)
	}
	for _, path := range []string{"/announced", "/chunked", "/bomb"} {
		if got, err := get(t, c, server.URL+path); !errors.Is(err, ErrTooLarge) || len(got) > 1000 {
			t.Errorf("%s: %d bytes, %v", path, len(got), err)
		}
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	end := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-end }))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(end) })
	_, err := get(t, Client(Options{AllowLoopback: true, Timeout: 20 * time.Millisecond}), server.URL)
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Fatalf("%v", err)
	}
}

func TestSendsNoCookiesAndAName(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "track", Value: "1"})
		_, _ = fmt.Fprintf(w, "%s|%s", r.Header.Get("Cookie"), r.UserAgent())
	}))
	t.Cleanup(server.Close)
	c := Client(Options{AllowLoopback: true})
	for range 2 {
		if body, err := get(t, c, server.URL); err != nil || body != "|Bungalow" {
			t.Fatalf("%q, %v", body, err)
		}
	}
}

func TestIgnoresProxyEnvironment(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	if g := Client(Options{}).Transport.(*guard); g.next.Proxy != nil {
		t.Fatal("a proxy is used")
	}
}
