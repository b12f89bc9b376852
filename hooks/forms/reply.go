package forms

import (
	"bytes"
	"html/template"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"
)

// markdown writes what staff wrote. Raw HTML in it is left out, and so are
// addresses that run a script.
var markdown = goldmark.New(goldmark.WithExtensions(extension.Strikethrough, extension.Table), goldmark.WithRendererOptions(html.WithHardWraps()))

// toHTML renders Markdown as safe HTML.
func toHTML(source string) template.HTML {
	var out bytes.Buffer
	if err := markdown.Convert([]byte(source), &out); err != nil {
		return template.HTML(template.HTMLEscapeString(source))
	}
	return template.HTML(out.String()) // raw HTML and dangerous links are left out by the renderer
}

// maxQuoted is the most characters of an answer that the form's own mail
// repeats: it goes to an address that anybody may have typed.
const maxQuoted = 200

var placeholder = regexp.MustCompile(`\{\{\s*([a-zA-Z][a-zA-Z0-9_-]*)\s*\}\}`)

// fillIn makes the form's own answer. {{name}} stands for the answer in the
// field name, {{form}} and {{site}} for their titles; what is unknown or empty
// leaves nothing. A stranger's text is shortened, loses what looks like a link,
// and is never read as Markdown.
func fillIn(form *Form, answers map[string][]string, site string) answer {
	value := func(name string) string {
		switch name {
		case "form":
			if form.Field(name) == nil {
				return form.Title
			}
		case "site":
			if form.Field(name) == nil {
				return site
			}
		}
		for _, line := range readable(form, map[string][]string{name: answers[name]}) {
			return unlinked(oneLine(line.Value, maxQuoted))
		}
		return ""
	}
	replace := func(source string, escape func(string) string) string {
		return placeholder.ReplaceAllStringFunc(source, func(m string) string {
			return escape(value(placeholder.FindStringSubmatch(m)[1]))
		})
	}
	plain := func(s string) string { return s }
	subject := form.ReplySubject
	if strings.TrimSpace(subject) == "" {
		subject = form.Title
	}
	return answer{
		Subject: oneLine(replace(subject, plain), maxLine),
		Text:    replace(form.ReplyBody, plain),
		HTML:    toHTML(replace(form.ReplyBody, escapeMarkdown)),
	}
}

var linkLike = regexp.MustCompile(`(?i)([a-z][a-z0-9+.-]*://|www\.)\S*|\b[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}(/\S*)?`)

// unlinked takes out what a mail program would make a link of, but for an
// address of mail that is the whole text.
func unlinked(s string) string {
	if strings.Count(s, "@") == 1 && !strings.ContainsAny(s, " /:") {
		return s
	}
	return linkLike.ReplaceAllString(s, "…")
}

// escapeMarkdown writes text so that Markdown shows it as it is.
func escapeMarkdown(s string) string {
	var out strings.Builder
	for _, r := range s {
		if r < 0x80 && strings.ContainsRune("\\`*_{}[]()<>#+-.!|~&:=\"'^", r) {
			out.WriteByte('\\')
		}
		out.WriteRune(r)
	}
	return out.String()
}
