package inbox_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	netmail "net/mail"
	"strings"
	"testing"

	"bungalow/hooks/inbox"
	"bungalow/hooks/kit/mail"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/sitetest"
	"bungalow/tests/postoffice"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// letter writes a mail to the inbox; header is lines.
func letter(from, id, text string, header ...string) []byte {
	return postoffice.Letter(from, "hello@haus.example", id, text, header...)
}

func deliver(t testing.TB, app core.App, raw []byte, to ...string) inbox.Received {
	t.Helper()
	r, err := inbox.ReceiveMail(app, raw, inbox.Envelope{To: to})
	check(t, err)
	return r
}

// answered makes a conversation that was answered, and gives the answer.
func answered(t testing.TB, app *sitetest.Site) (c, m *core.Record) {
	t.Helper()
	by, _, _ := actor(t, app)
	c = must[*core.Record](t)(inbox.Receive(app, ann))
	m = must[*core.Record](t)(inbox.Reply(app, by, c.Id, inbox.Answer{Text: "At ten."}))
	return c, m
}

func conversation(t testing.TB, app core.App, id string) *core.Record {
	t.Helper()
	return must[*core.Record](t)(inbox.Find(app, id))
}

func TestAMailJoinsItsConversationByTokenOnly(t *testing.T) {
	t.Parallel()
	app := newSite(t)
	c, m := answered(t, app)
	reply := must2(inbox.ReplyAddress(app, c.Id))(t)
	ours := m.GetString("message_id")
	forged := strings.Replace(ours, ".", ".x", 1)
	stranger := "eve@example.com"
	for name, test := range map[string]struct {
		raw    []byte
		to     []string
		joins  bool
		linked bool
	}{
		"in-reply-to":     {letter("Ann <ann@example.com>", "<1@x>", "1", "In-Reply-To: "+ours), nil, true, false},
		"references":      {letter("ANN@Example.com", "<2@x>", "2", "References: <a@b> "+ours+" <c@d>"), nil, true, false},
		"address":         {letter("ann@example.com", "<3@x>", "3"), []string{reply}, true, false},
		"address in To":   {letter("ann@example.com", "<4@x>", "4", "Delivered-To: "+strings.ToUpper(reply)), nil, true, false},
		"changed subject": {letter("ann@example.com", "<5@x>", "5", "In-Reply-To: "+ours, "Subject: Something else"), nil, true, false},
		"subject alone":   {letter("ann@example.com", "<6@x>", "6", "Subject: Re: Opening hours"), nil, false, false},
		"number alone":    {letter("ann@example.com", "<7@x>", "7", "Subject: Re: [#1] Opening hours"), nil, false, false},
		"forged id":       {letter("ann@example.com", "<8@x>", "8", "In-Reply-To: "+forged), nil, false, false},
		"forged address":  {letter("ann@example.com", "<9@x>", "9"), []string{strings.Replace(reply, "+", "+a", 1)}, false, false},
		"a stranger":      {letter(stranger, "<10@x>", "10", "In-Reply-To: "+ours), []string{reply}, false, true},
		"long chain":      {letter("ann@example.com", "<11@x>", "11", "References: "+strings.Repeat("<x@y>\r\n ", 150)+ours), nil, true, false},
	} {
		got := deliver(t, app, test.raw, test.to...)
		if joined := got.Conversation == c.Id; joined != test.joins {
			t.Errorf("%s: joined %v", name, joined)
		}
		if linked := conversation(t, app, got.Conversation).GetString("linked") == c.Id; linked != test.linked {
			t.Errorf("%s: linked %v", name, linked)
		}
		if again := deliver(t, app, test.raw, test.to...); !again.Duplicate || again.Message != got.Message {
			t.Errorf("%s: a second delivery gives %+v", name, again)
		}
	}
	if c := conversation(t, app, c.Id); c.GetString("status") != "open" || !c.GetBool("unread") {
		t.Errorf("an answer does not open the conversation: %v", c.PublicExport())
	}
}

func must2(v netmail.Address, err error) func(t testing.TB) string {
	return func(t testing.TB) string {
		t.Helper()
		check(t, err)
		return v.Address
	}
}

func TestTheSameIdWithOtherContentIsAnotherMail(t *testing.T) {
	t.Parallel()
	app := newSite(t)
	one := deliver(t, app, letter("a@example.com", "<same@x>", "one"))
	two := deliver(t, app, letter("a@example.com", "<same@x>", "two"))
	if two.Duplicate || one.Message == two.Message || one.Conversation != two.Conversation {
		t.Errorf("%+v %+v", one, two)
	}
	// Another server's line breaks, folding and encoding make no other mail.
	three := deliver(t, app, []byte(strings.ReplaceAll("Received: x\r\n"+string(letter("a@example.com", "<same@x>", "two")), "\r\n", "\n")))
	if !three.Duplicate || three.Message != two.Message {
		t.Errorf("%+v", three)
	}
	four, five := deliver(t, app, letter("a@example.com", "", "no id")), deliver(t, app, letter("a@example.com", "", "no id"))
	if four.Duplicate || !five.Duplicate {
		t.Errorf("%+v %+v", four, five)
	}
}

func TestOurOwnMailsComingBackAreNotStored(t *testing.T) {
	t.Parallel()
	app := newSite(t)
	_, m := answered(t, app)
	if got := deliver(t, app, letter("hello@haus.example", m.GetString("message_id"), "At ten.")); !got.Duplicate || got.Message != m.Id {
		t.Errorf("%+v", got)
	}
	check(t, mail.Send(app, mail.Message{To: must3(t, "x@example.com"), Template: "test"}))
	list := must[[]mail.Record](t)(mail.List(app, mail.Filter{Limit: 1}))
	if got := deliver(t, app, letter("hello@haus.example", list[0].MessageID, "It works")); !got.Duplicate {
		t.Errorf("%+v", got)
	}
}

const dsn = "From: MAILER-DAEMON@mx.example\r\nTo: hello@haus.example\r\nSubject: Undelivered\r\nReturn-Path: <>\r\nMessage-ID: <dsn%d@mx.example>\r\nMIME-Version: 1.0\r\n" +
	"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nIt did not arrive.\r\n" +
	"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; ann@example.com\r\nAction: %s\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 no such user\r\n" +
	"\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: Re: Opening hours\r\nMessage-ID: %s\r\n\r\n--b--\r\n"

func TestABounceMarksItsMessage(t *testing.T) {
	t.Parallel()
	app := newSite(t)
	by, _, _ := actor(t, app)
	c, m := answered(t, app)
	run(t, app)
	later(app)
	until(t, "sent", func() bool { return conversation(t, app, c.Id) != nil && state(t, app, m.Id) == mail.Sent })
	check(t, inbox.Close(app, by, c.Id))
	got := deliver(t, app, fmt.Appendf(nil, dsn, 1, "delayed", m.GetString("message_id")))
	if got.Conversation != c.Id || state(t, app, m.Id) != mail.Sent || conversation(t, app, c.Id).GetString("status") != "closed" {
		t.Errorf("a delay: %+v, %s", got, state(t, app, m.Id))
	}
	got = deliver(t, app, fmt.Appendf(nil, dsn, 2, "failed", m.GetString("message_id")))
	if got.Conversation != c.Id || got.Kind != "bounce" || state(t, app, m.Id) != mail.Bounced {
		t.Errorf("%+v, %s", got, state(t, app, m.Id))
	}
	fresh := conversation(t, app, c.Id)
	if fresh.GetString("status") != "open" || !fresh.GetBool("unread") {
		t.Error("nobody is told")
	}
	answer, err := app.FindRecordById(schema.Messages, m.Id)
	check(t, err)
	if !strings.Contains(answer.GetString("error"), "550 no such user") {
		t.Errorf("error %q", answer.GetString("error"))
	}
	if list := must[[]mail.Record](t)(mail.List(app, mail.Filter{State: mail.Bounced})); len(list) != 1 {
		t.Errorf("%v", list)
	}
	echo := deliver(t, app, fmt.Appendf(nil, dsn, 3, "failed", "<unknown@elsewhere>"))
	if conversation(t, app, echo.Conversation).GetString("status") != "closed" {
		t.Error("spam's echo is not put aside")
	}
}

func state(t testing.TB, app core.App, id string) string {
	t.Helper()
	m, err := app.FindRecordById(schema.Messages, id)
	check(t, err)
	return m.GetString("state")
}

func TestMachinesOpenNothingAndGetNoAnswer(t *testing.T) {
	t.Parallel()
	app := newSite(t)
	by, _, _ := actor(t, app)
	o := inbox.Defaults()
	o.AutoReply, o.Notify = "We have your mail.", []string{"team@haus.example"}
	check(t, settings.Save(app, inbox.Feature, o))
	c, m := answered(t, app)
	check(t, inbox.Close(app, by, c.Id))
	auto := deliver(t, app, letter("ann@example.com", "<1@x>", "I am away", "Auto-Submitted: auto-replied", "In-Reply-To: "+m.GetString("message_id")))
	if auto.Kind != "auto" || auto.Conversation != c.Id || conversation(t, app, c.Id).GetString("status") != "closed" {
		t.Errorf("%+v %v", auto, conversation(t, app, c.Id).GetString("status"))
	}
	mails := func(template string) int {
		n := 0
		for _, r := range must[[]mail.Record](t)(mail.List(app, mail.Filter{})) {
			if r.Template == template {
				n++
			}
		}
		return n
	}
	deliver(t, app, letter("robot@example.com", "<2@x>", "x", "Precedence: bulk"))
	deliver(t, app, letter("news@example.com", "<3@x>", "x", "List-Id: <news.example>"))
	deliver(t, app, letter("hello@haus.example", "<4@x>", "from ourselves"))
	if n := mails("inbox-received"); n != 0 {
		t.Errorf("%d automatic answers to machines", n)
	}
	for i := range 3 {
		deliver(t, app, letter("bea@example.com", fmt.Sprintf("<b%d@x>", i), fmt.Sprint("mail ", i)))
	}
	if n := mails("inbox-received"); n != 1 {
		t.Errorf("%d automatic answers to one address in a day", n)
	}
	if n := mails("inbox-message"); n == 0 {
		t.Error("the team was not told")
	}
}

func TestMailIsBounded(t *testing.T) {
	t.Parallel()
	app := newSite(t)
	if _, err := inbox.ReceiveMail(app, make([]byte, inbox.MaxMail+1), inbox.Envelope{}); !errors.Is(err, inbox.ErrTooLarge) {
		t.Errorf("%v", err)
	}
	got := deliver(t, app, letter("a@example.com", "<1@x>", "x"))
	_, err := app.NonconcurrentDB().NewQuery("UPDATE {{messages}} SET size = {:n} WHERE id = {:id}").Bind(dbx.Params{"n": inbox.MaxDailyBytes, "id": got.Message}).Execute()
	check(t, err)
	if _, err := inbox.ReceiveMail(app, letter("a@example.com", "<2@x>", "x"), inbox.Envelope{}); !errors.Is(err, inbox.ErrFull) {
		t.Errorf("%v", err)
	}
	if again := deliver(t, app, letter("a@example.com", "<1@x>", "x")); !again.Duplicate {
		t.Error("what is here already is refused")
	}
}

// Whatever order mails of a thread come in, and some twice, they end in one
// conversation, each once.
func TestThreadsInAnyOrder(t *testing.T) {
	t.Parallel()
	app := newSite(t)
	type post struct {
		thread int
		raw    []byte
	}
	var posts []post
	const threads, length = 6, 10
	for thread := range threads {
		from := fmt.Sprintf("p%d@example.com", thread)
		for i := range length {
			var head []string
			if i > 0 { // some programs name only what they answer, some the whole chain
				head = append(head, fmt.Sprintf("In-Reply-To: <%d.%d@x>", thread, i-1))
				if i%3 == 0 {
					head = append(head, fmt.Sprintf("References: <%d.0@x> <%d.%d@x>", thread, thread, i-1))
				}
			}
			posts = append(posts, post{thread, letter(from, fmt.Sprintf("<%d.%d@x>", thread, i), fmt.Sprint("text ", i), head...)})
			if i%4 == 0 {
				posts = append(posts, posts[len(posts)-1])
			}
		}
	}
	rand.Shuffle(len(posts), func(i, j int) { posts[i], posts[j] = posts[j], posts[i] })
	for _, p := range posts {
		deliver(t, app, p.raw)
	}
	list, err := app.FindAllRecords(schema.Conversations)
	check(t, err)
	if len(list) != threads {
		t.Errorf("%d conversations, want %d", len(list), threads)
	}
	for _, c := range list {
		if n := len(must[[]*core.Record](t)(inbox.Messages(app, c.Id))); n != length {
			t.Errorf("conversation %d has %d messages", c.GetInt("number"), n)
		}
	}
}
