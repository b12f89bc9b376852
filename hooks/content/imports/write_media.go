package imports

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"bungalow/hooks/content"
	"bungalow/hooks/content/media"
	"bungalow/hooks/content/text"
	"bungalow/hooks/kit/address"
	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
)

// media takes note of a file that lies elsewhere, and with --media has it
// brought here.
func (w *writer) media(i *Item) error {
	if !w.options.Media {
		w.report.skip(&Item{Kind: KindMedia, Name: i.URL}, "it stays at its address; --media brings it here")
		w.report.Addresses = append(w.report.Addresses, i.URL)
		return nil
	}
	_, err := w.remote(i, i.URL, i.Alt, i.Caption)
	return err
}

// remoteKey is the source key of the file at an address, whatever import
// speaks of it.
func remoteKey(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return ""
	}
	return "url:" + shortHash(strings.ToLower(u.Host), u.Path)
}

// remote makes the media record of a file elsewhere, asks the queue for the
// file, and returns the record's id; "" where the address is none.
func (w *writer) remote(i *Item, raw, alt, caption string) (string, error) {
	key := remoteKey(raw)
	if key == "" || absolute(raw) == "" || len(raw) > 2000 {
		i.note("the address " + text.Excerpt(raw, 80) + " is none that can be fetched")
		return "", nil
	}
	r, err := w.find(schema.Media, key)
	if err != nil {
		return "", err
	}
	if r != nil && r.GetString("file") != "" {
		w.count(&w.report.of(KindMedia).Unchanged)
		return r.Id, nil
	}
	if r == nil {
		if r, err = w.newMedia(key, alt, caption); err != nil {
			return "", err
		}
		r.Set("source_url", raw)
		if err := w.app.Save(r); err != nil {
			return "", err
		}
		w.count(&w.report.of(KindMedia).Created)
	} else {
		w.count(&w.report.of(KindMedia).Unchanged)
		// A post may name its cover before the export describes the file.
		if r.GetString("alt") == "" && r.GetString("caption") == "" && alt+caption != "" {
			r.Set("alt", text.Excerpt(alt, 1000))
			r.Set("caption", text.Excerpt(caption, 5000))
			if err := w.app.Save(r); err != nil {
				return "", err
			}
		}
	}
	return r.Id, queue.Enqueue(w.app, fetchKind, fetchJob{r.Id}, queue.Unique("import.media:"+r.Id))
}

func (w *writer) newMedia(key, alt, caption string) (*core.Record, error) {
	c, err := w.app.FindCachedCollectionByNameOrId(schema.Media)
	if err != nil {
		return nil, err
	}
	r := core.NewRecord(c)
	r.Set("source_key", key)
	r.Set("alt", text.Excerpt(alt, 1000))
	r.Set("caption", text.Excerpt(caption, 5000))
	return r, nil
}

// cover returns the id of the picture that stands for an item.
func (w *writer) cover(i *Item) (string, error) {
	if file := i.Images[i.Cover]; file != "" {
		r, err := w.local(i, file, i.Alt)
		if r == nil {
			return "", err
		}
		return r.Id, err
	}
	switch {
	case i.Cover == "":
		return "", nil
	case w.options.Media:
		return w.remote(i, i.Cover, i.Alt, "")
	}
	if key := remoteKey(i.Cover); key != "" {
		// An earlier import may have brought it.
		if r, err := w.find(schema.Media, key); err != nil || r != nil {
			if err != nil {
				return "", err
			}
			return r.Id, nil
		}
	}
	i.note("its picture " + i.Cover + " stays where it is; --media brings it here")
	return "", nil
}

// local stores a file of this machine, once for all that show it.
func (w *writer) local(i *Item, file, alt string) (*core.Record, error) {
	key, err := contentKey(file)
	if err != nil {
		i.note(fmt.Sprintf("its picture %s can't be read", path.Base(file)))
		return nil, nil
	}
	r, err := w.find(schema.Media, key)
	if err != nil {
		return nil, err
	}
	if r != nil { // a text may show it before another one describes it
		if alt != "" && r.GetString("alt") == "" {
			r.Set("alt", text.Excerpt(alt, 1000))
			err = w.app.Save(r)
		}
		return r, err
	}
	if r, err = w.newMedia(key, alt, ""); err != nil {
		return nil, err
	}
	refused, err := w.guarded("import_file", func() error {
		if w.options.DryRun {
			// A file is stored beside the database, where no rollback reaches.
			f, err := os.Open(file)
			if err != nil {
				return err
			}
			defer f.Close()
			if _, err := media.Probe(f); err != nil {
				return validation.Errors{"file": validation.NewError("validation_picture", err.Error())}
			}
		} else {
			f, err := filesystem.NewFileFromPath(file)
			if err != nil {
				return err
			}
			r.Set("file", f)
		}
		if err := w.app.Save(r); err != nil {
			return err
		}
		w.count(&w.report.of(KindMedia).Created)
		return nil
	})
	if refused != nil {
		i.note(fmt.Sprintf("its picture %s was refused: %s", path.Base(file), reason(refused)))
		return nil, nil
	}
	return r, err
}

func contentKey(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, io.LimitReader(f, 2*media.MaxBytes)); err != nil {
		return "", err
	}
	return "content:" + hex.EncodeToString(h.Sum(nil)[:20]), nil
}

// bringImages returns the body with the new addresses of its pictures.
func (w *writer) bringImages(i *Item) (string, error) {
	body := i.Body
	for _, raw := range sortedKeys(i.Images) {
		if raw == i.Cover && !strings.Contains(body, raw) {
			continue
		}
		r, err := w.local(i, i.Images[raw], "")
		if err != nil {
			return "", err
		}
		if r != nil && r.GetString("file") != "" {
			whole := regexp.MustCompile(`(^|[\s("'<=])` + regexp.QuoteMeta(raw) + `($|[\s)"'>])`)
			body = whole.ReplaceAllString(body, "${1}"+strings.ReplaceAll(media.Address(r), "$", "$$")+"${2}")
		}
	}
	return rewriteRemote(w.app, body)
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

var (
	remoteFile = regexp.MustCompile(`(?:https?:)?//[^\s"'<>()\\,]+\.[A-Za-z0-9]{2,5}(?:\?[^\s"'<>()\\,]*)?`)
	sizedName  = regexp.MustCompile(`-\d{2,4}x\d{2,4}(\.[A-Za-z0-9]+)$`)
)

// rewriteRemote gives files that were brought here their address here. The
// sizes that WordPress made of a picture are that picture.
func rewriteRemote(app core.App, body string) (string, error) {
	known := map[string]string{}
	var failed error
	body = remoteFile.ReplaceAllStringFunc(body, func(raw string) string {
		u, err := url.Parse(strings.ReplaceAll(raw, "&amp;", "&"))
		if err != nil || u.Host == "" || failed != nil {
			return raw
		}
		plain := "https://" + u.Host + u.Path
		at, seen := known[plain]
		if !seen {
			if at, failed = broughtHere(app, plain, sizedName.ReplaceAllString(plain, "$1")); failed != nil {
				return raw
			}
			known[plain] = at
		}
		if at == "" {
			return raw
		}
		return at
	})
	return body, failed
}

// broughtHere returns the address of the first of the files that is here.
func broughtHere(app core.App, addresses ...string) (string, error) {
	for _, a := range addresses {
		found, err := app.FindAllRecords(schema.Media, bySource(remoteKey(a)))
		if err != nil {
			return "", fmt.Errorf("look for a file: %w", err)
		}
		if len(found) > 0 && found[0].GetString("file") != "" {
			return media.Address(found[0]), nil
		}
	}
	return "", nil
}

// redirects leads the old addresses of an item to its new one. It replaces no
// redirect and takes no address that something lives at.
func (w *writer) redirects(i *Item, to string) error {
	for _, old := range i.Old {
		from := address.Normal(old)
		if from == "" || from == "/" || from == address.Normal(to) || len(from) > 2000 {
			continue
		}
		bare := strings.Trim(from, "/")
		if address.Reserved(w.site, bare) {
			continue // the site's own page stands there
		}
		standing, err := w.app.CountRecords(schema.Redirects, dbx.HashExp{"from": from, "prefix": false})
		if err != nil {
			return fmt.Errorf("look for a redirect: %w", err)
		}
		living, err := w.app.CountRecords(schema.Pages, dbx.HashExp{"path": bare, "locale": w.site.Locale})
		if err != nil {
			return fmt.Errorf("look for a page: %w", err)
		}
		if standing > 0 {
			w.count(&w.report.of(KindRedirect).Unchanged)
			continue
		}
		if living > 0 {
			continue
		}
		refused, err := w.guarded("import_redirect", func() error {
			return content.AddRedirect(w.app, from, to, i.Key+"#"+shortHash(from))
		})
		if err != nil {
			return err
		}
		if refused != nil {
			i.note("its old address " + old + " does not lead here: " + reason(refused))
			continue
		}
		w.count(&w.report.of(KindRedirect).Created)
	}
	return nil
}
