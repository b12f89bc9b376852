package receive

import (
	"bufio"
	"bytes"
	"net/textproto"
	"regexp"
	"strings"

	"github.com/jhillyerd/enmime/v2"
)

// Bounce is what a report says of a mail that did not arrive.
type Bounce struct {
	MessageIDs []string // of the mails that came back
	Recipient  string
	Reason     string
	// Permanent is false where the server still tries.
	Permanent bool
}

var outOfOffice = regexp.MustCompile(`(?i)^(auto(matic)?[ -]?(reply|response)|out of (the )?office|abwesenheit|automatische antwort|réponse automatique|absence du bureau|respuesta automática|risposta automatica|automatisch antwoord|autosvar)\b`)

// classify says who or what wrote a mail (RFC 3834, RFC 3464, RFC 2369, RFC 2919).
func classify(env *enmime.Envelope) Kind {
	header := func(name string) string { return strings.ToLower(strings.TrimSpace(env.GetHeader(name))) }
	contentType := header("Content-Type")
	from := strings.ToLower(bareAddress(env.GetHeader("From")))
	local, _, _ := strings.Cut(from, "@")
	daemon := local == "mailer-daemon" || local == "postmaster" || strings.HasPrefix(local, "mailer-daemon")
	report := strings.HasPrefix(contentType, "multipart/report") && strings.Contains(contentType, "delivery-status")
	if report || daemon && (header("Return-Path") == "<>" || header("X-Failed-Recipients") != "" || header("Auto-Submitted") != "") {
		return Return
	}
	submitted, _, _ := strings.Cut(header("Auto-Submitted"), ";")
	submitted = strings.TrimSpace(submitted)
	precedence := header("Precedence")
	if header("List-Id") != "" || header("List-Post") != "" || header("List-Unsubscribe") != "" || precedence == "list" || header("Mailing-List") != "" {
		return List
	}
	switch {
	case submitted != "" && submitted != "no",
		precedence == "auto_reply", precedence == "bulk", precedence == "junk",
		header("X-Autoreply") != "" && header("X-Autoreply") != "no", header("X-Autorespond") != "", header("X-Auto-Reply") != "",
		header("X-Mail-Autoreply") != "", header("Delivered-To") == "autoresponder",
		daemon, header("Return-Path") == "<>", strings.HasPrefix(contentType, "multipart/report"),
		outOfOffice.MatchString(strings.TrimSpace(env.GetHeader("Subject"))):
		return Auto
	}
	return Person
}

var namedID = regexp.MustCompile(`(?im)^[\s>]*(?:x-)?(?:original-)?message-id:\s*(<[^<>\s]{1,250}>)`)

// readBounce reads a delivery status notification, or what an old server writes
// in its place.
func readBounce(env *enmime.Envelope, raw []byte) Bounce {
	b := Bounce{Permanent: true}
	for _, p := range env.Root.DepthMatchAll(func(p *enmime.Part) bool { return p.ContentType == "message/delivery-status" }) {
		readStatus(&b, p.Content)
	}
	if b.Recipient == "" {
		b.Recipient = bareAddress(env.GetHeader("X-Failed-Recipients"))
	}
	if b.Reason == "" {
		b.Reason = line(env.Text, 500)
	}
	body := raw[min(headerEnd(raw), len(raw)):]
	for _, match := range namedID.FindAllSubmatch(body[:min(len(body), 1<<20)], 10) {
		b.MessageIDs = append(b.MessageIDs, string(match[1]))
	}
	for _, id := range idPattern.FindAllString(env.GetHeader("In-Reply-To")+" "+env.GetHeader("References"), 20) {
		b.MessageIDs = append(b.MessageIDs, id)
	}
	return b
}

// readStatus reads the groups of fields of a notification (RFC 3464, section 2.1).
func readStatus(b *Bounce, content []byte) {
	r := textproto.NewReader(bufio.NewReader(bytes.NewReader(append(content, "\r\n\r\n"...))))
	for range 50 {
		fields, err := r.ReadMIMEHeader()
		if action := strings.ToLower(strings.TrimSpace(fields.Get("Action"))); action != "" {
			_, recipient, ok := strings.Cut(fields.Get("Final-Recipient"), ";")
			if ok {
				b.Recipient = line(recipient, 320)
			}
			b.Permanent = action == "failed"
			_, reason, ok := strings.Cut(fields.Get("Diagnostic-Code"), ";")
			if !ok {
				reason = fields.Get("Diagnostic-Code")
			}
			b.Reason = line(strings.TrimSpace(fields.Get("Status")+" "+reason), 500)
			if b.Permanent {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
