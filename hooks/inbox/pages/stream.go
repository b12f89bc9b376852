package pages

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"bungalow/hooks/inbox/live"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

const (
	// beat keeps proxies from closing a quiet stream.
	beat = 25 * time.Second
	// streamFor ends a stream, so that who may see it is asked anew.
	streamFor = 10 * time.Minute
)

// stream is the live channel of one page: events "people", with who else is
// there, and "changed", on which the page loads anew.
func stream(e *desk.Event) error {
	p := &live.Page{Conversation: e.Request.URL.Query().Get("conversation"), Person: e.Auth.Id, Name: desk.PersonOf(e.Auth).Name}
	if len(p.Conversation) > 30 {
		return router.NewBadRequestError("", nil)
	}
	if !strings.Contains(e.Request.Header.Get("Accept"), "text/event-stream") {
		return router.NewApiError(http.StatusNotAcceptable, "This is a stream of events, for a script.", nil)
	}
	hub := live.Of(e.App)
	if !hub.Join(p) {
		return router.NewApiError(http.StatusServiceUnavailable, "Too many pages are open.", nil)
	}
	defer hub.Leave(p)
	control := http.NewResponseController(e.Response)
	header := e.Response.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("X-Accel-Buffering", "no")
	send := func(event string, data any) error {
		raw, err := json.Marshal(data)
		if err != nil {
			return err
		}
		_ = control.SetWriteDeadline(time.Now().Add(beat)) // test writers have none
		if _, err := fmt.Fprintf(e.Response, "event: %s\ndata: %s\n\n", event, raw); err != nil {
			return err
		}
		return control.Flush()
	}
	pump(e, p, hub, send)
	return nil
}

// pump sends until the reader leaves, the server stops or the time is over.
func pump(e *desk.Event, p *live.Page, hub *live.Hub, send func(event string, data any) error) {
	end, tick := time.NewTimer(streamFor), time.NewTicker(beat)
	defer end.Stop()
	defer tick.Stop()
	err := send(string(live.People), hub.Others(p.Conversation, p.Person))
	for err == nil {
		select {
		case <-e.Request.Context().Done():
			return
		case <-hub.Over():
			return
		case <-end.C:
			return
		case <-tick.C:
			if !still(e.App, e.Auth) {
				return
			}
			err = send("beat", nil)
		case news := <-p.News:
			if news == live.People {
				err = send(string(news), hub.Others(p.Conversation, p.Person))
			} else {
				err = send(string(news), nil)
			}
		}
	}
}

// still reports whether the person may still answer.
func still(app core.App, person *core.Record) bool {
	fresh, err := app.FindRecordById(person.Collection(), person.Id)
	return err == nil && web.Allowed(fresh, web.Access(roles.InboxAnswer))
}
