package mail_test

import (
	"sync"
	"testing"
	"time"

	"bungalow/hooks/kit/mail"
)

// An address gets one automatic answer a day, whoever sends it and however the
// address is written; machines and we ourselves get none.
func TestAnAutomaticAnswerOnceADay(t *testing.T) {
	t.Parallel()
	app, clock := newApp(t, nil)
	app.Settings().Meta.SenderAddress = "hof@example.com"
	answer := func(address string) bool {
		t.Helper()
		sent, err := mail.Answer(app, mail.Message{To: to(address), Template: "test", Personal: true})
		if err != nil {
			t.Fatal(err)
		}
		return sent
	}
	start := clock.Now()
	for _, step := range []struct {
		after   time.Duration
		address string
		want    bool
	}{
		{0, "ann@example.org", true},
		{0, "ann@example.org", false},
		{time.Hour, "ANN+shop@Example.ORG", false},
		{time.Hour, "ben@example.org", true},
		{23 * time.Hour, "ann@example.org", false},
		{24 * time.Hour, "ann@example.org", true},
		{24 * time.Hour, "ann@example.org", false},
		{25 * time.Hour, "ben@example.org", true},
		{25 * time.Hour, "hof@example.com", false},
		{25 * time.Hour, "hof+token@example.com", false},
		{25 * time.Hour, "no-reply@example.org", false},
		{25 * time.Hour, "MAILER-DAEMON@example.org", false},
		{25 * time.Hour, "owner-list@example.org", false},
		{25 * time.Hour, "list-request@example.org", false},
		{25 * time.Hour, "nowhere", false},
		{25 * time.Hour, "two@words @example.org", false},
	} {
		clock.set(start.Add(step.after))
		if got := answer(step.address); got != step.want {
			t.Errorf("after %v %s is answered: %v", step.after, step.address, got)
		}
	}
	list, err := mail.List(app, mail.Filter{})
	if err != nil || len(list) != 4 {
		t.Errorf("%d mails, %v", len(list), err)
	}
}

// Two features that answer at the same moment send one answer.
func TestTwoAutomaticAnswersAtOnce(t *testing.T) {
	t.Parallel()
	app, _ := newApp(t, nil)
	var wait sync.WaitGroup
	sent := make(chan bool, 8)
	for range cap(sent) {
		wait.Go(func() {
			ok, err := mail.Answer(app, mail.Message{To: to("ann@example.org"), Template: "test"})
			if err != nil {
				t.Error(err)
			}
			sent <- ok
		})
	}
	wait.Wait()
	close(sent)
	n := 0
	for ok := range sent {
		if ok {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d answers were sent", n)
	}
}
