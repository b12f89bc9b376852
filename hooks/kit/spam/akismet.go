package spam

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"bungalow/hooks/kit/safehttp"
	"github.com/pocketbase/pocketbase/core"
)

// akismetURL is Akismet's API, version 1.1.
const akismetURL = "https://rest.akismet.com/1.1/comment-check"

// Question is what Akismet is asked.
type Question struct {
	Site      string // the site's address
	Permalink string
	Kind      string // "comment" or "contact-form"
	Author    string
	Email     string
	URL       string
	Text      string
	IP        string
	UserAgent string
}

// UsesAkismet reports whether the owner has set a key.
func UsesAkismet(app core.App) bool { return Of(app).loadOptions().AkismetKey != "" }

// AskAkismet asks whether a submission is spam; blatant means that nobody needs
// to look at it. Call it from a job, never in a request or a transaction.
func AskAkismet(ctx context.Context, app core.App, q Question) (isSpam, blatant bool, err error) {
	client := safehttp.Client(safehttp.Options{Timeout: 10 * time.Second, MaxBytes: 1 << 16})
	defer client.CloseIdleConnections()
	return ask(ctx, client, akismetURL, Of(app).loadOptions().AkismetKey, q)
}

func ask(ctx context.Context, client *http.Client, endpoint, key string, q Question) (isSpam, blatant bool, err error) {
	form := url.Values{
		"api_key": {key}, "blog": {q.Site}, "permalink": {q.Permalink}, "comment_type": {q.Kind},
		"comment_author": {q.Author}, "comment_author_email": {q.Email}, "comment_author_url": {q.URL},
		"comment_content": {q.Text}, "user_ip": {q.IP}, "user_agent": {q.UserAgent},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return false, false, fmt.Errorf("ask Akismet: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := client.Do(req)
	if err != nil {
		return false, false, fmt.Errorf("ask Akismet: %w", err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1024))
	if err != nil {
		return false, false, fmt.Errorf("ask Akismet: %w", err)
	}
	switch strings.TrimSpace(string(answer)) {
	case "true":
		return true, res.Header.Get("X-akismet-pro-tip") == "discard", nil
	case "false":
		return false, false, nil
	}
	return false, false, fmt.Errorf("ask Akismet: it answered %d %q", res.StatusCode, res.Header.Get("X-akismet-debug-help"))
}
