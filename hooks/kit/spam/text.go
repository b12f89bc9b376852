package spam

import (
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxText is how much of a text is looked at, in bytes.
const maxText = 20_000

// link finds what a reader's browser or eye takes for an address.
var link = regexp.MustCompile(`(?i)(?:https?://|www\.)([a-z0-9\-._~\p{L}]+)|\b((?:[a-z0-9\-]+\.)+(?:com|net|org|info|biz|ru|cn|xyz|top|site|online|shop|club|icu|live|store|vip|bet|casino|loan))\b`)

// mayLink reports whether a text can hold a link at all, which most don't.
func mayLink(text string) bool {
	for rest := text; ; {
		i := strings.IndexAny(rest, ".:")
		if i < 0 || i+1 == len(rest) {
			return false
		}
		if c := rest[i+1]; rest[i] == '.' && c > ' ' && c != '.' || c == '/' {
			return true
		}
		rest = rest[i+1:]
	}
}

// hosts lists the hosts of the links in a text, each as often as it stands there.
func hosts(text string) []string {
	text = clip(text, maxText)
	if !mayLink(text) {
		return nil
	}
	var out []string
	for _, m := range link.FindAllStringSubmatch(text, 200) {
		host := m[1]
		if host == "" {
			host = m[2]
		}
		out = append(out, strings.TrimPrefix(cleanDomain(host), "www."))
	}
	return out
}

// clip cuts a text to at most n bytes at the edge of a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}

// look is a letter as it looks: spammers write Latin words with Cyrillic and
// Greek letters, and put nothing-at-all between them.
var look = strings.NewReplacer(
	"а", "a", "е", "e", "о", "o", "р", "p", "с", "c", "у", "y", "х", "x", "і", "i", "ѕ", "s",
	"ο", "o", "ν", "v", "α", "a", "ρ", "p",
	"\u200b", "", "\u200c", "", "\u200d", "", "\u2060", "", "\ufeff", "", "\u00ad", "")

// fold is a text as words are compared: compatibility form, lower case, one
// space between words.
func fold(text string) string {
	text = strings.ToLower(norm.NFKC.String(clip(text, maxText)))
	return strings.Join(strings.FieldsFunc(text, notOfWord), " ")
}

func notOfWord(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && r != '\'' && r != '’' && r != '$' && r != '€'
}

// words lists the words of a text in order. Scripts without spaces give pairs
// of characters.
func words(text string) []string {
	var out []string
	for _, w := range strings.Fields(fold(text)) {
		w = strings.Trim(w, "'’")
		switch {
		case w == "":
		case unspaced(w):
			r := []rune(w)
			for i := 0; i < len(r); i += 1 {
				out = append(out, string(r[i:min(i+2, len(r))]))
			}
		default:
			if mixed(w) {
				w = look.Replace(w)
			}
			out = append(out, clip(w, maxToken))
		}
	}
	return out
}

// unspaced reports whether the word is of a script that writes without spaces.
func unspaced(w string) bool {
	for _, r := range w {
		return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai)
	}
	return false
}

// mixed reports whether a word has letters of several scripts.
func mixed(w string) bool {
	latin, other := false, false
	for _, r := range w {
		switch {
		case unicode.Is(unicode.Latin, r):
			latin = true
		case unicode.In(r, unicode.Cyrillic, unicode.Greek):
			other = true
		}
	}
	return latin && other
}

const (
	// maxToken is the longest token, in bytes.
	maxToken = 40
	// maxTokens is how many different tokens of one text count.
	maxTokens = 600
)

// tokens are what the filter learns of a submission: words, pairs of words,
// hosts, and what stands in the fields beside the text. Each counts once.
func tokens(s Submission) []string {
	seen := map[string]bool{}
	var out []string
	add := func(t string) {
		if t = clip(t, maxToken*2); !seen[t] && len(out) < maxTokens {
			seen[t] = true
			out = append(out, t)
		}
	}
	last := ""
	for _, w := range words(s.Text) {
		add(w)
		if last != "" {
			add(last + " " + w)
		}
		last = w
	}
	for _, w := range words(s.Author) {
		add("name:" + w)
	}
	linked := hosts(s.Text)
	for _, h := range append(linked, hosts(s.URL)...) {
		add("host:" + h)
		if dot := strings.LastIndexByte(h, '.'); dot >= 0 {
			add("tld:" + h[dot+1:])
		}
	}
	switch n := len(linked); {
	case n == 0:
		add("links:none")
	case n > 2:
		add("links:many")
	default:
		add("links:some")
	}
	if _, domain, ok := strings.Cut(strings.ToLower(s.Email), "@"); ok {
		add("mail:" + domain)
	}
	if shouts(s.Text) {
		add("shouting")
	}
	return out
}

// shouts reports whether most letters are capitals.
func shouts(text string) bool {
	upper, letters := 0, 0
	for _, r := range clip(text, maxText) {
		if unicode.IsLetter(r) {
			letters++
			if unicode.IsUpper(r) {
				upper++
			}
		}
	}
	return letters >= 20 && upper*2 > letters
}
