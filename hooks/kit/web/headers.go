package web

import "net/http"

// CSP is the content policy of every page that Bungalow renders. There is no
// inline style or script anywhere, so neither is allowed. Images may come from
// other hosts, because imported posts keep the addresses of theirs.
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https: http:; " +
	"font-src 'self'; connect-src 'self'; frame-src 'self'; media-src 'self' https:; manifest-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'self'"

const hsts = "max-age=31536000"

// Harden sets the security headers of a page of ours. HSTS (RFC 6797) is said
// only over TLS.
func Harden(h http.Header, tls bool) {
	HardenFile(h, tls)
	h.Set("Content-Security-Policy", CSP)
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}

// HardenFile sets the headers that are safe for files which the owner put on
// the site: his own pages may need scripts that our policy forbids.
func HardenFile(h http.Header, tls bool) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
	if tls {
		h.Set("Strict-Transport-Security", hsts)
	}
}
