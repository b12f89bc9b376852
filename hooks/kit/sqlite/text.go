package sqlite

import "strings"

// kind is what the text of a statement lets us know without parsing it. When
// in doubt a text is other, which costs speed and nothing else.
type kind uint8

const (
	other     kind = iota // schema changes, PRAGMAs that set, transactions as text, scripts, comments
	read                  // one SELECT or VALUES
	write                 // one INSERT, UPDATE, DELETE or REPLACE that returns no rows
	returning             // the same with rows, and whatever begins with WITH
	ask                   // a PRAGMA without a value, or EXPLAIN
)

// kept says whether statements of this kind are worth keeping prepared.
func (k kind) kept() bool { return k == read || k == write || k == returning }

// longest bounds the texts that are kept; longer ones are lists of values
// that don't come again.
const longest = 8 << 10

func kindOf(text string) kind {
	start := 0
	for start < len(text) && isSpace(text[start]) {
		start++
	}
	end := start
	for end < len(text) && isLetter(text[end]) {
		end++
	}
	// A semicolon before the end may begin a second statement; it may be in a
	// literal too, and then this is one doubt too many. The driver stops at a
	// NUL, so that what it runs is not what we looked at.
	if i := strings.IndexByte(text, ';'); i >= 0 && i != len(text)-1 || strings.IndexByte(text, 0) >= 0 {
		return other
	}
	switch word := text[start:end]; len(word) {
	case 4:
		if strings.EqualFold(word, "WITH") {
			return returning
		}
	case 6:
		switch {
		case strings.EqualFold(word, "SELECT"), strings.EqualFold(word, "VALUES"):
			return read
		case strings.EqualFold(word, "INSERT"), strings.EqualFold(word, "UPDATE"), strings.EqualFold(word, "DELETE"):
			return writeKind(text[end:])
		case strings.EqualFold(word, "PRAGMA"):
			if !strings.ContainsAny(text, "=(") {
				return ask
			}
		}
	case 7:
		switch {
		case strings.EqualFold(word, "REPLACE"):
			return writeKind(text[end:])
		case strings.EqualFold(word, "EXPLAIN"):
			return ask
		}
	}
	return other
}

// writeKind looks for RETURNING, in a name or a literal too.
func writeKind(rest string) kind {
	const word = "returning"
	for i := 0; i+len(word) <= len(rest); i++ {
		if rest[i]|0x20 == 'r' && strings.EqualFold(rest[i:i+len(word)], word) {
			return returning
		}
	}
	return write
}

// isSpace is SQLite's own notion of a space.
func isSpace(b byte) bool { return b == ' ' || b >= '\t' && b <= '\r' && b != '\v' }

func isLetter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }
