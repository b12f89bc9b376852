package events

import (
	"bungalow/hooks/kit/spam"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// CommentSubmitEvent is what comments.OnSubmit announces.
type CommentSubmitEvent struct {
	hook.Event
	App core.App
	// Record is the comment, not yet saved; change what should be stored. Its
	// html follows from body unless a handler sets it.
	Record *core.Record
	// Verdict is what the layers against spam found. Add gives further reasons;
	// 50 points hold a comment, 100 file it as spam.
	Verdict *spam.Verdict
}

// OnCommentSubmit fires for each comment of a visitor after it was judged and
// before it is stored, outside any transaction. An error refuses the comment;
// an ApiError's message is shown to the visitor.
func OnCommentSubmit(app core.App) *hook.Hook[*CommentSubmitEvent] {
	return Of[*CommentSubmitEvent](app, "comments.OnSubmit")
}

// CommentApproveEvent is what comments.OnApprove announces.
type CommentApproveEvent struct {
	hook.Event
	// App is the transaction's app: what handlers write commits or vanishes
	// together with the approval.
	App core.App
	// Record is the comment, with its new status.
	Record *core.Record
}

// OnCommentApprove fires when visitors may see a comment from now on, at once
// or by a moderator's decision, in the transaction that stores it. An error
// refuses the approval. Imported comments don't fire it.
func OnCommentApprove(app core.App) *hook.Hook[*CommentApproveEvent] {
	return Of[*CommentApproveEvent](app, "comments.OnApprove")
}
