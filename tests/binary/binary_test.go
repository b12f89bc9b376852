package binary

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain lets this test program play the server, so that the harness is
// tested without the product.
func TestMain(m *testing.M) {
	if mode := os.Getenv("FAKE_SERVER"); mode != "" {
		os.Exit(fakeServer(mode, os.Args[1:]))
	}
	os.Exit(m.Run())
}

func fakeServer(mode string, args []string) int {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	fmt.Println("args", args)
	if mode == "refuses" {
		fmt.Fprintln(os.Stderr, "Error: no")
		return 1
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, os.Getenv("BUNGALOW_X")) })
	mux.HandleFunc("POST /echo", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Header.Get("Authorization") != "token" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		fmt.Fprintf(w, `{"length": %d, "type": %q}`, r.ContentLength, r.Header.Get("Content-Type"))
	})
	addr := args[slices.Index(args, "--http")+1]
	l, err := net.Listen("tcp", addr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", addr, "is in use")
		return 1
	}
	fmt.Println("listens on http://" + addr)
	go func() { _ = http.Serve(l, mux) }()
	<-stop
	if mode == "deaf" {
		select {}
	}
	return 7
}

func fake(t *testing.T, mode string) Options {
	t.Helper()
	return Options{Home: t.TempDir(), Binary: os.Args[0], Env: []string{"FAKE_SERVER=" + mode, "BUNGALOW_X=set"}}
}

func TestStartAndStop(t *testing.T) {
	t.Parallel()
	o := fake(t, "serves")
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(s.Output(), "serve --http "+strings.TrimPrefix(s.URL, "http://")+" --dir "+filepath.Join(o.Home, "pb_data")) {
		t.Errorf("output %q", s.Output())
	}
	if s.Started <= 0 || s.PID() <= 0 {
		t.Errorf("started after %s as %d", s.Started, s.PID())
	}
	a, err := Client{Base: s.URL}.Do(t.Context(), http.MethodGet, "/healthz", nil)
	if err != nil || string(a.Body) != "set" {
		t.Errorf("body %q, %v", a.Body, err)
	}
	if code, err := s.Stop(); code != 7 || err != nil {
		t.Errorf("exit code %d, %v", code, err)
	}
	select {
	case <-s.Done():
	default:
		t.Error("stopped and not done")
	}
}

func TestStartTellsWhyItFailed(t *testing.T) {
	t.Parallel()
	_, err := Start(t.Context(), fake(t, "refuses"))
	if !errors.Is(err, errExited) || !strings.Contains(err.Error(), "Error: no") {
		t.Errorf("error %v", err)
	}
	o := fake(t, "serves")
	o.Binary = filepath.Join(o.Home, "missing")
	if _, err := Start(t.Context(), o); err == nil {
		t.Error("a missing executable started")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(ctx, fake(t, "serves")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// A server that answers on the port that ours wanted is not ours.
func TestStartIsNotFooledByATakenPort(t *testing.T) {
	t.Parallel()
	first, err := Start(t.Context(), fake(t, "serves"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(first.Kill)
	second, err := Launch(fake(t, "serves").with("serve"), strings.TrimPrefix(first.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	if err := second.await(t.Context(), "/healthz"); !errors.Is(err, errExited) {
		t.Errorf("error %v", err)
	}
	if code, err := second.Wait(Patience); code != 1 || err != nil {
		t.Errorf("exit code %d, %v", code, err)
	}
}

func (o Options) with(command string) Options {
	o.Command = command
	return o
}

func TestWaitEndsAServerThatDoesNot(t *testing.T) {
	t.Parallel()
	s, err := Start(t.Context(), fake(t, "deaf"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Wait(50 * time.Millisecond); err == nil || !strings.Contains(err.Error(), "still running") {
		t.Errorf("error %v", err)
	}
	if code := s.cmd.ProcessState.ExitCode(); code != -1 {
		t.Errorf("exit code %d after a kill", code)
	}
}

func TestClient(t *testing.T) {
	t.Parallel()
	s, err := Start(t.Context(), fake(t, "serves"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	var got struct {
		Length int    `json:"length"`
		Type   string `json:"type"`
	}
	c := Client{Base: s.URL, Token: "token"}
	for _, body := range []any{map[string]int{"a": 1}, `{"a":1}`} {
		if err := c.Call(t.Context(), http.MethodPost, "/echo", body, &got); err != nil || got.Length != 7 || got.Type != "application/json" {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	c.Token = ""
	if err := c.Call(t.Context(), http.MethodPost, "/echo", "x", nil); err == nil || !strings.Contains(err.Error(), "status 401") {
		t.Errorf("error %v", err)
	}
	if err := c.Call(t.Context(), http.MethodPost, "/echo", func() {}, nil); err == nil {
		t.Error("a function became JSON")
	}
}

func TestRunFileGivesStreamsAndCode(t *testing.T) {
	t.Parallel()
	sh := "/bin/sh"
	if _, err := os.Stat(sh); err != nil {
		Skip(t, "this machine has no /bin/sh", err)
	}
	r, err := RunFile(t.Context(), sh, t.TempDir(), "-c", "echo out; echo err >&2; exit 3")
	if err != nil || r != (Result{Code: 3, Stdout: "out\n", Stderr: "err\n"}) {
		t.Errorf("got %+v, %v", r, err)
	}
	if _, err := RunFile(t.Context(), sh+"-missing", t.TempDir()); err == nil {
		t.Error("a missing command ran")
	}
}

func TestRootIsTheModule(t *testing.T) {
	t.Parallel()
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "tests", "binary", "binary_test.go")); err != nil {
		t.Error(err)
	}
}

func TestCacheIsLocked(t *testing.T) {
	t.Parallel()
	name := "lock-test-" + fmt.Sprint(os.Getpid())
	dir, unlock, err := Cache(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir); _ = os.Remove(dir + ".lock") })
	second := make(chan error, 1)
	go func() {
		_, unlockToo, err := Cache(name)
		if err == nil {
			unlockToo()
		}
		second <- err
	}()
	select {
	case err := <-second:
		t.Errorf("the second holder did not wait: %v", err)
	case <-time.After(30 * time.Millisecond):
	}
	unlock()
	if err := <-second; err != nil {
		t.Error(err)
	}
}
