package receive_test

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"bungalow/hooks/inbox/receive"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
)

func crlf(lines ...string) string { return strings.Join(lines, "\r\n") + "\r\n" }

func mailWith(header, body string) []byte {
	return []byte("From: Ann <ann@example.com>\r\nTo: hello@haus.example\r\nMessage-ID: <1@example.com>\r\nDate: Mon, 2 Feb 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n" + header + "\r\n" + body)
}

func encode(t *testing.T, s string, f func(string) (string, error)) string {
	t.Helper()
	out, err := f(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTextInEveryEncoding(t *testing.T) {
	t.Parallel()
	jis := encode(t, "こんにちは、世界。お問い合わせありがとうございます。", japanese.ISO2022JP.NewEncoder().String)
	windows := encode(t, "Grüße – „zitiert“ für 5 €", charmap.Windows1252.NewEncoder().String)
	koi := encode(t, "Здравствуйте, когда вы открыты?", charmap.KOI8R.NewEncoder().String)
	for name, test := range map[string]struct {
		raw           []byte
		text, subject string
	}{
		"iso-2022-jp":  {mailWith("Subject: =?ISO-2022-JP?B?"+base64.StdEncoding.EncodeToString([]byte(encode(t, "件名", japanese.ISO2022JP.NewEncoder().String)))+"?=\r\nContent-Type: text/plain; charset=ISO-2022-JP\r\n", jis), "こんにちは、世界。お問い合わせありがとうございます。", "件名"},
		"windows-1252": {mailWith("Subject: =?windows-1252?Q?Gr=FC=DFe?=\r\nContent-Type: text/plain; charset=windows-1252\r\nContent-Transfer-Encoding: 8bit\r\n", windows), "Grüße – „zitiert“ für 5 €", "Grüße"},
		"koi8-r":       {mailWith("Subject: x\r\nContent-Type: text/plain; charset=koi8-r\r\nContent-Transfer-Encoding: base64\r\n", base64.StdEncoding.EncodeToString([]byte(koi))), "Здравствуйте, когда вы открыты?", "x"},
		"quoted":       {mailWith("Subject: =?utf-8?q?two?= =?utf-8?q?_words?=\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n", "K=C3=A4se und=\r\n Brot"), "Käse und Brot", "two words"},
		"no header":    {[]byte("From: ann@example.com\r\n\r\njust text"), "just text", ""},
		"unknown":      {mailWith("Subject: x\r\nContent-Type: text/plain; charset=x-nonsense\r\n", "plain"), "plain", "x"},
	} {
		m := receive.Parse(test.raw)
		if m.Text != test.text || m.Subject != test.subject {
			t.Errorf("%s: %q %q, want %q %q", name, m.Text, m.Subject, test.text, test.subject)
		}
	}
}

func multi(kind string, parts ...string) []byte {
	body := ""
	for _, p := range parts {
		body += "--b\r\n" + p + "\r\n"
	}
	return mailWith("Subject: x\r\nContent-Type: multipart/"+kind+"; boundary=b\r\n", body+"--b--\r\n")
}

func TestAttachments(t *testing.T) {
	t.Parallel()
	m := receive.Parse(multi("mixed",
		crlf("Content-Type: text/plain", "", "See the file."),
		crlf("Content-Type: application/pdf", "Content-Disposition: attachment; filename*0*=utf-8''Angebot%20f%C3%BCr; filename*1*=%20K%C3%A4se.pdf", "Content-Transfer-Encoding: base64", "", "JVBERi0="),
		crlf("Content-Type: application/octet-stream; name=\"=?utf-8?q?=C3=A4.bin?=\"", "Content-Disposition: attachment", "", "x"),
		crlf("Content-Type: text/html", "Content-Disposition: attachment; filename=\"../../etc/pass\x01wd<>.html\"", "", "<script>alert(1)</script>"),
		crlf("Content-Type: image/png", "Content-ID: <pic@x>", "Content-Disposition: inline", "", "png"),
		crlf("Content-Type: message/rfc822", "", "From: bob@example.com\r\nSubject: forwarded\r\n\r\ninner"),
	))
	var names []string
	for _, f := range m.Files {
		names = append(names, f.Name+"|"+f.CID)
	}
	got := strings.Join(names, " ")
	for _, want := range []string{"Angebot für Käse.pdf|", "ä.bin|", ".html|", ".png|pic@x", ".eml|"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in %s", want, got)
		}
	}
	if strings.Contains(got, "..") || strings.Contains(got, "/") || strings.ContainsAny(got, "<>\x01") || m.Text != "See the file." {
		t.Errorf("%s, text %q", got, m.Text)
	}
	many := make([]string, 30)
	for i := range many {
		many[i] = crlf("Content-Type: application/x", fmt.Sprintf("Content-Disposition: attachment; filename=f%d", i), "", "x")
	}
	if m := receive.Parse(multi("mixed", many...)); len(m.Files) != receive.MaxFiles || len(m.Left) != 1 {
		t.Errorf("%d files, %v", len(m.Files), m.Left)
	}
}

func TestHTML(t *testing.T) {
	t.Parallel()
	m := receive.Parse(mailWith("Subject: x\r\nContent-Type: text/html; charset=utf-8\r\n", `<html><head><style>p{color:red}</style><title>no</title></head><body onload="x()">
		<p style="position:fixed">Hello <b>you</b><script>alert(1)</script></p><img src="https://tracker.example/x.gif" onerror="x()"><img src="cid:pic@x">
		<a href="javascript:alert(1)">bad</a> <a href="https://good.example/">good</a><form action="/desk/"><input name="a"></form><iframe src="https://x"></iframe>
		<div class="gmail_quote">On Mon, 2 Feb 2026 at 10:00, Haus &lt;hello@haus.example&gt; wrote:<blockquote><p>When?</p></blockquote></div></body></html>`))
	for _, bad := range []string{"script", "style", "onload", "onerror", "javascript", "<form", "<input", "iframe", "class="} {
		if strings.Contains(strings.ToLower(m.HTML), bad) {
			t.Errorf("%s is left in %s", bad, m.HTML)
		}
	}
	for _, good := range []string{"<b>you</b>", `src="cid:pic@x"`, "https://good.example/", "noreferrer", "https://tracker.example/x.gif"} {
		if !strings.Contains(m.HTML, good) {
			t.Errorf("%s is missing in %s", good, m.HTML)
		}
	}
	if !strings.HasPrefix(m.Text, "Hello you") || strings.Contains(m.Text, "When?") || !strings.Contains(m.Quoted, "> When?") {
		t.Errorf("text %q, quoted %q", m.Text, m.Quoted)
	}
}

func TestWhoWroteIt(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]receive.Kind{
		"Subject: Hello": receive.Person, "Auto-Submitted: no": receive.Person, "Auto-Submitted: auto-replied (vacation)": receive.Auto,
		"Auto-Submitted: auto-generated; owner-email=x": receive.Auto, "Precedence: bulk": receive.Auto, "X-Autoreply: yes": receive.Auto,
		"Subject: Automatic reply: Hello": receive.Auto, "Subject: Abwesenheit: Hallo": receive.Auto, "Return-Path: <>": receive.Auto,
		"List-Id: <a.example>": receive.List, "List-Unsubscribe: <https://x.example>": receive.List, "Precedence: list": receive.List,
		"X-Failed-Recipients: a@example.com\r\nFrom: MAILER-DAEMON@x": receive.Person, // the first From counts
		"X-Auto-Response-Suppress: All":                               receive.Person,
	} {
		if m := receive.Parse(mailWith(header+"\r\n", "x")); m.Kind != want {
			t.Errorf("%q is %s, want %s", header, m.Kind, want)
		}
	}
	old := []byte(crlf("From: MAILER-DAEMON@x.example", "Return-Path: <>", "Subject: failure notice", "", "Sorry, <a@b.example>: no mailbox.", "", "--- Below this line is a copy", "Message-ID: <orig@haus.example>", "", "x"))
	if m := receive.Parse(old); m.Kind != receive.Return || len(m.Bounce.MessageIDs) != 1 || m.Bounce.MessageIDs[0] != "<orig@haus.example>" {
		t.Errorf("an old server's report: %s %+v", m.Kind, m.Bounce)
	}
}

func TestInvitations(t *testing.T) {
	t.Parallel()
	m := receive.Parse(multi("alternative", crlf("Content-Type: text/plain", "", "Please come."),
		crlf("Content-Type: text/calendar; method=REQUEST; charset=utf-8", "", "BEGIN:VCALENDAR", "METHOD:REQUEST", "BEGIN:VEVENT", "SUMMARY:Tasting\\, with", "  cheese",
			"DTSTART;TZID=Europe/Berlin:20260202T190000", "DTEND;TZID=Europe/Berlin:20260202T210000", "LOCATION:Main street 1", "END:VEVENT", "END:VCALENDAR")))
	for _, want := range []string{"Please come.", "Invitation: Tasting, with cheese", "When: 2 February 2026 19:00 to 2 February 2026 21:00 (Europe/Berlin)", "Where: Main street 1"} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("%q is missing in %q", want, m.Text)
		}
	}
}

// attribute writes one attribute of a winmail.dat.
func attribute(level byte, id uint32, value []byte) []byte {
	out := binary.LittleEndian.AppendUint32([]byte{level}, id)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(value)))
	return append(append(out, value...), 0, 0)
}

func TestWinmail(t *testing.T) {
	t.Parallel()
	property := binary.LittleEndian.AppendUint32(nil, 1)
	property = binary.LittleEndian.AppendUint16(property, 0x1f)
	property = binary.LittleEndian.AppendUint16(property, 0x3707)
	property = binary.LittleEndian.AppendUint32(property, 1)
	name := []byte("l\x00o\x00n\x00g\x00.\x00t\x00x\x00t\x00\x00\x00")
	property = binary.LittleEndian.AppendUint32(property, uint32(len(name)))
	property = append(append(property, name...), 0, 0)
	data := append([]byte{0x78, 0x9f, 0x3e, 0x22, 1, 0}, attribute(1, 0x2800c, []byte("Hello from Outlook\x00"))...)
	data = append(data, attribute(2, 0x69002, make([]byte, 14))...)
	data = append(data, attribute(2, 0x18010, []byte("SHORT~1.TXT\x00"))...)
	data = append(data, attribute(2, 0x6800f, []byte("the content"))...)
	data = append(data, attribute(2, 0x69005, property)...)
	raw := multi("mixed", crlf("Content-Type: application/ms-tnef; name=winmail.dat", "Content-Transfer-Encoding: base64", "", base64.StdEncoding.EncodeToString(data)))
	m := receive.Parse(raw)
	if m.Text != "Hello from Outlook" || len(m.Files) != 1 || m.Files[0].Name != "long.txt" || string(m.Files[0].Data) != "the content" {
		t.Errorf("%q %+v", m.Text, m.Files)
	}
	for cut := range data { // a torn one does no harm
		receive.Parse(multi("mixed", crlf("Content-Type: application/ms-tnef; name=winmail.dat", "Content-Transfer-Encoding: base64", "", base64.StdEncoding.EncodeToString(data[:cut]))))
	}
}

func TestBombsAreKeptAsTheyAre(t *testing.T) {
	t.Parallel()
	nested := ""
	for i := range 2000 {
		nested += fmt.Sprintf("Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	for name, raw := range map[string][]byte{
		"nested": mailWith("", nested), "parts": multi("mixed", strings.Split(strings.Repeat("Content-Type: text/plain\r\n\r\nx\r\n,", 5000), ",")...),
		"header": mailWith("X: "+strings.Repeat("y", 300_000)+"\r\n", "x"),
	} {
		began := time.Now()
		m := receive.Parse(raw)
		if len(m.Files) != 1 || m.Files[0].Name != "mail.eml" || m.From.Address != "ann@example.com" || time.Since(began) > 5*time.Second {
			t.Errorf("%s: %d files, %q, %s", name, len(m.Files), m.From.Address, time.Since(began))
		}
	}
}

func TestPeopleAndReferences(t *testing.T) {
	t.Parallel()
	m := receive.Parse([]byte(crlf("From: =?utf-8?q?J=C3=B6rg?= <JOERG@Example.com>", "To: \"Doe, Jane\" <jane@x.example>, bob@x.example", "Cc: broken <", "Delivered-To: hello+abc@haus.example",
		"References: <a@b>\r\n\t<c@d> junk <e f@g>", "In-Reply-To: your message of Monday <c@d>", "Message-ID: unbracketed@x.example", "", "x")))
	if m.From.Name != "Jörg" || m.From.Address != "JOERG@Example.com" || len(m.To) != 2 || m.To[0].Name != "Doe, Jane" ||
		strings.Join(m.References, " ") != "<a@b> <c@d>" || strings.Join(m.InReplyTo, " ") != "<c@d>" || m.MessageID != "<unbracketed@x.example>" {
		t.Errorf("%+v", m)
	}
	if m := receive.Parse([]byte("From: nobody at all\r\n\r\nx")); m.From.Address != "" {
		t.Errorf("%+v", m.From)
	}
}

// Whatever comes, there is an answer that can be stored and shown.
func FuzzParse(f *testing.F) {
	f.Add([]byte(mailWith("Subject: =?utf-8?b?w6Q=?=\r\nContent-Type: text/html\r\n", "<p>x</p>")))
	f.Add(multi("mixed", crlf("Content-Type: text/plain", "", "x"), crlf("Content-Type: application/ms-tnef", "Content-Transfer-Encoding: base64", "", "eJ8+IgEA")))
	f.Add(multi("report; report-type=delivery-status", crlf("Content-Type: message/delivery-status", "", "Final-Recipient: rfc822; a@b\r\nAction: failed")))
	f.Add([]byte("\r\n\r\n"))
	f.Add([]byte("From: a@b\nContent-Type: multipart/mixed; boundary=\"\n\n--\n--"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := receive.Parse(raw)
		for what, s := range map[string]string{"text": m.Text, "quoted": m.Quoted, "html": m.HTML, "subject": m.Subject, "id": m.MessageID} {
			if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
				t.Errorf("%s is no text: %q", what, s)
			}
		}
		if strings.ContainsAny(m.Subject+m.MessageID+m.From.Address+m.From.Name, "\r\n") || len(m.Files) > receive.MaxFiles || m.Hash == "" {
			t.Errorf("%+v", m)
		}
		if strings.Contains(strings.ToLower(m.HTML), "<script") {
			t.Errorf("script in %s", m.HTML)
		}
	})
}
