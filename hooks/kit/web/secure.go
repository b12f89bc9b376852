package web

import (
	"net/netip"
	"strings"

	"github.com/pocketbase/pocketbase/core"
)

// Secure reports whether the visitor's connection is encrypted: here, or at the
// proxy in front. The proxy's X-Forwarded-Proto counts only where the owner
// told PocketBase to trust a proxy's header, the request carries that header,
// and it comes from this machine or a private network; anybody else could
// claim anything.
func Secure(e *core.RequestEvent) bool {
	if e.Request.TLS != nil {
		return true
	}
	proto := e.Request.Header.Values("X-Forwarded-Proto")
	if len(proto) == 0 || !fromProxy(e) {
		return false
	}
	// The last value is that of the proxy nearest to us.
	last := proto[len(proto)-1]
	last = last[strings.LastIndexByte(last, ',')+1:]
	return strings.EqualFold(strings.TrimSpace(last), "https")
}

func fromProxy(e *core.RequestEvent) bool {
	remote, err := netip.ParseAddr(e.RemoteIP())
	if err != nil {
		return false
	}
	if remote = remote.Unmap(); !remote.IsLoopback() && !remote.IsPrivate() && !remote.IsLinkLocalUnicast() {
		return false
	}
	for _, header := range e.App.Settings().TrustedProxy.Headers {
		if e.Request.Header.Get(header) != "" {
			return true
		}
	}
	return false
}
