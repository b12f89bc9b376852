package inbox_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"bungalow/hooks/inbox"
	"bungalow/hooks/kit/mail"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/sitetest"
	"bungalow/hooks/kit/spam"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// bargain and question are mails of strangers, each a little different.
func bargain(i int) []byte {
	return letter(fmt.Sprintf("seller%d@deals.example", i), fmt.Sprintf("<deal-%d@deals.example>", i),
		fmt.Sprintf("Cheap replica watches and miracle pills, lot %d. Luxury discount casino jackpot winner, order tonight, unbeatable bargain offer %d.", i, i*7), fmt.Sprintf("Subject: Discount number %d", i))
}

func question(i int) []byte {
	return letter(fmt.Sprintf("guest%d@post.example", i), fmt.Sprintf("<guest-%d@post.example>", i),
		fmt.Sprintf("Good morning, we would like a table on the veranda for party %d. Could you tell us whether the kitchen has soup on day %d?", i, i*3), fmt.Sprintf("Subject: Table %d", i))
}

// Staff say of some mails that they are spam and answer others; the next ones of
// each kind are then sorted by what was learned, and nothing is dropped.
func TestAStrangersMailIsWeighedByWhatStaffSaid(t *testing.T) {
	t.Parallel()
	app := newSite(t)
	by, _, _ := actor(t, app)
	for i := range 14 {
		bad := deliver(t, app, bargain(i))
		check(t, inbox.Spam(app, by, bad.Conversation))
		good := deliver(t, app, question(i))
		must[*core.Record](t)(inbox.Reply(app, by, good.Conversation, inbox.Answer{Text: "Gladly."}))
	}
	for name, test := range map[string]struct {
		raw  []byte
		want string
	}{
		"spam":                   {bargain(100), schema.ConversationSpam},
		"a question":             {question(100), schema.ConversationOpen},
		"whom staff wrote to":    {letter("guest1@post.example", "<again@post.example>", "Cheap replica watches, miracle pills, luxury discount casino jackpot: is that yours?"), schema.ConversationOpen},
		"marked by a provider":   {letter("x@y.example", "<marked@y.example>", "Hello.", "X-Spam-Flag: YES"), schema.ConversationSpam},
		"marked as none by them": {letter("z@y.example", "<none@y.example>", "Hello there.", "X-Spam-Flag: NO"), schema.ConversationOpen},
	} {
		c := conversation(t, app, deliver(t, app, test.raw).Conversation)
		if c.GetString("status") != test.want {
			t.Errorf("%s: filed as %s", name, c.GetString("status"))
		}
		if filed := test.want == schema.ConversationSpam; filed != (c.GetString("hint") != "") || filed == c.GetBool("unread") {
			t.Errorf("%s: hint %q, unread %v", name, c.GetString("hint"), c.GetBool("unread"))
		}
	}
}

func TestWhomTheOwnerBlocksIsFiled(t *testing.T) {
	t.Parallel()
	app := newSite(t)
	sitetest.Make(t, app, schema.Settings, map[string]any{"feature": spam.Feature, "value": map[string]any{"block": []string{"eve@example.com", "192.0.2.0/24"}}})
	c, m := answered(t, app)
	for name, test := range map[string]struct {
		from, ip, header string
		want             string
	}{
		"an address of mail":        {"Eve@Example.com", "", "", schema.ConversationSpam},
		"one of the network":        {"bob@example.com", "192.0.2.7", "", schema.ConversationSpam},
		"another":                   {"cid@example.com", "198.51.100.7", "", schema.ConversationOpen},
		"who takes part may answer": {"ann@example.com", "192.0.2.7", "In-Reply-To: " + m.GetString("message_id"), schema.ConversationOpen},
	} {
		raw := letter(test.from, "<"+test.ip+test.from+">", "A letter of its own about "+name+".", test.header)
		r, err := inbox.ReceiveMail(app, raw, inbox.Envelope{IP: test.ip})
		check(t, err)
		if got := conversation(t, app, r.Conversation).GetString("status"); got != test.want {
			t.Errorf("%s: filed as %s", name, got)
		}
		if joined := r.Conversation == c.Id; joined != (test.header != "") {
			t.Errorf("%s: joined %v", name, joined)
		}
	}
}

// The form thanks, the inbox confirms: one address hears one of them a day.
func TestFormsAndMailShareOneAutomaticAnswerADay(t *testing.T) {
	t.Parallel()
	app := newSite(t)
	o := inbox.Defaults()
	o.AutoReply = "We have your mail."
	check(t, settings.Save(app, inbox.Feature, o))
	sitetest.Make(t, app, schema.Forms, map[string]any{
		"slug": "ask", "title": "Ask us", "open": true, "spam_policy": "off", "reply_on": true, "reply_subject": "Thank you", "reply_body": "We have your message.",
		"fields": `[{"name":"email","type":"email","required":true},{"name":"message","type":"textarea"}]`,
	})
	run(t, app)
	post := func(email, message string) {
		t.Helper()
		if res, body := app.JSON(http.MethodPost, "/f/ask", "", `{"email":"`+email+`","message":"`+message+`"}`); res.StatusCode != http.StatusCreated {
			t.Fatalf("%d %s", res.StatusCode, body)
		}
	}
	automatic := func() (n int) {
		t.Helper()
		list, err := mail.List(app, mail.Filter{})
		check(t, err)
		for _, m := range list {
			if m.Template == "form-reply" || m.Template == "inbox-received" {
				n++
			}
		}
		return n
	}
	post("ann@example.com", "When do you open?")
	until(t, "the form thanks", func() bool { return automatic() == 1 })
	deliver(t, app, letter("Ann <ANN@example.com>", "<second@x>", "And on Sundays?"))
	deliver(t, app, letter("ann+2@example.com", "<third@x>", "And on Mondays?"))
	deliver(t, app, letter("ben@example.com", "<fourth@x>", "Do you have soup?"))
	if n := automatic(); n != 2 {
		t.Errorf("%d automatic answers, want one to Ann and one to Ben", n)
	}
	post("ben@example.com", "Or bread?")
	post("cid@example.com", "Or cake?")
	until(t, "Cid is thanked", func() bool { return automatic() == 3 })
}

// Forms may bring many thousands a day; that is no reason to refuse mail.
func TestFormsDoNotFillTheDayOfTheMail(t *testing.T) {
	t.Parallel()
	app := newSite(t)
	c := must[*core.Record](t)(inbox.Receive(app, ann))
	_, err := app.DB().NewQuery(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= {:most})
		INSERT INTO messages (id, conversation, direction, kind, created) SELECT 'form' || i, {:c}, 'in', 'form', {:now} FROM n`).
		Bind(dbx.Params{"most": inbox.MaxDailyMails, "c": c.Id, "now": time.Now().UTC().Format("2006-01-02 15:04:05.000Z")}).Execute()
	check(t, err)
	deliver(t, app, letter("bob@example.com", "<1@x>", "Is there room?"))
}
