// Package demo fills an empty database: with the small starter site of a new
// installation, or with a rich sample site for looking around.
//
// It promises that the sample is the same on every machine: its texts are
// files, its pictures are drawn by code from fixed seeds, its ids follow from
// its names. Each site is written in one transaction or not at all. It never
// asks the network for anything and never changes records that exist.
package demo

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
	"golang.org/x/sync/errgroup"
)

// sourcePrefix marks everything that the sample brings, as an import would.
const sourcePrefix = "demo:"

// drawers is how many pictures are drawn at once; saving them is one thread.
const drawers = 4

// Seed writes the sample site: posts in two languages, pages, tags, authors,
// menus, redirects and pictures. It fails, and changes nothing, where the
// sample is already there.
func Seed(app core.App) error {
	posts, err := read("posts")
	if err != nil {
		return err
	}
	pages, err := read("pages")
	if err != nil {
		return err
	}
	years, err := yearsBack(posts, time.Now())
	if err != nil {
		return fmt.Errorf("seed the demo: %w", err)
	}
	pictures, err := drawAll(posts, pages)
	if err != nil {
		return fmt.Errorf("seed the demo: %w", err)
	}
	err = app.RunInTransaction(func(tx core.App) error {
		s := &seeder{app: tx, yearsBack: years, addresses: map[string]string{}}
		for _, step := range []func() error{
			s.identity,
			func() error { return s.media(pictures) },
			s.authors,
			s.tags,
			func() error { return s.pages(pages) },
			func() error { return s.posts(posts) },
			s.menus,
			s.redirects,
		} {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("seed the demo: %w", err)
	}
	return nil
}

// picture is a drawing with its name and the words for those who can't see it.
type picture struct {
	name, alt string
	draw      func() ([]byte, error)
	file      []byte
}

// drawAll draws the covers, the pictures within texts and the authors.
func drawAll(groups ...[]piece) ([]*picture, error) {
	var list []*picture
	scene := func(name, scene string) {
		list = append(list, &picture{name: name, alt: scenes[scene].alt, draw: func() ([]byte, error) { return cover(scene, name) }})
	}
	for _, pieces := range groups {
		for _, p := range pieces {
			if kind := p.fields["cover"]; kind != "" && kind != "none" {
				scene(coverName(p), kind)
			}
		}
	}
	for name := range scenes {
		scene("picture-"+name, name)
	}
	for _, a := range people {
		list = append(list, &picture{name: "avatar-" + a.key, alt: "Portrait of " + a.name, draw: func() ([]byte, error) { return avatar(a.key, a.face) }})
	}
	var g errgroup.Group
	g.SetLimit(drawers)
	for _, p := range list {
		g.Go(func() (err error) {
			p.file, err = p.draw()
			return err
		})
	}
	return list, g.Wait()
}

// coverName is shared by the translations of one post.
func coverName(p piece) string {
	if g := p.fields["group"]; g != "" {
		return "cover-" + g
	}
	return "cover-" + p.slug
}

// id makes a record's id from what it is, so that it is the same everywhere.
func id(kind, name string) string {
	sum := sha256.Sum256([]byte("bungalow demo " + kind + " " + name))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:15])
}

// seeder writes within one transaction.
type seeder struct {
	app       core.App
	yearsBack int
	addresses map[string]string // of pictures, by name
}

// save stores one record of the sample.
func (s *seeder) save(collection, name string, fields map[string]any) error {
	c, err := s.app.FindCachedCollectionByNameOrId(collection)
	if err != nil {
		return fmt.Errorf("find %s: %w", collection, err)
	}
	r := core.NewRecord(c)
	r.Id = id(collection, name)
	if c.Fields.GetByName("source_key") != nil {
		r.Set("source_key", sourcePrefix+name)
	}
	r.Load(fields)
	if err := s.app.Save(r); err != nil {
		return fmt.Errorf("save %s %q: %w", collection, name, err)
	}
	return nil
}

func (s *seeder) identity() error {
	site := settings.SiteDefaults()
	site.Title, site.Tagline = "Crumb & Folio", "A bakery and a bookshop in one room"
	site.Description = "Bread, books and what happens between them: the journal of a small shop on Linden Street."
	site.Locales = []string{"de"}
	return settings.Save(s.app, settings.SiteFeature, site)
}

func (s *seeder) media(pictures []*picture) error {
	done := map[string]bool{}
	for _, p := range pictures {
		if done[p.name] {
			continue
		}
		done[p.name] = true
		file := p.name + "_" + id("file", p.name)[:10] + ".jpg"
		err := s.save(schema.Media, p.name, map[string]any{"alt": p.alt, "file": &filesystem.File{
			Name: file, OriginalName: p.name + ".jpg", Size: int64(len(p.file)), Reader: &filesystem.BytesReader{Bytes: p.file},
		}})
		if err != nil {
			return err
		}
		s.addresses[p.name] = "/media/" + id(schema.Media, p.name) + "/" + file
	}
	return nil
}

func (s *seeder) tags() error {
	for _, t := range topics {
		if err := s.save(schema.Tags, t.name, map[string]any{"name": t.name, "description": t.description}); err != nil {
			return err
		}
	}
	return nil
}

func (s *seeder) authors() error {
	for _, a := range people {
		err := s.save(schema.Authors, a.key, map[string]any{
			"name": a.name, "bio": a.bio, "avatar": id(schema.Media, "avatar-"+a.key),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// inText finds the pictures that a text names as media:NAME.
var inText = regexp.MustCompile(`\(media:([a-z]+)\)`)

// writing is what posts and pages have in common.
func (s *seeder) writing(p piece) (map[string]any, error) {
	at, err := p.date()
	if err != nil {
		return nil, err
	}
	status := p.fields["status"]
	if status == "" {
		status = schema.StatusPublished
	}
	fields := map[string]any{
		"title": p.fields["title"], "slug": p.slug, "locale": p.fields["locale"], "status": status,
		"format": schema.FormatMarkdown, "excerpt": p.fields["excerpt"], "translation_group": p.fields["group"],
		"body": inText.ReplaceAllStringFunc(p.body, func(m string) string {
			return "(" + s.addresses["picture-"+inText.FindStringSubmatch(m)[1]] + ")"
		}),
	}
	if status == schema.StatusPublished {
		at = at.AddDate(-s.yearsBack, 0, 0)
	}
	fields["published_at"] = at
	if _, drawn := s.addresses[coverName(p)]; drawn && p.fields["cover"] != "none" {
		fields["cover"] = id(schema.Media, coverName(p))
	}
	return fields, nil
}

func (s *seeder) posts(posts []piece) error {
	translated := map[string]bool{}
	for _, p := range posts {
		translated[p.fields["group"]] = true
	}
	for i, p := range posts {
		fields, err := s.writing(p)
		if err != nil {
			return err
		}
		var tags []string
		for name := range strings.SplitSeq(p.fields["tags"], ", ") {
			tags = append(tags, id(schema.Tags, name))
		}
		if translated[p.slug] {
			fields["translation_group"] = p.slug
		}
		fields["tags"], fields["authors"] = tags, []string{id(schema.Authors, p.fields["author"])}
		fields["featured"], fields["comments_open"] = p.fields["featured"] == "yes", i%5 != 4
		if err := s.save(schema.Posts, p.slug, fields); err != nil {
			return err
		}
	}
	return nil
}

// pages writes the parents first.
func (s *seeder) pages(pages []piece) error {
	translated := map[string]bool{}
	for _, p := range pages {
		translated[p.fields["group"]] = true
	}
	for _, children := range []bool{false, true} {
		for _, p := range pages {
			parent := p.fields["parent"]
			if (parent != "") != children {
				continue
			}
			fields, err := s.writing(p)
			if err != nil {
				return err
			}
			if fields["position"], err = strconv.Atoi(p.fields["position"]); err != nil {
				return err
			}
			if parent != "" {
				fields["parent"] = id(schema.Pages, parent)
			}
			if translated[p.slug] {
				fields["translation_group"] = p.slug
			}
			if err := s.save(schema.Pages, p.slug, fields); err != nil {
				return err
			}
		}
	}
	return nil
}
