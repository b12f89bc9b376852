package engine

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"bungalow/hooks/kit/cache"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// whoami answers the name of the token's account, and spoils the record.
func whoami(_ core.App, e *core.ServeEvent) {
	e.Router.GET("/t/who", func(e *core.RequestEvent) error {
		if e.Auth == nil {
			return e.String(200, "nobody")
		}
		name := e.Auth.GetString("name")
		e.Auth.Set("name", "spoiled")
		e.Auth.Set("extra", "spoiled")
		e.Auth.Hide("email")
		return e.String(200, name+e.Auth.GetString("custom"))
	})
}

func TestEveryChangeOfAnAccountIsObeyedAtOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(t *testing.T, s *site, user *core.Record)
		want   string
	}{
		"nothing": {func(*testing.T, *site, *core.Record) {}, "Ada"},
		"another account": {func(t *testing.T, s *site, _ *core.Record) {
			s.user(t, "bob@example.com")
		}, "Ada"},
		"password": {func(t *testing.T, s *site, u *core.Record) {
			u.SetPassword("another-password")
			must(t, s.Save(u))
		}, "nobody"},
		"name over the API": {func(t *testing.T, s *site, u *core.Record) {
			token, _ := u.NewAuthToken()
			if status, _, body := s.do(http.MethodPatch, "/api/collections/users/records/"+u.Id, `{"name":"Eve"}`,
				"Authorization", token, "Content-Type", "application/json"); status != 200 {
				t.Error(body)
			}
		}, "Eve"},
		"deleted": {func(t *testing.T, s *site, u *core.Record) { must(t, s.Delete(u)) }, "nobody"},
		"signed out everywhere, in a transaction": {func(t *testing.T, s *site, u *core.Record) {
			must(t, s.RunInTransaction(func(tx core.App) error {
				u.RefreshTokenKey()
				return tx.Save(u)
			}))
		}, "nobody"},
		"the collection's secret": {func(t *testing.T, s *site, u *core.Record) {
			c, _ := s.FindCollectionByNameOrId("users")
			c.AuthToken.Secret = strings.Repeat("new", 20)
			must(t, s.Save(c))
		}, "nobody"},
		"the collection's name": {func(t *testing.T, s *site, u *core.Record) {
			c, _ := s.FindCollectionByNameOrId("users")
			c.Name = "people"
			must(t, s.Save(c))
			s.get("/t/who", "")
			u, _ = s.FindRecordById("people", u.Id)
			u.Set("name", "Renamed")
			must(t, s.Save(u))
		}, "Renamed"},
		"the collection is gone": {func(t *testing.T, s *site, u *core.Record) {
			c, _ := s.FindCollectionByNameOrId("users")
			must(t, s.Delete(c))
		}, "nobody"},
		"another process": {func(t *testing.T, s *site, u *core.Record) {
			_, err := s.NonconcurrentDB().NewQuery("UPDATE users SET name='Theirs'").Execute()
			must(t, err)
			cache.Of(s.App).BumpAll() // as the watch does
		}, "Theirs"},
		"raw SQL": {func(t *testing.T, s *site, u *core.Record) {
			must(t, tryExec(s, "UPDATE users SET name='Raw'"))
		}, "Raw"},
		"a key by raw SQL in a transaction": {func(t *testing.T, s *site, u *core.Record) {
			must(t, s.RunInTransaction(func(tx core.App) error {
				_, err := tx.DB().Update("users", dbx.Params{"tokenKey": strings.Repeat("k", 40)}, dbx.HashExp{"id": u.Id}).Execute()
				return err
			}))
		}, "nobody"},
		"settings": {func(t *testing.T, s *site, u *core.Record) { must(t, s.Save(s.Settings())) }, "Ada"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, "", Options{Tokens: true}, whoami)
			user := s.save(t, "users", map[string]any{"email": "ada@example.com", "password": password, "name": "Ada"})
			token, err := user.NewAuthToken()
			must(t, err)
			for range 3 {
				if _, _, who := s.get("/t/who", "Bearer "+token); who != "Ada" {
					t.Fatalf("it is %q", who)
				}
			}
			c.change(t, s, user)
			for range 3 {
				if _, _, who := s.get("/t/who", token); who != c.want {
					t.Fatalf("it is %q", who)
				}
			}
		})
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestATokenGivesTheRecordThatPocketBaseLoads(t *testing.T) {
	t.Parallel()
	s := serve(t, "", Options{Tokens: true})
	_, token := s.user(t, "ada@example.com")
	known := newTokens(cache.Of(s.App), bindCommits(s.App))
	for range 3 {
		want, err := s.FindAuthRecordByToken(token, core.TokenTypeAuth)
		must(t, err)
		got, err := known.find(s.App, token)
		must(t, err)
		if !reflect.DeepEqual(want, got) {
			t.Errorf("PocketBase %+v\nengine     %+v", want, got)
		}
		got.Set("name", "spoiled")
	}
	for _, bad := range []string{"", "x", token + "x", strings.ToUpper(token)} {
		if r, err := known.find(s.App, bad); r != nil || err == nil {
			t.Errorf("%q gives %v, %v", bad, r, err)
		}
	}
	if len(known.known) != 1 {
		t.Errorf("%d tokens are remembered", len(known.known))
	}
}

func TestOneAppsTokensAreNotAnothers(t *testing.T) {
	t.Parallel()
	one, two := serve(t, "", Options{Tokens: true}, whoami), serve(t, "", Options{Tokens: true}, whoami)
	_, token := one.user(t, "ada@example.com")
	two.user(t, "ada@example.com") // the same id
	if _, _, who := one.get("/t/who", token); who == "nobody" {
		t.Error("its own app does not know it")
	}
	if _, _, who := two.get("/t/who", token); who != "nobody" {
		t.Errorf("the other app takes it for %q", who)
	}
}

func TestATokenIsForgottenInTime(t *testing.T) {
	t.Parallel()
	s := serve(t, "", Options{Tokens: true})
	user, _ := s.user(t, "ada@example.com")
	for life, asked := range map[time.Duration]time.Duration{time.Hour: tokenFor, 10 * time.Second: 10 * time.Second} {
		token, err := user.NewStaticAuthToken(life)
		must(t, err)
		known, now := newTokens(cache.Of(s.App), bindCommits(s.App)), time.Now()
		known.now = func() time.Time { return now }
		_, err = known.find(s.App, token)
		must(t, err)
		now = now.Add(asked - 2*time.Second)
		if !known.known[token].good(s.App, now) {
			t.Errorf("%s: forgotten too early", life)
		}
		now = now.Add(3 * time.Second)
		if known.known[token].good(s.App, now) {
			t.Errorf("%s: remembered too long", life)
		}
	}
}

func TestTokensAreBounded(t *testing.T) {
	t.Parallel()
	known := newTokens(cache.New(1<<20), nil)
	for i := range 3 * tokensKept {
		known.keep(fmt.Sprint(i), &knownToken{stamp: known.cache.Stamp(), until: time.Now().Add(time.Hour)})
	}
	if n := len(known.known); n > tokensKept {
		t.Errorf("%d are kept", n)
	}
}

// TestNoOldAccountUnderLoad changes an account again and again while others
// read it: who asks after a change never sees what was before.
func TestNoOldAccountUnderLoad(t *testing.T) {
	t.Parallel()
	s := serve(t, "", Options{Tokens: true}, whoami)
	user, token := s.user(t, "ada@example.com")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					s.get("/t/who", token)
				}
			}
		})
	}
	for i := range 30 {
		want := fmt.Sprint("Ada ", i)
		user.Set("name", want)
		must(t, s.Save(user))
		for range 3 {
			if _, _, who := s.get("/t/who", token); who != want {
				t.Fatalf("%q instead of %q", who, want)
			}
		}
	}
	close(stop)
	wg.Wait()
}

func BenchmarkGetWithToken(b *testing.B) {
	for name, o := range map[string]Options{"vanilla": {}, "tokens": {Tokens: true}} {
		b.Run(name, func(b *testing.B) {
			s := serve(b, "", o, whoami)
			_, token := s.user(b, "ada@example.com")
			b.ReportAllocs()
			for b.Loop() {
				s.get("/t/who", token)
			}
		})
	}
}
