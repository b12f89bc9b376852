package pages

import (
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"bungalow/hooks/inbox"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
)

// shown are the types that a browser may show; everything else is a download.
var shown = []string{"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf"}

const (
	// sandbox is the policy of whatever a visitor sent: no script, no form, no
	// way out but a click.
	sandbox = "default-src 'none'; sandbox; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
	// maxInline bounds the pictures of a mail that are put into its page, in bytes.
	maxInline = 4 << 20
)

func picture(kind string) bool {
	return strings.HasPrefix(kind, "image/") && slices.Contains(shown, kind)
}

// size writes a number of bytes for people.
func size(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1_000_000:
		return fmt.Sprintf("%d kB", (n+999)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// messageOf finds the message of the address, in its conversation.
func messageOf(e *desk.Event) (*core.Record, error) {
	m, err := e.App.FindRecordById(schema.Messages, e.Request.PathValue("message"))
	if err != nil || m.GetString("conversation") != e.Request.PathValue("id") {
		return nil, inbox.ErrNotFound
	}
	return m, nil
}

func showFile(e *desk.Event) error {
	m, err := messageOf(e)
	if err != nil {
		return refuse(e, err)
	}
	name := e.Request.PathValue("file")
	if !slices.Contains(m.GetStringSlice("attachments"), name) {
		return refuse(e, inbox.ErrNotFound)
	}
	file := inbox.File{Name: name}
	for _, f := range inbox.Parts(m).Files {
		if f.Stored == name {
			file = f
		}
	}
	system, err := e.App.NewFilesystem()
	if err != nil {
		return refuse(e, err)
	}
	defer system.Close()
	content, err := system.GetReader(m.BaseFilesPath() + "/" + name)
	if err != nil {
		return refuse(e, err)
	}
	defer content.Close()
	head := make([]byte, 512)
	n, _ := io.ReadFull(content, head)
	kind, _, _ := strings.Cut(http.DetectContentType(head[:n]), ";")
	disposition := "attachment"
	if slices.Contains(shown, kind) {
		disposition = "inline"
	} else {
		kind = "application/octet-stream"
	}
	header := e.Response.Header()
	header.Set("Content-Security-Policy", sandbox)
	header.Set("Content-Type", kind)
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": file.Name}))
	if _, err := e.Response.Write(head[:n]); err != nil {
		return nil // the reader left
	}
	_, _ = io.Copy(e.Response, content)
	return nil
}

// showHTML shows the formatted text of a mail in a sandbox. Pictures from
// elsewhere are loaded only where ?images=1 asks for them, because that tells
// the sender who reads it.
func showHTML(e *desk.Event) error {
	m, err := messageOf(e)
	if err != nil {
		return refuse(e, err)
	}
	images, policy := "data:", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'; sandbox allow-popups allow-popups-to-escape-sandbox; "
	if e.Request.URL.Query().Get("images") == "1" {
		images = "data: https: http:"
	}
	body, err := pictures(e.App, m, m.GetString("html"))
	if err != nil {
		return refuse(e, err)
	}
	header := e.Response.Header()
	header.Set("Content-Security-Policy", policy+"img-src "+images)
	header.Set("Referrer-Policy", "no-referrer")
	return e.HTML(http.StatusOK, `<!doctype html><html lang=""><head><meta charset="utf-8"><title>`+html.EscapeString(m.GetString("subject"))+
		`</title><style>body{font:15px/1.5 system-ui,sans-serif;margin:12px;overflow-wrap:anywhere;background:#fff;color:#1b1b1b}img{max-width:100%;height:auto}table{max-width:100%}blockquote{margin:0 0 0 8px;padding-left:12px;border-left:2px solid #ccc}pre{white-space:pre-wrap}</style></head><body>`+
		body+`</body></html>`)
}

// pictures puts the mail's own pictures into its HTML, where they are named as
// cid:…, because a sandbox has no cookie to fetch them with.
func pictures(app core.App, m *core.Record, body string) (string, error) {
	if !strings.Contains(body, "cid:") {
		return body, nil
	}
	system, err := app.NewFilesystem()
	if err != nil {
		return "", err
	}
	defer system.Close()
	left := int64(maxInline)
	for _, f := range inbox.Parts(m).Files {
		if f.CID == "" || !picture(f.Type) || f.Size > left || !slices.Contains(m.GetStringSlice("attachments"), f.Stored) {
			continue
		}
		data, err := content(system, m, f.Stored)
		if err != nil {
			return "", err
		}
		left -= int64(len(data))
		address := "data:" + f.Type + ";base64," + base64.StdEncoding.EncodeToString(data)
		for _, cid := range []string{f.CID, url.PathEscape(f.CID)} {
			body = strings.ReplaceAll(body, `"cid:`+cid+`"`, `"`+address+`"`)
		}
	}
	return body, nil
}

func content(system *filesystem.System, m *core.Record, name string) ([]byte, error) {
	r, err := system.GetReader(m.BaseFilesPath() + "/" + name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, maxInline))
}
