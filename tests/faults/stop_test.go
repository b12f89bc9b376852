package faults

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"bungalow/tests/binary"
)

// slowRequest is a request whose body arrives as slowly as the test wants.
type slowRequest struct {
	conn    net.Conn
	answers *bufio.Reader
	rest    string
}

func beginSlowRequest(t *testing.T, s *binary.Server) *slowRequest {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	body := fmt.Sprintf(`{"identity":%q,"password":%q}`, binary.SuperuserEmail, binary.SuperuserPassword)
	// The server asks for the body when the handler first reads it: the request
	// is then under way for certain.
	_, err = fmt.Fprintf(conn, "POST /api/collections/_superusers/auth-with-password HTTP/1.1\r\nHost: localhost\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", len(body))
	if err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewReader(conn)
	for _, want := range []string{"HTTP/1.1 100 Continue\r\n", "\r\n"} {
		if line, err := answers.ReadString('\n'); err != nil || line != want {
			t.Fatalf("the server says %q, %v instead of asking for the body", line, err)
		}
	}
	if _, err := conn.Write([]byte(body[:10])); err != nil {
		t.Fatal(err)
	}
	return &slowRequest{conn, answers, body[10:]}
}

// finish sends the rest of the body and returns the answer's status.
func (r *slowRequest) finish() (int, error) {
	if _, err := r.conn.Write([]byte(r.rest)); err != nil {
		return 0, err
	}
	res, err := http.ReadResponse(r.answers, nil)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}

// waitUntilClosed waits until the server takes no new connections: from then
// on it is stopping.
func waitUntilClosed(t *testing.T, s *binary.Server) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); time.Since(began) < binary.Patience; <-tick.C {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
		if errors.Is(err, syscall.ECONNREFUSED) {
			return
		}
		if err == nil {
			_ = conn.Close()
		}
	}
	t.Fatal("the server still takes connections")
}

func TestStopLetsARunningRequestEnd(t *testing.T) {
	t.Parallel()
	server := serve(t, site(t))
	slow := beginSlowRequest(t, server)
	if err := server.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	waitUntilClosed(t, server)
	// PocketBase alone cuts requests off after one second.
	<-time.After(3 * time.Second)
	if status, err := slow.finish(); err != nil || status != http.StatusOK {
		t.Errorf("status %d, %v\n%s", status, err, server.Output())
	}
	if code, err := server.Wait(binary.Patience); code != 0 || err != nil {
		t.Errorf("exit code %d, %v", code, err)
	}
}

func TestStopDoesNotWaitForever(t *testing.T) {
	t.Parallel()
	server := serve(t, site(t))
	slow := beginSlowRequest(t, server)
	began := time.Now()
	code, err := server.Stop()
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 8*time.Second || took > 20*time.Second {
		_ = slow.conn.SetReadDeadline(time.Now().Add(time.Second))
		answer, _ := io.ReadAll(slow.answers)
		t.Errorf("stopped with code %d after %s with a request that never ends, want about 10 s; it was answered %q\n%s", code, took, answer, server.Output())
	}
}

func TestStopOfAnIdleServerIsQuick(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		server := serve(t, site(t))
		began := time.Now()
		if err := server.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if code, err := server.Wait(binary.Patience); code != 0 || err != nil {
			t.Errorf("%s: exit code %d, %v", signal, code, err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: an idle server took %s to stop", signal, took)
		}
	}
}

func TestStopEndsEventStreams(t *testing.T) {
	t.Parallel()
	server := serve(t, site(t))
	res, err := http.Get(server.URL + "/api/realtime")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	if line, err := bufio.NewReader(res.Body).ReadString('\n'); err != nil || line == "" {
		t.Fatalf("the stream began with %q, %v", line, err)
	}
	began := time.Now()
	if code, err := server.Stop(); code != 0 || err != nil {
		t.Errorf("exit code %d, %v", code, err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("an open event stream held the stop up for %s", took)
	}
}
