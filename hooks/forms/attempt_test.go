package forms_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"bungalow/hooks/forms"
	"bungalow/hooks/kit/events"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"bungalow/hooks/kit/spam"
	"github.com/pocketbase/pocketbase/core"
)

// Many who write at once are each stored with the own outcome: a neighbour that
// is refused, that panics, or that was sent twice takes nobody along.
func TestManyAtOnceEachWithTheOwnOutcome(t *testing.T) {
	t.Parallel()
	app := contact(t)
	sitetest.Make(t, app, schema.Settings, map[string]any{"feature": spam.Feature, "value": spam.Options{NoLimits: true}})
	events.OnFormSubmit(app).BindFunc(func(e *events.SubmitEvent) error {
		switch name := e.Values["name"][0]; {
		case strings.HasPrefix(name, "refuse"):
			return errors.New("refused")
		case strings.HasPrefix(name, "panic"):
			panic("a hook's fault")
		}
		e.Values["message"] = []string{e.Values["message"][0] + "!"}
		return e.Next()
	})
	var all sync.WaitGroup
	var mu sync.Mutex
	answers := map[string]int{}
	for i := range 120 {
		name := fmt.Sprintf("good %d", i)
		switch {
		case i%20 == 7:
			name = fmt.Sprintf("refuse %d", i)
		case i%40 == 9:
			name = fmt.Sprintf("panic %d", i)
		case i%10 == 3:
			name = "twice"
		}
		all.Go(func() {
			res, _ := app.JSON("POST", "/f/contact", "", `{"name":"`+name+`","email":"ada@example.com","message":"Hello"}`)
			mu.Lock()
			defer mu.Unlock()
			kind, _, _ := strings.Cut(name, " ")
			answers[fmt.Sprintf("%s %d", kind, res.StatusCode)]++
		})
	}
	all.Wait()
	want := map[string]int{"good 201": 99, "refuse 500": 6, "panic 500": 3, "twice 201": 12}
	if fmt.Sprint(answers) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", answers, want)
	}
	if n := total(t, app); n != 100 {
		t.Errorf("%d are stored, want 100", n)
	}
	twice, err := app.FindAllRecords(schema.Submissions)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range twice {
		if !strings.Contains(r.GetString("data"), `"message":"Hello!"`) || r.GetString("conversation") == "" {
			t.Fatalf("stored %s", r.GetString("data"))
		}
	}
}

func TestATransactionOfTheCallersIsJoined(t *testing.T) {
	t.Parallel()
	app := contact(t)
	sent := forms.Sent{Values: map[string][]string{"name": {"Ada"}, "email": {"ada@example.com"}, "message": {"Hello"}}, IP: "192.0.2.1"}
	stop := errors.New("stop")
	err := app.RunInTransaction(func(tx core.App) error {
		if _, err := forms.Submit(tx, "contact", sent); err != nil {
			return err
		}
		return stop
	})
	if !errors.Is(err, stop) || total(t, app) != 0 {
		t.Errorf("%v, %d stored", err, total(t, app))
	}
	if _, err := forms.Submit(app, "contact", sent); err != nil || total(t, app) != 1 {
		t.Errorf("%v, %d stored", err, total(t, app))
	}
}
