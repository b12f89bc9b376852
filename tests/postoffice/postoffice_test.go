package postoffice

import (
	"net"
	"net/smtp"
	"strconv"
	"testing"
)

// What one side sends the other has, envelope and content.
func TestWhatIsSentIsKept(t *testing.T) {
	t.Parallel()
	s := Serve(t)
	numbers := make(chan int, 2)
	s.Each(func(n int) { numbers <- n })
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port))
	for _, to := range []string{"ann@example.com", "ben@example.com"} {
		if err := smtp.SendMail(addr, nil, "hof@example.com", []string{to}, Letter("Hof <hof@example.com>", to, "<1@hof>", "Hello.", "Subject: For "+to)); err != nil {
			t.Fatal(err)
		}
	}
	if first, second := <-numbers, <-numbers; first != 1 || second != 2 {
		t.Errorf("counted %d, %d", first, second)
	}
	m, ok := s.Last("ann@example.com")
	if !ok || m.From != "hof@example.com" || m.Header().Get("Subject") != "For ann@example.com" || len(s.All()) != 2 {
		t.Errorf("%v %q", ok, m.Raw)
	}
	if _, ok := s.Last("eve@example.com"); ok {
		t.Error("there is a mail to somebody who got none")
	}
	if err := Bring(addr, "hof@example.com", []string{"ann@example.com"}, nil); err == nil {
		t.Error("a server without STARTTLS was not noticed")
	}
}

func TestAMailboxCountsWhatIsNew(t *testing.T) {
	t.Parallel()
	b := OpenMailbox(t)
	b.Put(Letter("ann@example.com", "hello@example.com", "<1@x>", "Hello."))
	if n := b.Unseen(); n != 1 {
		t.Errorf("%d are new", n)
	}
}
