package drafts

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Piece is a run of words that two texts share, or that only one of them has.
type Piece struct {
	Kind Kind
	Text string
}

// Kind says in which of two texts a piece stands.
type Kind int

// The kinds of pieces.
const (
	Same    Kind = iota // in both
	Removed             // in the first only
	Added               // in the second only
)

// maxTable bounds the table of one comparison, in cells, and maxCells those of
// all comparisons of a text together. What is larger counts as rewritten.
const (
	maxTable = 1 << 20
	maxCells = 16 << 20
	// maxDepth is how often a part is divided.
	maxDepth = 64
)

// Diff compares two texts word by word. All pieces without those Added are the
// first text, all without those Removed the second. It takes time and memory
// in proportion to the texts: paragraphs are matched before words, by those
// that occur once (patience), and a part that was rewritten is not looked
// into beyond its limits.
func Diff(a, b string) []Piece {
	d := &differ{cells: maxCells}
	d.lines(lines(a), lines(b))
	return d.out
}

type differ struct {
	out   []Piece
	cells int
	depth int
}

func (d *differ) add(kind Kind, text string) {
	if text == "" {
		return
	}
	if last := len(d.out) - 1; last >= 0 && d.out[last].Kind == kind {
		d.out[last].Text += text
		return
	}
	d.out = append(d.out, Piece{kind, text})
}

// lines compares by lines and looks into those that differ.
func (d *differ) lines(a, b []string) {
	d.compare(a, b, func(a, b []string) {
		d.compare(words(strings.Join(a, "")), words(strings.Join(b, "")), d.replace)
	})
}

func (d *differ) replace(a, b []string) {
	d.add(Removed, strings.Join(a, ""))
	d.add(Added, strings.Join(b, ""))
}

// compare finds what a and b share and calls differ for what lies between.
func (d *differ) compare(a, b []string, differ func(a, b []string)) {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	d.add(Same, strings.Join(a[:head], ""))
	d.middle(a[head:len(a)-tail], b[head:len(b)-tail], differ)
	d.add(Same, strings.Join(a[len(a)-tail:], ""))
}

func (d *differ) middle(a, b []string, differ func(a, b []string)) {
	if len(a) == 0 || len(b) == 0 {
		d.replace(a, b)
		return
	}
	d.depth++
	defer func() { d.depth-- }()
	var pairs []pair
	if d.depth < maxDepth {
		if pairs = anchors(a, b); pairs == nil {
			pairs = d.table(a, b)
		}
	}
	if pairs == nil {
		differ(a, b)
		return
	}
	i, j := 0, 0
	for _, p := range pairs {
		if p.a > i || p.b > j {
			d.compare(a[i:p.a], b[j:p.b], differ)
		}
		d.add(Same, a[p.a])
		i, j = p.a+1, p.b+1
	}
	if i < len(a) || j < len(b) {
		d.compare(a[i:], b[j:], differ)
	}
}

type pair struct{ a, b int }

// anchors pairs the tokens that occur once in a and once in b, as many as
// stand in the same order in both.
func anchors(a, b []string) []pair {
	inA, inB := once(a), once(b)
	var pairs []pair
	for i, token := range a {
		if j := inB[token]; inA[token] > 0 && j > 0 {
			pairs = append(pairs, pair{i, j - 1})
		}
	}
	return rising(pairs)
}

// once maps each token that occurs once to its place, counted from 1.
func once(tokens []string) map[string]int {
	at := make(map[string]int, len(tokens))
	for i, token := range tokens {
		if _, again := at[token]; again {
			at[token] = -1
			continue
		}
		at[token] = i + 1
	}
	return at
}

// rising is the longest run of pairs whose second numbers rise.
func rising(pairs []pair) []pair {
	var tops []int // the pair at the top of each pile
	before := make([]int, len(pairs))
	for i, p := range pairs {
		pile, _ := slices.BinarySearchFunc(tops, p.b, func(top, b int) int { return pairs[top].b - b })
		before[i] = -1
		if pile > 0 {
			before[i] = tops[pile-1]
		}
		if pile == len(tops) {
			tops = append(tops, i)
		} else {
			tops[pile] = i
		}
	}
	if len(tops) == 0 {
		return nil
	}
	var out []pair
	for i := tops[len(tops)-1]; i >= 0; i = before[i] {
		out = append(out, pairs[i])
	}
	slices.Reverse(out)
	return out
}

// table pairs the longest common subsequence, nil where there is none or the
// table would be too large.
func (d *differ) table(a, b []string) []pair {
	width := len(b) + 1
	cells := (len(a) + 1) * width
	if cells > maxTable || cells > d.cells {
		return nil
	}
	d.cells -= cells
	length := make([]int32, cells)
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				length[i*width+j] = length[(i+1)*width+j+1] + 1
			} else {
				length[i*width+j] = max(length[(i+1)*width+j], length[i*width+j+1])
			}
		}
	}
	var out []pair
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			out = append(out, pair{i, j})
			i, j = i+1, j+1
		case length[(i+1)*width+j] >= length[i*width+j+1]:
			i++
		default:
			j++
		}
	}
	return out
}

// lines cuts after each line break.
func lines(s string) []string { return strings.SplitAfter(s, "\n") }

// words cuts a text into words, runs of space, HTML tags and single signs.
// Together they are the text.
func words(s string) []string {
	var out []string
	for len(s) > 0 {
		n := word(s)
		out = append(out, s[:n])
		s = s[n:]
	}
	return out
}

// maxTag is the longest tag that counts as one word, in bytes.
const maxTag = 1000

func word(s string) int {
	r, size := utf8.DecodeRuneInString(s)
	in := func(kind func(rune) bool) int {
		n := strings.IndexFunc(s, func(r rune) bool { return !kind(r) })
		if n < 0 {
			return len(s)
		}
		return n
	}
	switch {
	case unicode.IsSpace(r):
		return in(unicode.IsSpace)
	case unicode.Is(unicode.Han, r) || unicode.Is(unicode.Hiragana, r) || unicode.Is(unicode.Katakana, r):
		return size // written without spaces
	case isLetter(r):
		return in(isLetter)
	case r == '<':
		if end := strings.IndexByte(s[:min(len(s), maxTag)], '>'); end > 0 {
			return end + 1
		}
	}
	return size
}

func isLetter(r rune) bool {
	return (unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) || r == '\'' || r == '’') &&
		!unicode.Is(unicode.Han, r) && !unicode.Is(unicode.Hiragana, r) && !unicode.Is(unicode.Katakana, r)
}
