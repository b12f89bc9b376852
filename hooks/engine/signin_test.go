package engine

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// occupy takes all turns and gives them back at the end.
func occupy(t testing.TB, turns *turns) (release func()) {
	t.Helper()
	var all []func()
	for range cap(turns.free) {
		one, err := turns.take(context.Background())
		must(t, err)
		all = append(all, one)
	}
	return func() {
		for _, one := range all {
			one()
			one() // twice is once
		}
	}
}

// later sends a request in the background, as the owner of ctx.
func (s *site) later(ctx context.Context, method, path, body string) <-chan *httptest.ResponseRecorder {
	done := make(chan *httptest.ResponseRecorder, 1)
	go func() {
		rec := httptest.NewRecorder()
		req := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		s.handler.ServeHTTP(rec, req)
		done <- rec
	}()
	return done
}

const signIn = `{"identity":"ada@example.com","password":"` + password + `"}`

func TestWhoSignsInWaitsForATurn(t *testing.T) {
	t.Parallel()
	var inside atomic.Int64
	s := serve(t, "", Options{SignIn: true}, func(app core.App, _ *core.ServeEvent) {
		app.OnRecordAuthRequest().BindFunc(func(e *core.RecordAuthRequestEvent) error {
			inside.Store(int64(len(Of(app).signIn.free)))
			return e.Next()
		})
	})
	user, token := s.user(t, "ada@example.com")
	users, _ := s.FindCollectionByNameOrId("users")
	users.UpdateRule, users.CreateRule = types.Pointer("id = @request.auth.id"), types.Pointer("")
	must(t, s.Save(users))
	release := occupy(t, Of(s.App).signIn)
	ctx, cancel := context.WithCancel(t.Context())
	waits := map[string]<-chan *httptest.ResponseRecorder{
		"sign-in": s.later(t.Context(), http.MethodPost, "/api/collections/users/auth-with-password", signIn),
		"sign-up": s.later(t.Context(), http.MethodPost, "/api/collections/users/records", `{"email":"bob@example.com","password":"12345678","passwordConfirm":"12345678"}`),
	}
	gone := s.later(ctx, http.MethodPost, "/api/collections/users/auth-with-password", signIn)
	// Others feel nothing.
	if status, _, body := s.get("/api/collections/users/records/"+user.Id, token); status != 200 {
		t.Error(body)
	}
	if status, _, body := s.do(http.MethodPatch, "/api/collections/users/records/"+user.Id, `{"name":"Ada"}`, "Authorization", token, "Content-Type", "application/json"); status != 200 {
		t.Error(body)
	}
	cancel()
	if rec := <-gone; rec.Code == http.StatusOK {
		t.Error("whoever left was signed in")
	}
	for what, done := range waits {
		select {
		case rec := <-done:
			t.Errorf("%s did not wait: %d %s", what, rec.Code, rec.Body)
		default:
		}
	}
	release()
	for what, done := range waits {
		if rec := <-done; rec.Code != http.StatusOK {
			t.Errorf("%s: %d %s", what, rec.Code, rec.Body)
		}
	}
	s.do(http.MethodPost, "/api/collections/users/auth-with-password", signIn, "Content-Type", "application/json")
	if inside.Load() != 0 || len(Of(s.App).signIn.free) != 0 {
		t.Error("the turn is kept after the password was accepted")
	}
}

func TestSignInsAnswerAsPocketBaseDoes(t *testing.T) {
	t.Parallel()
	theirs, ours := serve(t, "", Options{}), serve(t, "", Options{SignIn: true})
	for _, s := range []*site{theirs, ours} {
		s.user(t, "ada@example.com")
	}
	for _, c := range []struct{ path, body string }{
		{"users/auth-with-password", `{"identity":"ada@example.com","password":"wrong"}`},
		{"users/auth-with-password", `{"identity":"nobody@example.com","password":"wrong"}`},
		{"users/auth-with-password", `{"identity":"","password":""}`},
		{"users/auth-with-password", `{`},
		{"nothing/auth-with-password", signIn},
		{"users/confirm-password-reset", `{"token":"x","password":"12345678","passwordConfirm":"12345678"}`},
		{"users/records", `{"password":"1"}`},
		{"users/records", `{"password":`},
		{"nothing/records", `{"password":"1"}`},
	} {
		wantStatus, _, want := theirs.do(http.MethodPost, "/api/collections/"+c.path, c.body, "Content-Type", "application/json")
		status, _, got := ours.do(http.MethodPost, "/api/collections/"+c.path, c.body, "Content-Type", "application/json")
		if status != wantStatus || got != want {
			t.Errorf("%v: %d %s, PocketBase %d %s", c, status, got, wantStatus, want)
		}
	}
	if n := len(Of(ours.App).signIn.free); n != 0 {
		t.Errorf("%d turns are lost", n)
	}
}

func TestTurnsAreBounded(t *testing.T) {
	t.Parallel()
	turns := newTurns(3)
	var now, most atomic.Int64
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() {
			release, err := turns.take(context.Background())
			must(t, err)
			defer release()
			n := now.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			time.Sleep(time.Millisecond) // so that turns overlap
			now.Add(-1)
		})
	}
	wg.Wait()
	if most.Load() > 3 {
		t.Errorf("%d at once", most.Load())
	}
}
