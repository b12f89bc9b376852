package mail_test

import (
	netmail "net/mail"
	"testing"

	"bungalow/hooks/kit/mail"
	"bungalow/hooks/kit/queue"
	"bungalow/pb_public"

	"github.com/pocketbase/pocketbase/tests"
	"github.com/pocketbase/pocketbase/tools/mailer"
)

// PocketBase's own test app has none of our tables, is already bootstrapped and
// brings a mailer: it must keep that, and nothing of ours may stir.
func TestInAForeignApp(t *testing.T) {
	t.Parallel()
	app, err := tests.NewTestApp()
	must(t, err)
	defer app.Cleanup()
	must(t, mail.Register(app, mail.Config{Templates: pb_public.Files}))
	must(t, queue.Start(app))
	must(t, app.NewMailClient().Send(&mailer.Message{
		From: netmail.Address{Name: "A, B", Address: "a@example.com"}, To: []netmail.Address{to("b@example.com")}, Subject: "x\ny", HTML: "z",
	}))
	if m := app.TestMailer.LastMessage(); app.TestMailer.TotalSend() != 1 || m.Subject != "x\ny" || m.From.Name != "A, B" {
		t.Fatalf("%d mails, %+v", app.TestMailer.TotalSend(), m)
	}
	if files := outboxFiles(t, app); len(files) != 0 {
		t.Fatalf("outbox %v", files)
	}
	if err := mail.Send(app, mail.Message{To: to("a@example.com"), Template: "test"}); err == nil {
		t.Fatal("stored a message without a table")
	}
	must(t, queue.Stop(t.Context(), app))
}
