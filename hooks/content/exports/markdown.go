package exports

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"bungalow/hooks/content"
	"bungalow/hooks/content/text"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"github.com/goccy/go-yaml"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
)

// batch is how many records are read at a time.
const batch = 100

// export is one export under way.
type export struct {
	ctx    context.Context
	app    core.App
	to     Sink
	site   settings.Site
	report *Report
	names  map[string]string // of tags and authors, by id
	files  *filesystem.System
	used   map[string]bool // names of files that are written
}

// Markdown writes content/posts/, content/ for pages, static/media/ for files
// and redirects.csv. import markdown reads it again.
func Markdown(ctx context.Context, app core.App, to Sink) (*Report, error) {
	x, err := begin(ctx, app, to)
	if err != nil {
		return nil, err
	}
	defer x.files.Close()
	return x.report, x.markdown()
}

func begin(ctx context.Context, app core.App, to Sink) (*export, error) {
	site, err := settings.LoadSite(app)
	if err != nil {
		return nil, err
	}
	files, err := app.NewFilesystem()
	if err != nil {
		return nil, fmt.Errorf("open storage: %w", err)
	}
	return &export{ctx: ctx, app: app, to: to, site: site, files: files, report: &Report{Counts: map[string]int{}}, names: map[string]string{}, used: map[string]bool{}}, nil
}

func (x *export) markdown() error {
	for _, step := range []func() error{
		x.learnNames,
		func() error { return x.each(schema.Posts, x.writing) },
		func() error { return x.each(schema.Pages, x.writing) },
		func() error { return x.each(schema.Media, x.media) },
		x.redirects,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// each reads a collection some records at a time and holds no query open
// while it writes.
func (x *export) each(collection string, do func(*core.Record) error) error {
	after := ""
	for {
		if err := x.ctx.Err(); err != nil {
			return err
		}
		var list []*core.Record
		err := x.app.RecordQuery(collection).AndWhere(dbx.NewExp("[[id]] > {:after}", dbx.Params{"after": after})).OrderBy("id").Limit(batch).All(&list)
		if err != nil {
			return fmt.Errorf("read %s: %w", collection, err)
		}
		if len(list) == 0 {
			return nil
		}
		for _, record := range list {
			if err := do(record); err != nil {
				return fmt.Errorf("export %s: %w", collection, err)
			}
		}
		after = list[len(list)-1].Id
	}
}

func (x *export) learnNames() error {
	for _, collection := range []string{schema.Tags, schema.Authors} {
		if err := x.each(collection, func(r *core.Record) error {
			x.names[r.Id] = r.GetString("name")
			x.report.Counts[collection]++
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// matter is the front matter of a text, by names that Hugo, Jekyll, Astro and
// import markdown know.
type matter struct {
	Title       string    `yaml:"title"`
	Type        string    `yaml:"type"`
	Slug        string    `yaml:"slug"`
	Date        time.Time `yaml:"date,omitempty"`
	Lastmod     time.Time `yaml:"lastmod,omitempty"`
	Draft       bool      `yaml:"draft,omitempty"`
	Status      string    `yaml:"status,omitempty"`
	Format      string    `yaml:"format,omitempty"`
	Locale      string    `yaml:"locale,omitempty"`
	Tags        []string  `yaml:"tags,omitempty"`
	Authors     []string  `yaml:"authors,omitempty"`
	Excerpt     string    `yaml:"excerpt,omitempty"`
	Description string    `yaml:"description,omitempty"`
	SEOTitle    string    `yaml:"seo_title,omitempty"`
	Canonical   string    `yaml:"canonical,omitempty"`
	Cover       string    `yaml:"cover,omitempty"`
	CoverAlt    string    `yaml:"cover_alt,omitempty"`
	Featured    bool      `yaml:"featured,omitempty"`
	Comments    bool      `yaml:"comments"`
	Weight      int       `yaml:"weight,omitempty"`
	Group       string    `yaml:"translation_group,omitempty"`
	Aliases     []string  `yaml:"aliases,omitempty"`
}

// writing writes a post or page.
func (x *export) writing(r *core.Record) error {
	m, err := x.matterOf(r)
	if err != nil {
		return err
	}
	head, err := yaml.Marshal(m)
	if err != nil {
		return fmt.Errorf("write the front matter of %s: %w", r.Id, err)
	}
	var out bytes.Buffer
	out.WriteString("---\n")
	out.Write(head)
	out.WriteString("---\n\n")
	out.WriteString(strings.TrimRight(r.GetString("body"), "\n"))
	out.WriteString("\n")
	if err := x.file(x.nameOf(r), r.GetDateTime("updated").Time(), &out); err != nil {
		return err
	}
	x.report.Counts[r.Collection().Name]++
	return nil
}

func (x *export) matterOf(r *core.Record) (matter, error) {
	m := matter{
		Title: r.GetString("title"), Type: strings.TrimSuffix(r.Collection().Name, "s"), Slug: r.GetString("slug"),
		Date: r.GetDateTime("published_at").Time(), Lastmod: r.GetDateTime("updated").Time(),
		Excerpt: r.GetString("excerpt"), Description: r.GetString("seo_description"), SEOTitle: r.GetString("seo_title"),
		Canonical: r.GetString("canonical_url"), Featured: r.GetBool("featured"), Comments: r.GetBool("comments_open"),
		Weight: r.GetInt("position"), Group: r.GetString("translation_group"),
	}
	switch status := r.GetString("status"); status {
	case schema.StatusDraft:
		m.Draft = true
	case schema.StatusArchived:
		m.Status = status
	}
	if r.GetString("format") == schema.FormatHTML {
		m.Format = schema.FormatHTML
	}
	if locale := r.GetString("locale"); locale != x.site.Locale {
		m.Locale = locale
	}
	for _, id := range r.GetStringSlice("tags") {
		m.Tags = append(m.Tags, x.names[id])
	}
	for _, id := range r.GetStringSlice("authors") {
		m.Authors = append(m.Authors, x.names[id])
	}
	if id := r.GetString("cover"); id != "" {
		if cover, err := x.app.FindRecordById(schema.Media, id); err == nil {
			m.Cover, m.CoverAlt = addressOf(cover), cover.GetString("alt")
		}
	}
	err := x.app.DB().Select("from").From(schema.Redirects).
		Where(dbx.HashExp{"to": content.Address(x.site, r), "prefix": false, "status": []any{"301", "308"}}).OrderBy("from").Limit(100).Column(&m.Aliases)
	if err != nil {
		return m, fmt.Errorf("find redirects: %w", err)
	}
	return m, nil
}

// addressOf is what bodies call a file.
func addressOf(r *core.Record) string {
	if name := r.GetString("file"); name != "" {
		return "/media/" + r.Id + "/" + name
	}
	return r.GetString("source_url")
}

// nameOf is the file of a post or page; those of other languages end in
// .de.md as Hugo has it.
func (x *export) nameOf(r *core.Record) string {
	name := "content/posts/" + r.GetString("slug")
	if r.Collection().Name == schema.Pages {
		name = "content/" + r.GetString("path")
	}
	if locale := r.GetString("locale"); locale != "" && locale != x.site.Locale {
		name += "." + locale
	}
	if !filepath.IsLocal(filepath.FromSlash(name)) || text.Fold(name) == "" || x.used[name] {
		name = "content/" + r.Collection().Name + "/" + r.Id
	}
	return name + ".md"
}

// media writes a file of the library below the address that bodies show, so
// that a folder of static files serves it there.
func (x *export) media(r *core.Record) error {
	name := r.GetString("file")
	if name == "" {
		return nil // it lies elsewhere, and bodies say where
	}
	reader, err := x.files.GetReader(r.BaseFilesPath() + "/" + name)
	if errors.Is(err, filesystem.ErrNotFound) {
		x.report.skip("media "+r.Id, "its file "+name+" is missing")
		return nil
	}
	if err != nil {
		return fmt.Errorf("open %s: %w", name, err)
	}
	defer reader.Close()
	if err := x.file("static/media/"+r.Id+"/"+name, r.GetDateTime("updated").Time(), reader); err != nil {
		return err
	}
	x.report.Counts[schema.Media]++
	return nil
}

func (x *export) file(name string, at time.Time, from io.Reader) error {
	x.used[strings.TrimSuffix(name, ".md")] = true
	w, err := x.to.Create(name, at)
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, from); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

func (x *export) redirects() error {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	_ = w.Write([]string{"from", "to", "status", "prefix", "hits"})
	err := x.each(schema.Redirects, func(r *core.Record) error {
		x.report.Counts[schema.Redirects]++
		return w.Write([]string{r.GetString("from"), r.GetString("to"), r.GetString("status"), strconv.FormatBool(r.GetBool("prefix")), strconv.Itoa(r.GetInt("hits"))})
	})
	if err != nil {
		return err
	}
	w.Flush()
	return x.file("redirects.csv", time.Now(), &out)
}
