package mail

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"
)

// Resolver is what CheckDNS asks; *net.Resolver is one.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
}

// dnsTime is how long all questions together may take.
const dnsTime = 8 * time.Second

// Finding is what the DNS says of one part of a domain's mail.
type Finding struct {
	Name string // "SPF", "DKIM", "DMARC" or "MX"
	OK   bool
	// Found is the record as it stands, "" where there is none.
	Found string
	// Text says what is missing, or what it means that all is well.
	Text string
	// Record and Value are what to enter in the DNS, where that is known.
	Record, Value string
}

// CheckDNS asks the DNS whether mail of a domain will be believed: SPF (RFC
// 7208), DKIM with the site's key, nil for none (RFC 6376), DMARC (RFC 7489),
// and where mail to the domain goes.
func CheckDNS(ctx context.Context, r Resolver, domain string, key *Signing) []Finding {
	ctx, cancel := context.WithTimeout(ctx, dnsTime)
	defer cancel()
	return []Finding{checkSPF(ctx, r, domain), checkDKIM(ctx, r, key), checkDMARC(ctx, r, domain), checkMX(ctx, r, domain)}
}

// lookup gives the TXT records of a name that begin with a mark.
func lookup(ctx context.Context, r Resolver, name, mark string) (found []string, failed bool) {
	records, err := r.LookupTXT(ctx, name)
	var missing *net.DNSError
	if err != nil && !(errors.As(err, &missing) && missing.IsNotFound) {
		return nil, true
	}
	for _, record := range records {
		if strings.HasPrefix(strings.ToLower(strings.ReplaceAll(record, " ", "")), mark) {
			found = append(found, record)
		}
	}
	return found, false
}

const unanswered = "The DNS did not answer. Try again in a minute."

func checkSPF(ctx context.Context, r Resolver, domain string) Finding {
	f := Finding{Name: "SPF", Record: domain}
	found, failed := lookup(ctx, r, domain, "v=spf1")
	switch {
	case failed:
		f.Text = unanswered
	case len(found) == 0:
		f.Value = "v=spf1 mx ~all"
		f.Text = "Nothing says which servers may send for this domain. Your mail provider names what to enter; if the server of your MX record sends, enter the value below."
	case len(found) > 1:
		f.Found = strings.Join(found, " | ")
		f.Text = "There are two SPF records, which counts as none. Put both into one."
	case strings.Contains(found[0], "+all"):
		f.Found, f.Text = found[0], "The record lets every server of the world send for this domain. End it with ~all or -all."
	default:
		f.Found, f.OK, f.Text = found[0], true, "The domain says which servers may send. Make sure that yours is among them."
	}
	return f
}

func checkDKIM(ctx context.Context, r Resolver, key *Signing) Finding {
	f := Finding{Name: "DKIM"}
	if key == nil {
		f.Text = "Mails are not signed here. Where your provider signs them, all is well; otherwise make a key."
		return f
	}
	name, want, err := key.Record()
	if err != nil {
		f.Text = "The key can't be read."
		return f
	}
	f.Record = name
	found, failed := lookup(ctx, r, name, "v=dkim1")
	bare := func(s string) string { return strings.ReplaceAll(s, " ", "") }
	switch {
	case failed:
		f.Text = unanswered
	case len(found) == 0:
		f.Value, f.Text = want, "Mails are signed, but the DNS does not have the key to check that with. Enter it."
	case bare(found[0]) != bare(want):
		f.Found, f.Value, f.Text = found[0], want, "The DNS has another key than this site, so every signature is wrong. Enter this one."
	default:
		f.Found, f.OK, f.Text = found[0], true, "Mails are signed, and everybody can check it."
	}
	return f
}

func checkDMARC(ctx context.Context, r Resolver, domain string) Finding {
	f := Finding{Name: "DMARC", Record: "_dmarc." + domain}
	found, failed := lookup(ctx, r, f.Record, "v=dmarc1")
	switch {
	case failed:
		f.Text = unanswered
	case len(found) == 0:
		f.Value = "v=DMARC1; p=none; rua=mailto:postmaster@" + domain
		f.Text = "Nothing says what to do with forged mail. Some large providers take mail only from domains with such a record."
	case len(found) > 1:
		f.Found, f.Text = strings.Join(found, " | "), "There are two DMARC records, which counts as none. Keep one."
	default:
		f.Found, f.OK, f.Text = found[0], true, "The domain says what to do with forged mail."
		if strings.Contains(strings.ReplaceAll(strings.ToLower(found[0]), " ", ""), "p=none") {
			f.Text = "The domain asks for reports and lets forged mail pass. When SPF and DKIM are well, p=quarantine is stronger."
		}
	}
	return f
}

func checkMX(ctx context.Context, r Resolver, domain string) Finding {
	f := Finding{Name: "MX", Record: domain}
	servers, err := r.LookupMX(ctx, domain)
	var missing *net.DNSError
	switch {
	case err != nil && !(errors.As(err, &missing) && missing.IsNotFound) && len(servers) == 0:
		f.Text = unanswered
	case len(servers) == 0 || len(servers) == 1 && servers[0].Host == ".":
		f.Text = "Mail to this domain goes nowhere, so visitors can't answer. Enter an MX record with the name of your mail server."
	default:
		names := make([]string, len(servers))
		for i, s := range servers {
			names[i] = strings.TrimSuffix(s.Host, ".")
		}
		f.Found, f.OK, f.Text = strings.Join(names, ", "), true, "Mail to this domain goes to these servers."
	}
	return f
}
