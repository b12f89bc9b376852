package options

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/secret"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
)

// seenField is the hidden field of a form that says what stood in the others.
const seenField = "_seen"

// Stored is what became of a form. Where it has Faults or a Clash, nothing was
// changed.
type Stored struct {
	Options any      // as the form left them
	Changed []string // fields that have another value now
	Kept    []string // fields that somebody else changed and this form did not
	Clash   []string // fields that both changed
	Theirs  any      // what is stored, for a clash
	Faults  desk.Faults
}

// errNotStored rolls a transaction back whose form has faults or clashes.
var errNotStored = errors.New("the form was not stored")

// Store changes a setting by a form, in one transaction with its audit line.
// What somebody else has changed since the form was drawn is never lost: see
// desk.Merge. A form that doesn't say what it was drawn from wins.
func Store(app core.App, s desk.Setting, form web.Values, by audit.Actor) (done Stored, err error) {
	key, err := markKey(app)
	if err != nil {
		return done, err
	}
	err = app.RunInTransaction(func(tx core.App) error {
		if done.Theirs, err = s.Options(tx); err != nil {
			return err
		}
		if done.Options, err = s.Options(tx); err != nil {
			return err
		}
		if done.Faults = desk.Fill(done.Options, form); len(done.Faults) > 0 {
			return errNotStored
		}
		if done.Kept, done.Clash = desk.Merge(done.Theirs, done.Options, seenIn(form), key); len(done.Clash) > 0 {
			return errNotStored
		}
		if done.Changed = desk.Changed(done.Theirs, done.Options); len(done.Changed) == 0 {
			return nil
		}
		if err := s.Save(tx, done.Options); err != nil {
			if done.Faults = refusals(err, done.Options); len(done.Faults) > 0 {
				return errNotStored
			}
			return err
		}
		return audit.Write(tx, by, "settings.save", schema.Settings, s.Address(), map[string]any{"fields": done.Changed})
	})
	if errors.Is(err, errNotStored) {
		err = nil
	}
	return done, err
}

func markKey(app core.App) ([]byte, error) { return secret.Derive(app, "settings.seen") }

func marksOf(app core.App, options any) (desk.Marks, error) {
	key, err := markKey(app)
	if err != nil {
		return nil, err
	}
	return desk.MarksOf(options, key), nil
}

// seenIn reads what the form was drawn from, nothing where it doesn't say.
func seenIn(form web.Values) desk.Marks {
	var seen desk.Marks
	_ = json.Unmarshal([]byte(form.Get(seenField)), &seen) // a damaged one marks nothing
	return seen
}

// renderClash shows the form as it was sent, with the other's value beside each
// field that both changed. Sent once more, it is this person's choice.
func renderClash(e *desk.Event, s desk.Setting, form web.Values, done Stored) error {
	now, err := marksOf(e.App, done.Theirs)
	if err != nil {
		return err
	}
	seen, faults := seenIn(form), desk.Faults{"": e.T("Somebody else has saved these settings since you opened them. What only one of you changed is kept as it was meant; look at the marked fields and save again.")}
	for _, f := range desk.Fields(done.Theirs) {
		if !slices.Contains(done.Clash, f.Name) {
			continue
		}
		seen[f.Name] = now[f.Name]
		faults[f.Name] = e.T("Somebody else has set this to “%s” meanwhile. Saved again, yours takes its place.", inWords(e, f))
		if f.Kind == "secret" {
			faults[f.Name] = e.T("Somebody else has set this meanwhile. To put yours in its place, type it once more.")
		}
	}
	return render(e, http.StatusConflict, s, done.Options, form, faults, seen)
}

// inWords is the value of a field as a person reads it.
func inWords(e *desk.Event, f desk.Field) string {
	switch f.Kind {
	case "switch":
		if f.On {
			return e.T("on")
		}
		return e.T("off")
	case "choice":
		for _, c := range f.Options {
			if c.Value == f.Value {
				return e.T(c.Label)
			}
		}
	}
	return strings.ReplaceAll(f.Value, "\n", ", ")
}

// labels are the names of fields as the form shows them.
func labels(e *desk.Event, options any, names []string) string {
	var all []string
	for _, f := range desk.Fields(options) {
		if slices.Contains(names, f.Name) {
			all = append(all, e.T(f.Label))
		}
	}
	return strings.Join(all, ", ")
}
