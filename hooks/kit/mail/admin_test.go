package mail_test

import (
	"errors"
	"io/fs"
	netmail "net/mail"
	"testing"

	"bungalow/hooks/kit/mail"
	"bungalow/hooks/kit/queue"
)

func TestAMessageIsSentOnceMoreAsANewOne(t *testing.T) {
	t.Parallel()
	app, _ := newApp(t, nil)
	must(t, queue.Stop(t.Context(), app)) // what is sent stays waiting
	must(t, mail.Send(app, mail.Message{To: netmail.Address{Address: "ada@example.com"}, Template: "test", Key: "once"}))
	list, err := mail.List(app, mail.Filter{})
	must(t, err)
	id := list[0].ID
	if err := mail.Again(app, id); !errors.Is(err, mail.ErrNoMail) {
		t.Errorf("one that is under way: %v", err)
	}
	_, err = app.NonconcurrentDB().NewQuery("UPDATE _mails SET state = 'failed'").Execute()
	must(t, err)
	must(t, mail.Again(app, id))
	list, err = mail.List(app, mail.Filter{})
	must(t, err)
	if len(list) != 2 || list[0].MessageID == list[1].MessageID || list[0].Key != "" || list[0].State != mail.Queued || list[0].Subject != list[1].Subject {
		t.Errorf("%+v", list)
	}
	counts, err := mail.Counts(app)
	if err != nil || counts[mail.Queued] != 1 || counts[mail.Failed] != 1 {
		t.Errorf("%v, %v", counts, err)
	}
	if jobs, err := queue.Status(app); err != nil || jobs.Waiting != 2 {
		t.Errorf("%+v, %v", jobs, err)
	}
	if b, err := mail.Find(app, id); err != nil || b.Text == "" || b.HTML == "" {
		t.Errorf("%+v, %v", b, err)
	}
	if _, err := mail.Find(app, 99); !errors.Is(err, mail.ErrNoMail) {
		t.Errorf("a message that is not there: %v", err)
	}
}

func TestTheOutboxGivesNoOtherFile(t *testing.T) {
	t.Parallel()
	app, _ := newApp(t, nil)
	for _, name := range []string{"", "../data.db", "..", "20260101T000000.000Z-0123456789ab.eml/../../x"} {
		if _, err := mail.ReadOutbox(app, name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if files, err := mail.Outbox(app); err != nil || len(files) != 0 {
		t.Errorf("%v, %v", files, err)
	}
	if mail.Way(app) != "outbox" {
		t.Errorf("mail goes by %s", mail.Way(app))
	}
}
