package mail

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/mail"
	"net/textproto"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/tools/mailer"
)

// ours are the header fields that a message's own Headers can't set.
var ours = []string{
	"From", "To", "Cc", "Bcc", "Subject", "Mime-Version", "Content-Type", "Content-Transfer-Encoding",
}

// compose writes m as a complete message (RFC 5322, MIME). Header fields that
// are no valid names are left out, and every value is one line. With withBcc the
// hidden recipients are listed, which is for a copy that goes to nobody.
func compose(m *mailer.Message, now time.Time, withBcc bool) ([]byte, error) {
	var out bytes.Buffer
	head := func(name, value string) { fmt.Fprintf(&out, "%s: %s\r\n", name, value) }
	headers := headersOf(m)
	head("Date", cmp.Or(headers["Date"], now.Format(time.RFC1123Z)))
	head("From", addressList([]mail.Address{m.From}))
	for _, to := range []struct {
		name string
		list []mail.Address
	}{{"To", m.To}, {"Cc", m.Cc}, {"Bcc", m.Bcc}} {
		if len(to.list) > 0 && (to.name != "Bcc" || withBcc) {
			head(to.name, addressList(to.list))
		}
	}
	head("Subject", mime.QEncoding.Encode("utf-8", cleanLine(m.Subject)))
	head("Message-ID", cmp.Or(headers["Message-Id"], messageID("", "", m.From.Address)))
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		if name != "Date" && name != "Message-Id" {
			head(name, mime.QEncoding.Encode("utf-8", headers[name]))
		}
	}
	head("MIME-Version", "1.0")
	if err := composeBody(&out, m); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// headersOf returns the message's own headers by canonical name.
func headersOf(m *mailer.Message) map[string]string {
	out := map[string]string{}
	for name, value := range m.Headers {
		valid := name != "" && !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ':' })
		name = textproto.CanonicalMIMEHeaderKey(name)
		if value = oneLine(value); valid && value != "" && !slices.Contains(ours, name) {
			out[name] = value
		}
	}
	return out
}

// oneLine turns every control character into a space, and leaves the rest.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s))
}

func addressList(list []mail.Address) string {
	parts := make([]string, len(list))
	for i, a := range list {
		// PocketBase's own mails come unchecked.
		safe := mail.Address{Name: cleanLine(a.Name), Address: strings.ReplaceAll(oneLine(a.Address), " ", "")}
		parts[i] = safe.String()
	}
	return strings.Join(parts, ",\r\n ")
}

func composeBody(out *bytes.Buffer, m *mailer.Message) error {
	if len(m.Attachments)+len(m.InlineAttachments) == 0 {
		return composeText(out, m)
	}
	mixed := multipart.NewWriter(out)
	fmt.Fprintf(out, "Content-Type: multipart/mixed; boundary=%q\r\n\r\n", mixed.Boundary())
	var text bytes.Buffer
	if err := composeText(&text, m); err != nil {
		return err
	}
	// composeText begins with its own header fields, so it is a whole part.
	fmt.Fprintf(out, "--%s\r\n%s", mixed.Boundary(), text.Bytes())
	for _, group := range []struct {
		disposition string
		files       map[string]io.Reader
	}{{"inline", m.InlineAttachments}, {"attachment", m.Attachments}} {
		for _, name := range slices.Sorted(maps.Keys(group.files)) {
			out.WriteString("\r\n")
			if err := attach(out, mixed.Boundary(), group.disposition, name, group.files[name]); err != nil {
				return fmt.Errorf("attach %s: %w", name, err)
			}
		}
	}
	fmt.Fprintf(out, "\r\n--%s--\r\n", mixed.Boundary())
	return nil
}

// composeText writes the text and the HTML as alternatives, or the only one.
func composeText(out *bytes.Buffer, m *mailer.Message) error {
	switch {
	case m.HTML == "":
		fmt.Fprint(out, "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")
		return quote(out, m.Text)
	case m.Text == "":
		fmt.Fprint(out, "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")
		return quote(out, m.HTML)
	}
	alternative := multipart.NewWriter(out)
	fmt.Fprintf(out, "Content-Type: multipart/alternative; boundary=%q\r\n\r\n", alternative.Boundary())
	for _, part := range [][2]string{{"text/plain", m.Text}, {"text/html", m.HTML}} {
		w, err := alternative.CreatePart(textproto.MIMEHeader{
			"Content-Type":              {part[0] + "; charset=utf-8"},
			"Content-Transfer-Encoding": {"quoted-printable"},
		})
		if err != nil {
			return err
		}
		if err := quote(w, part[1]); err != nil {
			return err
		}
	}
	return alternative.Close()
}

func quote(w io.Writer, text string) error {
	q := quotedprintable.NewWriter(w)
	if _, err := io.WriteString(q, text); err != nil {
		return err
	}
	return q.Close()
}

func attach(out *bytes.Buffer, boundary, disposition, name string, r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	kind := cmp.Or(mime.TypeByExtension(path.Ext(name)), http.DetectContentType(data))
	file := mime.FormatMediaType(disposition, map[string]string{"filename": cleanLine(name)})
	fmt.Fprintf(out, "--%s\r\nContent-Type: %s\r\nContent-Disposition: %s\r\nContent-Transfer-Encoding: base64\r\n",
		boundary, oneLine(kind), cmp.Or(file, disposition))
	if disposition == "inline" {
		fmt.Fprintf(out, "Content-ID: <%s>\r\n", strings.Trim(strings.ReplaceAll(oneLine(name), " ", ""), "<>"))
	}
	out.WriteString("\r\n")
	const line = 57 // bytes that make 76 characters
	for chunk := range slices.Chunk(data, line) {
		out.WriteString(base64.StdEncoding.EncodeToString(chunk))
		out.WriteString("\r\n")
	}
	return nil
}
