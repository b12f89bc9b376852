package binary

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Patience is how long a start may take before Start gives up. It is far above
// what a start costs, because test machines are shared.
const Patience = 60 * time.Second

// Options say how a server starts.
type Options struct {
	Home    string   // the site's folder; its pb_data is the data folder
	Binary  string   // "" builds the module's executable
	Command string   // "" is "serve"
	Args    []string // further arguments
	Env     []string // NAME=value, added to the environment
	Probe   string   // path that answers 200 when the site is up; "" is /healthz
}

// Server is one running executable.
type Server struct {
	URL     string        // http://127.0.0.1:port
	Home    string        // the site's folder
	Started time.Duration // from exec to the first answer
	began   time.Time
	cmd     *exec.Cmd
	output  *buffer
	says    string // what the process prints once it listens; "" is nothing
	done    chan struct{}
}

// errExited says that the process ended before it answered.
var errExited = errors.New("the server ended before it answered")

// Start runs "serve" on a free port and returns when it answers. The error of
// a failed start holds everything that the process printed.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Binary == "" {
		path, err := Build()
		if err != nil {
			return nil, err
		}
		o.Binary = path
	}
	if o.Command == "" {
		o.Command = "serve"
	}
	if o.Probe == "" {
		o.Probe = "/healthz"
	}
	for try := 0; ; try++ {
		s, err := start(ctx, o)
		// Another process may take the port between our look and the bind.
		if err != nil && try < 3 && errors.Is(err, errExited) && (strings.Contains(err.Error(), "in use") || strings.Contains(err.Error(), "is taken")) {
			continue
		}
		return s, err
	}
}

func start(ctx context.Context, o Options) (*Server, error) {
	addr, err := FreeAddr()
	if err != nil {
		return nil, err
	}
	s, err := Launch(o, addr)
	if err != nil {
		return nil, err
	}
	return s.ready(ctx, o.Probe)
}

// Exec starts any other server on the given address and returns when the probe
// answers 200.
func Exec(ctx context.Context, cmd *exec.Cmd, addr, probe string) (*Server, error) {
	s, err := launch(cmd, addr)
	if err != nil {
		return nil, err
	}
	return s.ready(ctx, probe)
}

// ready waits for the first answer and gives the server back, or ends it.
func (s *Server) ready(ctx context.Context, probe string) (*Server, error) {
	if err := s.await(ctx, probe); err != nil {
		s.Kill()
		return nil, fmt.Errorf("%w\n%s", err, s.Output())
	}
	return s, nil
}

// Launch starts the process on the given address and does not wait for an
// answer. Home, Binary and Command must be set.
func Launch(o Options, addr string) (*Server, error) {
	args := append([]string{o.Command, "--http", addr, "--dir", filepath.Join(o.Home, "pb_data")}, o.Args...)
	cmd := exec.Command(o.Binary, args...)
	cmd.Dir = o.Home
	cmd.Env = append(cleanEnv(), o.Env...)
	s, err := launch(cmd, addr)
	if s != nil {
		s.Home, s.says = o.Home, s.URL
	}
	return s, err
}

func launch(cmd *exec.Cmd, addr string) (*Server, error) {
	s := &Server{URL: "http://" + addr, cmd: cmd, output: &buffer{}, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = s.output, s.output
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	s.began = time.Now()
	go func() {
		_ = cmd.Wait()
		close(s.done)
	}()
	return s, nil
}

func (s *Server) await(ctx context.Context, probe string) error {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+probe, nil)
		if err != nil {
			return err
		}
		if res, err := client.Do(req); err == nil {
			_ = res.Body.Close()
			// Another server may have taken the port: ours names it when it listens.
			if res.StatusCode == http.StatusOK && strings.Contains(s.Output(), s.says) {
				s.Started = time.Since(s.began)
				return nil
			}
		}
		select {
		case <-s.done:
			return errExited
		case <-ctx.Done():
			return fmt.Errorf("no answer from %s%s: %w", s.URL, probe, ctx.Err())
		case <-tick.C:
		}
	}
}

// PID is the number of the process.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Output is what the process has printed so far, on both streams.
func (s *Server) Output() string { return s.output.String() }

// Done is closed when the process has ended.
func (s *Server) Done() <-chan struct{} { return s.done }

// Signal sends a signal to the process.
func (s *Server) Signal(sig os.Signal) error { return s.cmd.Process.Signal(sig) }

// Kill ends the process at once (SIGKILL) and waits until it is gone.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill()
	<-s.done
}

// Stop asks the process to end (SIGTERM), waits, and returns its exit code.
func (s *Server) Stop() (code int, err error) {
	_ = s.Signal(syscall.SIGTERM)
	return s.Wait(Patience)
}

// Wait waits until the process has ended and returns its exit code. After
// limit it kills the process and returns an error.
func (s *Server) Wait(limit time.Duration) (code int, err error) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-s.done:
		return s.cmd.ProcessState.ExitCode(), nil
	case <-timer.C:
		s.Kill()
		return -1, fmt.Errorf("still running after %s\n%s", limit, s.Output())
	}
}

// FreeAddr asks the kernel for an unused port of the loopback address.
func FreeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}

// cleanEnv is the environment without settings of Bungalow that the person who
// runs the tests may have.
func cleanEnv() []string {
	var env []string
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "BUNGALOW_") {
			env = append(env, pair)
		}
	}
	return env
}

// buffer collects a process's output while others read it.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
