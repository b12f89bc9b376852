package spam

import (
	"net/netip"
	"net/url"
	"strings"
)

// checkLinks counts links in the text, and looks for one in the name.
func checkLinks(v *Verdict, s Submission, o *prepared) {
	if n := len(hosts(s.Text)); n > o.MaxLinks {
		v.Add(LayerLinks, min(25*(n-o.MaxLinks), 75), "The text has %d links.", n)
	}
	if len(hosts(s.Author)) > 0 {
		v.Add(LayerLinks, HoldAt, "The name is a link.")
	}
	if strings.Contains(s.Text, "[url=") || strings.Contains(s.Text, "[link=") {
		v.Add(LayerLinks, HoldAt, "The text has links as only forums know them.")
	}
}

// blockList is the owner's list, sorted by what each line is.
type blockList struct {
	words    []string // folded, with a space at each end
	domains  []string
	mails    map[string]bool
	prefixes []netip.Prefix
}

// parseBlock takes each line for what it looks like. Lines that begin with #
// are notes.
func parseBlock(lines []string) blockList {
	b := blockList{mails: map[string]bool{}}
	for _, line := range lines {
		line = strings.ToLower(strings.TrimSpace(line))
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if p, err := netip.ParsePrefix(line); err == nil {
			b.prefixes = append(b.prefixes, p.Masked())
		} else if a, err := netip.ParseAddr(line); err == nil {
			b.prefixes = append(b.prefixes, netip.PrefixFrom(a.Unmap().WithZone(""), a.Unmap().BitLen()))
		} else if at := strings.LastIndexByte(line, '@'); at > 0 && !strings.Contains(line, " ") {
			b.mails[line] = true
		} else if d := cleanDomain(strings.TrimPrefix(line, "@")); isDomain(d) {
			b.domains = append(b.domains, d)
		} else if w := fold(line); w != "" {
			b.words = append(b.words, " "+w+" ")
		}
	}
	return b
}

// checkBlocked looks for what the owner blocks, and for throw-away mail.
func checkBlocked(v *Verdict, s Submission, o *prepared) {
	b := &o.block
	if ip, err := netip.ParseAddr(s.IP); err == nil {
		for _, p := range b.prefixes {
			if p.Contains(ip.Unmap().WithZone("")) {
				v.Add(LayerBlock, FileAt, "It came from a blocked address of the network.")
				break
			}
		}
	}
	email := strings.ToLower(strings.TrimSpace(s.Email))
	_, domain, _ := strings.Cut(email, "@")
	if b.mails[email] {
		v.Add(LayerBlock, FileAt, "The sender is blocked.")
	}
	found := append(hosts(s.Text), hosts(s.URL)...)
	found = append(found, domain)
	for _, d := range b.domains {
		if anyUnder(found, d) {
			v.Add(LayerBlock, FileAt, "The domain %s is blocked.", d)
		}
	}
	if len(b.words) > 0 {
		text := " " + fold(s.Author+" "+s.Text) + " "
		for _, w := range b.words {
			if strings.Contains(text, w) {
				v.Add(LayerBlock, FileAt, "The words “%s” are blocked.", strings.TrimSpace(w))
			}
		}
	}
	if domain != "" && disposable(domain, o.disposable) {
		v.Add(LayerDisposable, HoldAt, "The mail address is a throw-away one.")
	}
}

func anyUnder(found []string, domain string) bool {
	for _, h := range found {
		if h == domain || strings.HasSuffix(h, "."+domain) {
			return true
		}
	}
	return false
}

// cleanDomain is a domain as it is compared: lower case, without dots around.
func cleanDomain(s string) string {
	return strings.Trim(strings.ToLower(strings.TrimSpace(s)), ".")
}

func isDomain(s string) bool {
	if !strings.Contains(s, ".") || strings.ContainsAny(s, " /:@,") {
		return false
	}
	u, err := url.Parse("http://" + s + "/")
	return err == nil && u.Hostname() == s
}
