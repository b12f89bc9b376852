// Package safehttp makes the only HTTP client with which Bungalow calls the
// outside world, at addresses that strangers may have chosen.
//
// It promises that no request reaches a private, loopback, link-local,
// multicast or otherwise special address. The check is made on the address
// that is dialled, after the name was resolved, so neither a redirect nor a
// name that changes its answer (DNS rebinding) gets around it. Answers are
// bounded in size and time. It never uses a proxy from the environment, never
// keeps cookies, and never speaks anything but http and https.
package safehttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// Outcomes that a caller may tell apart with errors.Is.
var (
	// ErrRefused says that the address, scheme or port is not allowed.
	ErrRefused = errors.New("this address must not be called from here")
	// ErrTooLarge says that the answer is longer than Options.MaxBytes.
	ErrTooLarge = errors.New("the answer is larger than allowed")
	// ErrRedirects says that there were more than Options.Redirects.
	ErrRedirects = errors.New("the address redirects too often")
)

// Options bound a client. The zero value is the default of each.
type Options struct {
	// Timeout is for a request with its redirects and the reading of its
	// body (default 30 s).
	Timeout time.Duration
	// MaxBytes is the longest body after decompression (default 10 MiB).
	MaxBytes int64
	// Redirects is how many are followed (default 5; negative is none, the
	// redirect itself being the answer).
	Redirects int
	// Ports that may be called (default 80, 443, 8080, 8443).
	Ports []int
	// UserAgent is sent where a request has none (default "Bungalow").
	UserAgent string
	// AllowLoopback is for tests only: loopback addresses, at any port.
	AllowLoopback bool

	resolver *net.Resolver
}

func (o Options) withDefaults() Options {
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 10 << 20
	}
	if o.Redirects == 0 {
		o.Redirects = 5
	}
	if o.Ports == nil {
		o.Ports = []int{80, 443, 8080, 8443}
	}
	if o.UserAgent == "" {
		o.UserAgent = "Bungalow"
	}
	return o
}

// Client returns a client of its own connections; make one and keep it.
func Client(o Options) *http.Client {
	o = o.withDefaults()
	dialer := &net.Dialer{
		Timeout:  10 * time.Second,
		Resolver: o.resolver,
		ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
			return o.checkDial(address)
		},
	}
	transport := &http.Transport{
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  o.Timeout,
		MaxResponseHeaderBytes: 64 << 10,
		MaxIdleConns:           16,
		MaxIdleConnsPerHost:    2,
		IdleConnTimeout:        30 * time.Second,
	}
	return &http.Client{
		Transport: &guard{options: o, next: transport},
		Timeout:   o.Timeout,
		CheckRedirect: func(_ *http.Request, via []*http.Request) error {
			if o.Redirects < 0 {
				return http.ErrUseLastResponse
			}
			if len(via) > o.Redirects {
				return ErrRedirects
			}
			return nil
		},
	}
}

// checkDial judges the numeric address that is about to be dialled.
func (o Options) checkDial(address string) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", ErrRefused, address)
	}
	if o.AllowLoopback && ap.Addr().Unmap().IsLoopback() {
		return nil
	}
	if !Public(ap.Addr()) || !slices.Contains(o.Ports, int(ap.Port())) {
		return fmt.Errorf("%w: %s", ErrRefused, address)
	}
	return nil
}

// guard sees every request, those of redirects too.
type guard struct {
	options Options
	next    *http.Transport
}

// RoundTrip refuses what needs no dialling to be refused, and bounds the body.
func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := g.check(r); err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
	if r.Header.Get("User-Agent") == "" {
		r = r.Clone(r.Context())
		r.Header.Set("User-Agent", g.options.UserAgent)
	}
	res, err := g.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if res.ContentLength > g.options.MaxBytes && r.Method != http.MethodHead {
		_ = res.Body.Close()
		return nil, fmt.Errorf("%w: %d bytes", ErrTooLarge, res.ContentLength)
	}
	res.Body = &boundedBody{ReadCloser: res.Body, left: g.options.MaxBytes}
	return res, nil
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the transport.
func (g *guard) CloseIdleConnections() { g.next.CloseIdleConnections() }

func (g *guard) check(r *http.Request) error {
	if r.URL.Scheme != "http" && r.URL.Scheme != "https" {
		return fmt.Errorf("%w: scheme %q", ErrRefused, r.URL.Scheme)
	}
	if r.URL.User != nil {
		return fmt.Errorf("%w: it holds a name or password", ErrRefused)
	}
	host, port := r.URL.Hostname(), r.URL.Port()
	if host == "" {
		return fmt.Errorf("%w: it names no host", ErrRefused)
	}
	if port == "" || g.options.AllowLoopback { // the dial decides
		return nil
	}
	if n, err := strconv.Atoi(port); err != nil || !slices.Contains(g.options.Ports, n) {
		return fmt.Errorf("%w: port %s", ErrRefused, port)
	}
	return nil
}

// boundedBody fails instead of ending early: a cut file must not pass for a
// whole one.
type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, ErrTooLarge
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1] // one more, to see whether there is more
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		return n - 1, ErrTooLarge
	}
	return n, err
}
