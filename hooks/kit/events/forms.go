package events

import (
	"bungalow/hooks/kit/audit"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// SubmitEvent is what forms.OnSubmit announces.
type SubmitEvent struct {
	hook.Event
	// App is the transaction's app: what handlers write commits or vanishes
	// together with the submission.
	App core.App
	// Form is the form's record.
	Form *core.Record
	// Submission is the record that will be stored; it has its id and is not saved.
	Submission *core.Record
	// Values are the answers by the field's name, already checked. What a
	// handler puts in is stored.
	Values map[string][]string

	scored []Scored
}

// Scored is one call of SubmitEvent.Score.
type Scored struct {
	Points int
	Reason string
}

// Score makes the submission look more like spam, or less with a negative
// number; with 100 points it is filed as spam. Staff read the reason.
func (e *SubmitEvent) Score(points int, reason string) {
	e.scored = append(e.scored, Scored{points, reason})
}

// Scores lists what handlers said with Score.
func (e *SubmitEvent) Scores() []Scored { return e.scored }

// OnFormSubmit fires for each submission of a form, in the transaction that
// stores it, after its fields were found good. An error refuses it: nothing is
// stored, and the visitor reads the text of an error made by PocketBase's
// router (e.g. apis.NewBadRequestError), and a general one otherwise.
func OnFormSubmit(app core.App) *hook.Hook[*SubmitEvent] {
	return Of[*SubmitEvent](app, "forms.OnSubmit")
}

// EraseEvent is what contact.OnErase announces.
type EraseEvent struct {
	hook.Event
	// App is the transaction's app.
	App core.App
	// By is who asked for it.
	By audit.Actor
	// Email is the person's address, in lower case.
	Email string
	// Removed counts by collection what handlers deleted or made nameless.
	Removed map[string]int
}

// OnErase fires when staff erase a person by the address: every feature that
// keeps something of the person removes it, in one transaction. An error keeps
// everything.
func OnErase(app core.App) *hook.Hook[*EraseEvent] {
	return Of[*EraseEvent](app, "contact.OnErase")
}
