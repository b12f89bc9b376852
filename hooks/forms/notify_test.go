package forms_test

import (
	"strings"
	"testing"

	"bungalow/hooks/kit/mail"
	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
)

// mailed is a stored mail.
type mailed struct {
	Recipient string `db:"recipient"`
	ReplyTo   string `db:"reply_to"`
	Subject   string `db:"subject"`
	Text      string `db:"text"`
	HTML      string `db:"html"`
	Template  string `db:"template"`
}

// mails runs the jobs that wait and gives the mails that there are.
func mails(t testing.TB, app core.App) []mailed {
	t.Helper()
	if err := queue.Start(app); err != nil {
		t.Fatal(err)
	}
	until(t, "the jobs are done", func() bool {
		jobs, err := queue.List(app, queue.Filter{Kind: "forms.notify"})
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range jobs {
			if j.Error != "" {
				t.Fatal(j.Error)
			}
		}
		return len(jobs) == 0
	})
	var all []mailed
	if err := app.DB().NewQuery("SELECT recipient, reply_to, subject, text, html, template FROM " + mail.Table + " ORDER BY id").All(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestRecipientsAreToldAndTheSenderIsAnswered(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	makeForm(t, app, "fair", `[{"name":"name","type":"text","required":true},{"name":"email","type":"email"},{"name":"message","type":"textarea"},{"name":"day","type":"select","options":[{"value":"sat","label":"Saturday"}]}]`, map[string]any{
		"recipients": "desk@example.org\nGrace <grace@example.org>", "reply_on": true, "reply_subject": "Thank you, {{name}}", "reply_body": "Dear **{{name}}**,\n\nsee you on {{day}} at {{form}} of {{site}}. {{nothing}}",
	})
	app.JSON("POST", "/f/fair", "", `{"name":"Ada","email":"Ada@Example.com","message":"Two lines\nof <b>text</b>","day":"sat","source":"a poster"}`)
	all := mails(t, app)
	if len(all) != 3 {
		t.Fatalf("%d mails: %+v", len(all), all)
	}
	told, answer := all[0], all[2]
	if told.Recipient != "<desk@example.org>" || !strings.Contains(all[1].Recipient, "grace@example.org") || told.ReplyTo != `"Ada" <ada@example.com>` || told.Subject != "A fair: Ada" {
		t.Errorf("%+v", told)
	}
	for _, want := range []string{"Two lines\nof <b>text</b>", "day: Saturday", "source: a poster", "/desk/submissions/"} {
		if !strings.Contains(told.Text, want) {
			t.Errorf("the text lacks %q:\n%s", want, told.Text)
		}
	}
	if !strings.Contains(told.HTML, "of &lt;b&gt;text&lt;/b&gt;") {
		t.Errorf("the HTML is not escaped:\n%s", told.HTML)
	}
	if answer.Recipient != `"Ada" <ada@example.com>` || answer.Subject != "Thank you, Ada" || !strings.Contains(answer.Text, "see you on Saturday at A fair of Bungalow.") || !strings.Contains(answer.HTML, "<strong>Ada</strong>") {
		t.Errorf("%+v", answer)
	}
	// The same person again within the day: told, not answered.
	app.JSON("POST", "/f/fair", "", `{"name":"Ada","email":"ADA@example.com","message":"Something else"}`)
	if all := mails(t, app); len(all) != 5 || all[4].Template != "form-notify" {
		t.Errorf("%d mails", len(all))
	}
}

func TestSpamAndRobotsAreNotAnswered(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	makeForm(t, app, "fair", short, map[string]any{"recipients": "desk@example.org", "reply_on": true, "reply_body": "Thanks"})
	app.JSON("POST", "/f/fair", "", `{"name":"Ada","email":"ada@example.com","message":"Buy","_hp":"x"}`)
	app.JSON("POST", "/f/fair", "", `{"name":"A robot","email":"no-reply@example.com","message":"Hello"}`)
	all := mails(t, app)
	if len(all) != 1 || all[0].Recipient != "<desk@example.org>" || !strings.Contains(all[0].Subject, "robot") {
		t.Errorf("%+v", all)
	}
}

func TestTheAnswerRepeatsNoAdvertisement(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	makeForm(t, app, "fair", short, map[string]any{"spam_policy": "off", "reply_on": true, "reply_subject": "{{name}}", "reply_body": "Dear {{name}},\n\n> {{message}}"})
	app.JSON("POST", "/f/fair", "", `{"name":"Win at https://casino.example/x now","email":"victim@example.com","message":"[click](https://evil.example) **bold** `+strings.Repeat("long ", 100)+`"}`)
	all := mails(t, app)
	if len(all) != 1 {
		t.Fatalf("%d mails", len(all))
	}
	m := all[0]
	for _, text := range []string{m.Subject, m.Text, m.HTML} {
		if strings.Contains(text, "casino.example") || strings.Contains(text, "evil.example") || strings.Contains(text, "<strong>bold") || strings.Contains(text, `href="https://evil`) || strings.Count(text, "long") > 60 {
			t.Errorf("the mail advertises:\n%s", text)
		}
	}
}

func TestABusyFormSparesTheMailbox(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	sitetest.Make(t, app, schema.Settings, map[string]any{"feature": "forms", "value": map[string]any{"mails_per_hour": 2}})
	makeForm(t, app, "fair", short, map[string]any{"recipients": "desk@example.org"})
	for _, name := range []string{"Ada", "Bob", "Cyd", "Dan", "Eve"} {
		app.JSON("POST", "/f/fair", "", `{"name":"`+name+`"}`)
	}
	byTemplate := map[string]int{}
	for _, m := range mails(t, app) {
		byTemplate[m.Template]++
	}
	if byTemplate["form-notify"] != 2 || byTemplate["form-more"] < 1 || byTemplate["form-more"] > 2 { // two where the hour ends meanwhile
		t.Errorf("%v", byTemplate)
	}
}

// No field, whatever is in it, adds a header or a recipient to a mail.
func TestNoFieldAddsAHeader(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	makeForm(t, app, "fair", `[{"name":"name","type":"textarea"},{"name":"email","type":"email"},{"name":"subject","type":"textarea"}]`, map[string]any{"recipients": "desk@example.org", "reply_on": true, "reply_subject": "{{subject}} {{name}}", "reply_body": "x"})
	for _, evil := range []string{"a\r\nBcc: eve@example.com", "a\nTo: eve@example.com", "a\u2028Bcc: eve@example.com", "=?utf-8?q?a=0ABcc:_eve=40example.com?="} {
		app.JSON("POST", "/f/fair", "", `{"name":`+quoted(evil)+`,"email":"ada@example.com","subject":`+quoted(evil)+`}`)
	}
	for _, m := range mails(t, app) {
		for _, header := range []string{m.Subject, m.Recipient, m.ReplyTo} {
			if strings.ContainsAny(header, "\r\n\u2028") || strings.Contains(header, "=?utf-8?q?a=0A") {
				t.Errorf("a header is %q", header)
			}
		}
	}
}
