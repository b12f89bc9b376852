package binary

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Client speaks JSON to a running server.
type Client struct {
	Base  string // http://127.0.0.1:port
	Token string // sent as Authorization when set
}

var httpClient = &http.Client{
	Timeout:       30 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// Answer is a response whose body was read.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends body (nil, a string as it is, anything else as JSON) and returns
// the answer, whatever its status. Redirects are not followed.
func (c Client) Do(ctx context.Context, method, path string, body any) (Answer, error) {
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			return Answer{}, err
		}
		reader = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.Base+path, reader)
	if err != nil {
		return Answer{}, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.Token != "" {
		req.Header.Set("Authorization", c.Token)
	}
	res, err := httpClient.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	return Answer{Status: res.StatusCode, Header: res.Header, Body: raw}, err
}

// Call is Do for callers who need success: a status of 400 or more is an error
// that holds the body. The answer's JSON is read into out unless it is nil.
func (c Client) Call(ctx context.Context, method, path string, body, out any) error {
	a, err := c.Do(ctx, method, path, body)
	if err != nil {
		return err
	}
	if a.Status >= 400 {
		return fmt.Errorf("%s %s: status %d: %s", method, path, a.Status, a.Body)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(a.Body, out)
}

// The superuser that Superuser makes.
const (
	SuperuserEmail    = "root@example.com"
	SuperuserPassword = "correct-horse-battery"
)

// Superuser makes the superuser by the command line and returns a client that
// is signed in. It works before and while the server runs.
func (s *Server) Superuser(ctx context.Context) (Client, error) {
	c := Client{Base: s.URL}
	r, err := Run(ctx, s.Home, "superuser", "upsert", SuperuserEmail, SuperuserPassword)
	if err != nil {
		return c, err
	}
	if r.Code != 0 {
		return c, fmt.Errorf("superuser upsert: exit code %d: %s%s", r.Code, r.Stdout, r.Stderr)
	}
	var auth struct {
		Token string `json:"token"`
	}
	err = c.Call(ctx, http.MethodPost, "/api/collections/_superusers/auth-with-password",
		map[string]string{"identity": SuperuserEmail, "password": SuperuserPassword}, &auth)
	c.Token = auth.Token
	return c, err
}
