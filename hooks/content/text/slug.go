package text

import (
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/mozillazg/go-unidecode"
	"golang.org/x/text/unicode/norm"
)

// maxSlug is the longest slug in characters.
const maxSlug = 100

var german = strings.NewReplacer(
	"ä", "ae", "ö", "oe", "ü", "ue", "Ä", "Ae", "Ö", "Oe", "Ü", "Ue", "ß", "ss", "ẞ", "SS",
	"å", "aa", "Å", "Aa", "ø", "oe", "Ø", "Oe",
	"'", "", "’", "", "‘", "", "ʼ", "",
	"\u00ad", "", "\u200b", "", "\u200c", "", "\u200d", "", "\u2060", "", "\ufeff", "", // what is not seen parts no word
)

// Slug makes the last part of an address out of a title: lower-case ASCII
// letters, digits and single hyphens, at most 100 characters, cut at the end of
// a word. It is never empty: a title without a usable letter gives "post-" and
// a hash of the title. A slug gives itself.
func Slug(title string) string {
	if s := Fold(title); s != "" {
		return s
	}
	h := fnv.New32a()
	h.Write([]byte(title))
	return fmt.Sprintf("post-%08x", h.Sum32())
}

// Fold is Slug without the fallback: it returns "" where nothing is left.
func Fold(title string) string {
	if runes := []rune(title); len(runes) > 4*maxSlug {
		title = string(runes[:4*maxSlug])
	}
	title = german.Replace(norm.NFC.String(strings.ToValidUTF8(title, " ")))
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(unidecode.Unidecode(title)) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(r)
			continue
		}
		if r != '\'' && r != '`' {
			gap = true
		}
	}
	return cutWords(b.String(), maxSlug)
}

func cutWords(slug string, max int) string {
	if len(slug) <= max {
		return slug
	}
	cut := slug[:max]
	if slug[max] != '-' {
		if i := strings.LastIndexByte(cut, '-'); i > max/2 {
			cut = cut[:i]
		}
	}
	return strings.Trim(cut, "-")
}
