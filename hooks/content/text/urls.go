package text

import (
	"net/url"
	"regexp"
	"strings"
)

var descriptor = regexp.MustCompile(`^[0-9]{1,6}(\.[0-9]{1,3})?[wx]$`)

// maxDataImage is the longest inline image in bytes; larger ones belong in media.
const maxDataImage = 512 << 10

func isDataImage(u *url.URL) bool {
	return dataImage.MatchString(u.String())
}

// tidyURL reads raw as a browser would (which drops tabs and line breaks inside
// an address, and controls around it) and mends stray spaces and percent signs.
// It returns nil where no address is left.
func tidyURL(raw string) *url.URL {
	raw = strings.TrimFunc(raw, func(r rune) bool { return r <= ' ' })
	raw = strings.NewReplacer("\t", "", "\n", "", "\r", "", " ", "%20").Replace(raw)
	u, err := url.Parse(raw)
	if err != nil {
		u, err = url.Parse(mendPercent(raw))
	}
	if err != nil || raw == "" {
		return nil
	}
	return u
}

func mendPercent(s string) string {
	hex := func(i int) bool {
		return i < len(s) && strings.IndexByte("0123456789abcdefABCDEF", s[i]) >= 0
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		b.WriteByte(s[i])
		if s[i] == '%' && !(hex(i+1) && hex(i+2)) {
			b.WriteString("25")
		}
	}
	return b.String()
}

// linkURL returns a safe address for a link, or "".
func linkURL(raw string) string {
	u := tidyURL(raw)
	if u == nil {
		return ""
	}
	switch u.Scheme {
	case "", "http", "https", "mailto", "tel":
		return u.String()
	}
	return ""
}

// fileURL returns a safe address for something that the page loads, or "".
func fileURL(raw string) string {
	u := tidyURL(raw)
	if u == nil || u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return u.String()
}

// imageURL is fileURL and, for images alone, base64 data of raster formats.
func imageURL(raw string) string {
	if len(raw) > 5 && strings.EqualFold(raw[:5], "data:") {
		compact := strings.Join(strings.Fields(raw), "")
		if len(compact) <= maxDataImage && dataImage.MatchString(compact) {
			return compact
		}
		return ""
	}
	return fileURL(raw)
}

// playableURL is fileURL without plain http, which the site's content security
// policy would refuse for audio and video.
func playableURL(raw string) string {
	u := fileURL(raw)
	if len(u) > 5 && strings.EqualFold(u[:5], "http:") {
		return ""
	}
	return u
}

// external says whether a link leaves the site by naming a host.
func external(href string) bool {
	u, err := url.Parse(href)
	return err == nil && u.Host != ""
}

// tidySrcset keeps the candidates whose address and descriptor are sound.
func tidySrcset(raw string) string {
	var kept []string
	rest := raw
	for len(kept) < 32 {
		rest = strings.TrimLeft(rest, " \t\n\r\f,")
		if rest == "" {
			break
		}
		end := strings.IndexAny(rest, " \t\n\r\f")
		if end < 0 {
			end = len(rest)
		}
		addr, size := rest[:end], ""
		rest = rest[end:]
		if bare := strings.TrimRight(addr, ","); bare != addr {
			addr = bare
		} else if i := strings.IndexByte(rest, ','); i >= 0 {
			size, rest = strings.TrimSpace(rest[:i]), rest[i+1:]
		} else {
			size, rest = strings.TrimSpace(rest), ""
		}
		u := fileURL(addr)
		if u == "" || strings.Contains(u, ",") || size != "" && !descriptor.MatchString(size) {
			continue
		}
		kept = append(kept, strings.TrimSpace(u+" "+size))
	}
	return strings.Join(kept, ", ")
}
