package engine

import (
	"net/http"
	"strings"
	"sync"

	"github.com/pocketbase/pocketbase/core"
)

// wish is what the first line of a request comes to, and its host: PocketBase's
// router was seen to lead it to a list or a view.
type wish struct {
	models []*core.Collection // the app's collections when it was read
	serial uint64
	rest   string // path and query, in order
	guest  string // where the answer to strangers lies

	uri, message string // for the log
}

const (
	// wishesKept is how many addresses are known, and wishLength how long the
	// address and the host may be together: 8 MB in all at most, a tenth of
	// it usually.
	wishesKept = 4096
	wishLength = 1 << 10
)

// wishes are the addresses that were asked for more than once.
type wishes struct {
	mu    sync.RWMutex
	known map[string]*wish
}

// find gives nil for an address that is not known, or was known before some
// collection changed. PocketBase makes a new list of models each time.
func (ws *wishes) find(app core.App, r *http.Request) *wish {
	if len(r.Host)+len(r.RequestURI) > wishLength {
		return nil
	}
	var buffer [wishLength + 1]byte
	name := append(append(append(buffer[:0], r.Host...), 0), r.RequestURI...)
	ws.mu.RLock()
	w := ws.known[string(name)]
	ws.mu.RUnlock()
	if w == nil || !sameModels(w.models, models(app)) {
		return nil
	}
	return w
}

// learn remembers a request that was answered from memory behind the router.
func (ws *wishes) learn(e *core.RequestEvent, serial uint64, rest string) {
	r := e.Request
	if len(r.Host)+len(r.RequestURI) > wishLength || r.URL.RawPath != "" || e.App.IsTransactional() {
		return
	}
	row := requestRow{method: http.MethodGet, uri: cut(r.URL.RequestURI(), 3000)}
	w := &wish{models: models(e.App), serial: serial, rest: rest, guest: answerKey(serial, nil, rest), uri: row.uri, message: row.message()}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for old := range ws.known {
		if len(ws.known) < wishesKept {
			break
		}
		delete(ws.known, old)
	}
	ws.known[strings.Clone(r.Host)+"\x00"+r.RequestURI] = w
}

// models are the app's collections as PocketBase has them in memory.
func models(app core.App) []*core.Collection {
	all, _ := app.Store().Get(core.StoreKeyCachedCollections).([]*core.Collection)
	return all
}

// sameModels reports whether a and b are one list, not lists that are alike.
func sameModels(a, b []*core.Collection) bool {
	return len(a) > 0 && len(a) == len(b) && &a[0] == &b[0]
}
