// Package receive reads mail as it comes from the network: what was written,
// what was only repeated, what is attached, and whether a person sent it.
//
// It promises an answer for every input, in bounded time and memory: what can't
// be understood is kept as an attachment, what is too much is left out and said
// so. It never executes, unpacks or fetches anything, and the HTML that it gives
// holds no script, no style and no form.
package receive

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/mail"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/jhillyerd/enmime/v2"
)

// Limits of one mail. What is beyond them is left out, and Left says so.
const (
	MaxFiles   = 20
	MaxFile    = 20 << 20 // bytes of one attachment
	MaxText    = 200_000  // characters
	maxHTML    = 800_000  // characters
	maxParts   = 300      // MIME parts
	maxNested  = 30       // multiparts within one mail
	maxHeader  = 256 << 10
	maxPeople  = 100
	maxRefs    = 200
	maxSubject = 300
)

// Kind says who or what wrote a mail.
type Kind string

// The kinds of mail.
const (
	Person Kind = "mail"
	Auto   Kind = "auto"   // an automatic answer (RFC 3834)
	List   Kind = "list"   // a mailing list or newsletter
	Return Kind = "bounce" // a report that a mail was not delivered (RFC 3464)
)

// File is one attachment.
type File struct {
	Name string
	Type string // as its sender says; not to be trusted
	CID  string // Content-ID of a picture within the HTML
	Data []byte
}

// Mail is what was read.
type Mail struct {
	MessageID  string   // with its angle brackets, "" where there is none
	InReplyTo  []string // Message-IDs
	References []string
	From       mail.Address
	To, Cc     []mail.Address
	// Recipients are further addresses at which it was delivered, by its headers.
	Recipients []string
	Subject    string
	Date       string // as written
	Text       string // what the sender wrote
	Quoted     string // what the sender's program repeated
	HTML       string // sanitised; links open elsewhere, remote pictures are still named
	Files      []File
	Left       []string // sentences: what was left out, and why
	Kind       Kind
	Spam       bool // a filter on the way said so
	Bounce     Bounce
	// Hash is the same for the same content, whatever way it came.
	Hash string
}

var idPattern = regexp.MustCompile(`<[^<>\s]{1,250}>`)

// Parse reads a mail.
func Parse(raw []byte) (m *Mail) {
	defer func() {
		if r := recover(); r != nil { // a fault of the parser is no reason to lose a mail
			m = unreadable(raw, "its structure could not be read")
		}
	}()
	if why := tooMuch(raw); why != "" {
		return unreadable(raw, why)
	}
	parser := enmime.NewParser(enmime.SkipMalformedParts(true), enmime.MultipartWOBoundaryAsSinglePart(true), enmime.MaxStoredPartErrors(20),
		enmime.DisableTextConversion(true), enmime.SetReadPartErrorPolicy(enmime.AllowCorruptTextPartErrorPolicy))
	env, err := parser.ReadEnvelope(bytes.NewReader(raw))
	if err != nil || env.Root == nil {
		return unreadable(raw, "its structure could not be read")
	}
	m = &Mail{Date: line(env.GetHeader("Date"), 100), Subject: line(env.GetHeader("Subject"), maxSubject)}
	readPeople(m, env)
	readIDs(m, env)
	readBody(m, env)
	m.Kind = classify(env)
	if m.Kind == Return {
		m.Bounce = readBounce(env, raw)
	}
	m.Spam = strings.HasPrefix(strings.ToUpper(strings.TrimSpace(env.GetHeader("X-Spam-Flag"))), "YES")
	m.Hash = m.hash()
	return m
}

// tooMuch says why a mail is not even tried: a MIME bomb costs more to parse
// than it can be worth.
func tooMuch(raw []byte) string {
	lower := bytes.ToLower(raw)
	if bytes.Count(lower, []byte("boundary=")) > maxNested {
		return "it has too many parts within parts"
	}
	if bytes.Count(lower, []byte("\ncontent-type:")) > maxParts {
		return "it has too many parts"
	}
	if end := headerEnd(raw); end > maxHeader {
		return "its header is too long"
	}
	return ""
}

func headerEnd(raw []byte) int {
	end := len(raw)
	for _, gap := range []string{"\r\n\r\n", "\n\n"} {
		if i := bytes.Index(raw, []byte(gap)); i >= 0 {
			end = min(end, i)
		}
	}
	return end
}

// unreadable keeps a mail that can't be parsed as an attachment.
func unreadable(raw []byte, why string) *Mail {
	head := string(raw[:min(headerEnd(raw), maxHeader)])
	m := &Mail{
		Kind: Person, Subject: line(field(head, "Subject"), maxSubject), MessageID: idPattern.FindString(field(head, "Message-ID")),
		Text: "This mail could not be read because " + why + ". It is attached as it came.", Date: line(field(head, "Date"), 100),
	}
	m.From.Address = bareAddress(field(head, "From"))
	if len(raw) <= MaxFile {
		m.Files = []File{{Name: "mail.eml", Type: "message/rfc822", Data: raw}}
	} else {
		m.Left = append(m.Left, "The mail is too large to be kept.")
	}
	sum := sha256.Sum256(raw)
	m.Hash = hex.EncodeToString(sum[:])
	return m
}

// field finds a header field without a parser.
func field(head, name string) string {
	for l := range strings.SplitSeq(head, "\n") {
		key, value, ok := strings.Cut(l, ":")
		if ok && strings.EqualFold(strings.TrimSpace(key), name) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

var addressPattern = regexp.MustCompile(`[^\s<>"',;:()\[\]]{1,64}@[^\s<>"',;:()\[\]@]{1,250}`)

func bareAddress(s string) string { return addressPattern.FindString(s) }

func readPeople(m *Mail, env *enmime.Envelope) {
	from, _ := env.AddressList("From") // broken ones are searched below
	if len(from) > 0 {
		m.From = mail.Address{Name: line(from[0].Name, 200), Address: line(from[0].Address, 320)}
	} else {
		m.From.Address = bareAddress(env.GetHeader("From"))
	}
	for name, into := range map[string]*[]mail.Address{"To": &m.To, "Cc": &m.Cc} {
		list, _ := env.AddressList(name) // a broken list names nobody
		for _, a := range list[:min(len(list), maxPeople)] {
			*into = append(*into, mail.Address{Name: line(a.Name, 200), Address: line(a.Address, 320)})
		}
	}
	for _, name := range []string{"Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To", "Cc"} {
		for _, value := range env.GetHeaderValues(name) {
			m.Recipients = append(m.Recipients, addressPattern.FindAllString(value, maxPeople)...)
		}
	}
	m.Recipients = m.Recipients[:min(len(m.Recipients), 2*maxPeople)]
}

func readIDs(m *Mail, env *enmime.Envelope) {
	m.MessageID = idPattern.FindString(env.GetHeader("Message-ID"))
	if bare := strings.Fields(env.GetHeader("Message-ID")); m.MessageID == "" && len(bare) == 1 && strings.Contains(bare[0], "@") && len(bare[0]) < 250 {
		m.MessageID = "<" + strings.Trim(bare[0], "<>") + ">"
	}
	m.InReplyTo = idPattern.FindAllString(env.GetHeader("In-Reply-To"), 10)
	m.References = idPattern.FindAllString(env.GetHeader("References"), -1)
	if n := len(m.References); n > maxRefs {
		m.References = append(m.References[:maxRefs/2:maxRefs/2], m.References[n-maxRefs/2:]...)
	}
}

// hash is made of what every way of delivery leaves alone. White space and the
// transport's own header fields are not.
func (m *Mail) hash() string {
	h := sha256.New()
	bare := func(s string) {
		for _, r := range s {
			if !unicode.IsSpace(r) {
				fmt.Fprintf(h, "%c", r)
			}
		}
		h.Write([]byte{0})
	}
	bare(strings.ToLower(m.From.Address))
	bare(m.Date)
	bare(m.Subject)
	bare(m.Text)
	bare(m.Quoted)
	if m.Text == "" {
		bare(m.HTML)
	}
	for _, f := range m.Files {
		bare(f.Name)
		sum := sha256.Sum256(f.Data)
		h.Write(sum[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Written is when the mail was written by its sender's clock, zero where that
// can't be read.
func (m *Mail) Written() time.Time {
	t, err := mail.ParseDate(m.Date)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// line makes a text fit for one line of at most n characters.
func line(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return cut(strings.Join(strings.Fields(s), " "), n)
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
