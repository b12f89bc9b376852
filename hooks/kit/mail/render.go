package mail

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"path"
	"regexp"
	"strings"
	texttemplate "text/template"
)

const (
	folder     = "_theme/mail"
	layoutFile = folder + "/layout.html"
	maxBody    = 1 << 20
)

var (
	templateName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)
	localeName   = regexp.MustCompile(`^[a-z]{2,3}(-[a-z0-9]{2,8})?$`)
	accentColour = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)
)

type rendered struct{ subject, text, html string }

// view is what the templates see.
type view struct {
	Site    Site
	Locale  string
	Subject string
	Data    any
}

// pair is a parsed message: the text file, which also defines "subject", and
// the HTML file, which defines "content" of the shared layout.
type pair struct {
	text *texttemplate.Template
	html *htmltemplate.Template
}

// parse reads the pair called base, such as "welcome" or "welcome.de".
func parse(files fs.FS, base string) (*pair, error) {
	name := folder + "/" + base
	source, err := fs.ReadFile(files, name+".txt")
	if err != nil {
		return nil, err
	}
	text, err := texttemplate.New(name + ".txt").Option("missingkey=error").Parse(string(source))
	if err != nil {
		return nil, err
	}
	if text.Lookup("subject") == nil {
		return nil, fmt.Errorf(`%s.txt has no {{define "subject"}}`, name)
	}
	html := htmltemplate.New("mail").Option("missingkey=error")
	for _, file := range []string{layoutFile, name + ".html"} {
		source, err := fs.ReadFile(files, file)
		if err != nil {
			return nil, err
		}
		if _, err := html.New(file).Parse(string(source)); err != nil {
			return nil, err
		}
	}
	if html.Lookup("content") == nil {
		return nil, fmt.Errorf(`%s.html has no {{define "content"}}`, name)
	}
	return &pair{text, html}, nil
}

// Check parses every pair. The error of a broken template names its file; the
// server calls it so that one stops the start.
func Check(files fs.FS) error {
	names, err := fs.Glob(files, folder+"/*.txt")
	if err != nil {
		return fmt.Errorf("list mail templates: %w", err)
	}
	var errs []error
	for _, name := range names {
		if _, err := parse(files, strings.TrimSuffix(path.Base(name), ".txt")); err != nil {
			errs = append(errs, fmt.Errorf("mail template: %w", err))
		}
	}
	return errors.Join(errs...)
}

func render(files fs.FS, m Message, site Site) (rendered, error) {
	if !templateName.MatchString(m.Template) {
		return rendered{}, fmt.Errorf("no mail template can be called %q", m.Template)
	}
	base := m.Template
	if localeName.MatchString(m.Locale) {
		if _, err := fs.Stat(files, folder+"/"+base+"."+m.Locale+".txt"); err == nil {
			base += "." + m.Locale
		}
	}
	p, err := parse(files, base)
	if err != nil {
		return rendered{}, err
	}
	if !accentColour.MatchString(site.Accent) {
		site.Accent = "#1c6b52"
	}
	v := view{Site: site, Locale: cmp.Or(m.Locale, "en"), Data: m.Data}
	var subject, text, html bytes.Buffer
	if err := p.text.ExecuteTemplate(&subject, "subject", v); err != nil {
		return rendered{}, err
	}
	v.Subject = cleanLine(subject.String())
	if err := p.text.Execute(&text, v); err != nil {
		return rendered{}, err
	}
	if err := p.html.ExecuteTemplate(&html, layoutFile, v); err != nil {
		return rendered{}, err
	}
	if text.Len()+html.Len() > maxBody {
		return rendered{}, fmt.Errorf("the message is larger than %d bytes", maxBody)
	}
	return rendered{
		subject: v.Subject,
		text:    strings.ToValidUTF8(strings.TrimSpace(text.String())+"\n", "\uFFFD"),
		html:    strings.ToValidUTF8(strings.TrimSpace(html.String())+"\n", "\uFFFD"),
	}, nil
}
