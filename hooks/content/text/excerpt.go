package text

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Excerpt shortens plain text to at most max characters, at the end of a word
// where there is one, and marks the cut with "…". White space is folded.
func Excerpt(text string, max int) string {
	text = strings.Join(strings.Fields(text), " ")
	if max <= 0 {
		return ""
	}
	if utf8.RuneCountInString(text) <= max {
		return text
	}
	runes := []rune(text)[:max]
	cut := max - 1
	for i := cut; i > max/2; i-- {
		if runes[i] == ' ' {
			cut = i
			break
		}
	}
	return strings.TrimRightFunc(string(runes[:cut]), func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune(",;:–—-(", r)
	}) + "…"
}

// Snippet returns the part of plain text around the first of the terms, about
// max characters long, as HTML: everything is escaped, and words that begin
// with a term (compared without regard to case) stand inside <mark>.
func Snippet(text string, terms []string, max int) string {
	words := strings.Fields(text)
	lower := make([]string, 0, len(terms))
	for _, t := range terms {
		if t = strings.ToLower(strings.TrimSpace(t)); t != "" {
			lower = append(lower, t)
		}
	}
	first := 0
	for i, w := range words {
		if matches(w, lower) {
			first = i
			break
		}
	}
	// A quarter of the room goes before the match, so that it is read in context.
	start, room := first, max/4
	for start > 0 {
		room -= utf8.RuneCountInString(words[start-1]) + 1
		if room < 0 {
			break
		}
		start--
	}
	var b strings.Builder
	if start > 0 {
		b.WriteString("… ")
	}
	for i, used := start, 0; i < len(words); i++ {
		word := words[i]
		if used += utf8.RuneCountInString(word) + 1; used > max && i > first {
			b.WriteString("…")
			break
		}
		if utf8.RuneCountInString(word) > max {
			word = Excerpt(word, max)
		}
		if matches(word, lower) {
			b.WriteString("<mark>" + html.EscapeString(word) + "</mark> ")
		} else {
			b.WriteString(html.EscapeString(word) + " ")
		}
	}
	return strings.TrimSpace(b.String())
}

func matches(word string, terms []string) bool {
	word = strings.ToLower(strings.TrimLeftFunc(word, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r)
	}))
	for _, t := range terms {
		if strings.HasPrefix(word, t) {
			return true
		}
	}
	return false
}
