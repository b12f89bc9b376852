package hooks_test

import (
	"maps"

	"bungalow/hooks/kit/web"
)

// ownSecret are the public routes that ask for a secret of their own.
var ownSecret = map[string]bool{"POST /api/site/mail/inbound": true, "POST /desk/enter/{$}": true}

// The routes of the inbox, decided like all the others.
func init() {
	maps.Copy(decided, map[string]web.Access{
		"POST /api/site/mail/inbound":                              web.Public,
		"GET /desk/mail-delivery/{$}":                              web.Owner,
		"POST /desk/mail-delivery/{$}":                             web.Owner,
		"GET /desk/inbox/{$}":                                      "inbox.answer",
		"GET /desk/inbox/live/{$}":                                 "inbox.answer",
		"POST /desk/inbox/bulk/{$}":                                "inbox.answer",
		"POST /desk/inbox/views/{$}":                               "inbox.answer",
		"GET /desk/inbox/{id}/{$}":                                 "inbox.answer",
		"POST /desk/inbox/{id}/reply/{$}":                          "inbox.answer",
		"POST /desk/inbox/{id}/note/{$}":                           "inbox.answer",
		"POST /desk/inbox/{id}/act/{$}":                            "inbox.answer",
		"POST /desk/inbox/{id}/typing/{$}":                         "inbox.answer",
		"POST /desk/inbox/{id}/messages/{message}/undo/{$}":        "inbox.answer",
		"POST /desk/inbox/{id}/messages/{message}/split/{$}":       "inbox.answer",
		"GET /desk/inbox/{id}/messages/{message}/html/{$}":         "inbox.answer",
		"GET /desk/inbox/{id}/messages/{message}/files/{file}/{$}": "inbox.answer",
		"GET /desk/canned-replies/{$}":                             "inbox.answer",
		"POST /desk/canned-replies/{$}":                            "inbox.answer",
	})
}
