package text

import (
	"embed"
	"io/fs"
	"sync"

	"github.com/alecthomas/chroma/v2"
)

// lexerFiles are chroma's own definitions, unchanged, of the languages that
// websites write about. Its package of all 280 would add 2.5 MB to the
// executable (docs/decisions/008-languages-that-are-coloured.md).
//
//go:embed lexers/*.xml
var lexerFiles embed.FS

// languages knows every language that is coloured, by name and alias.
var languages = sync.OnceValue(func() *chroma.LexerRegistry {
	known := chroma.NewLexerRegistry()
	files, err := fs.Glob(lexerFiles, "lexers/*.xml")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	for _, file := range files {
		known.Register(chroma.MustNewXMLLexer(lexerFiles, file))
	}
	known.Register(chroma.MustNewLexer(&chroma.Config{Name: "Go", Aliases: []string{"go", "golang"}, EnsureNL: true}, goRules))
	known.Register(chroma.MustNewLexer(&chroma.Config{Name: "Markdown", Aliases: []string{"markdown", "md", "mdx"}, EnsureNL: true}, markdownRules))
	return known
})

// goRules colour Go, whose definition in chroma is code and not a file. They
// follow the lexical elements of the language's specification.
func goRules() chroma.Rules {
	return chroma.Rules{"root": {
		{Pattern: `\s+`, Type: chroma.TextWhitespace},
		{Pattern: `//[^\n]*`, Type: chroma.CommentSingle},
		{Pattern: `/\*[\s\S]*?\*/`, Type: chroma.CommentMultiline},
		{Pattern: "`[^`]*`", Type: chroma.LiteralString},
		{Pattern: `"(\\.|[^"\\\n])*"`, Type: chroma.LiteralString},
		{Pattern: `'(\\[^\n]|[^'\\\n])[^'\n]*'`, Type: chroma.LiteralStringChar},
		{Pattern: `(import|package)\b`, Type: chroma.KeywordNamespace},
		{Pattern: `(chan|const|func|interface|map|struct|type|var)\b`, Type: chroma.KeywordDeclaration},
		{Pattern: `(break|case|continue|default|defer|else|fallthrough|for|go|goto|if|range|return|select|switch)\b`, Type: chroma.Keyword},
		{Pattern: `(true|false|iota|nil)\b`, Type: chroma.KeywordConstant},
		{Pattern: `(append|cap|clear|close|complex|copy|delete|imag|len|make|max|min|new|panic|print|println|real|recover)(?=\()`, Type: chroma.NameBuiltin},
		{Pattern: `(any|bool|byte|comparable|complex64|complex128|error|float32|float64|int|int8|int16|int32|int64|rune|string|uint|uint8|uint16|uint32|uint64|uintptr)\b`, Type: chroma.KeywordType},
		{Pattern: `0[xX][0-9a-fA-F_]+`, Type: chroma.LiteralNumberHex},
		{Pattern: `0[bB][01_]+`, Type: chroma.LiteralNumberBin},
		{Pattern: `0[oO]?[0-7_]+\b`, Type: chroma.LiteralNumberOct},
		{Pattern: `([0-9][0-9_]*)?\.[0-9][0-9_]*([eE][+-]?[0-9]+)?i?|[0-9][0-9_]*([eE][+-]?[0-9]+)i?`, Type: chroma.LiteralNumberFloat},
		{Pattern: `[0-9][0-9_]*i?`, Type: chroma.LiteralNumberInteger},
		{Pattern: `[\p{L}_][\p{L}\p{Nd}_]*(?=\()`, Type: chroma.NameFunction},
		{Pattern: `[\p{L}_][\p{L}\p{Nd}_]*`, Type: chroma.NameOther},
		{Pattern: `<-|:=|\.\.\.|&\^=?|<<=?|>>=?|&&|\|\||\+\+|--|[+\-*/%&|^<>=!]=?|~`, Type: chroma.Operator},
		{Pattern: `[()\[\]{},;.:]`, Type: chroma.Punctuation},
		{Pattern: `.`, Type: chroma.Error},
	}}
}

// markdownRules colour the marks of Markdown, line by line.
func markdownRules() chroma.Rules {
	return chroma.Rules{"root": {
		{Pattern: "(```|~~~)[^\\n]*\\n[\\s\\S]*?(\\n\\1|$)", Type: chroma.LiteralString},
		{Pattern: `#{1,6} [^\n]*`, Type: chroma.GenericHeading},
		{Pattern: `[ \t]*>[^\n]*`, Type: chroma.GenericEmph},
		{Pattern: `[ \t]*([*+-]|[0-9]+[.)])(?= )`, Type: chroma.Keyword},
		{Pattern: "`[^`\\n]+`", Type: chroma.LiteralStringBacktick},
		{Pattern: `(\*\*|__)[^*_\n]+(\*\*|__)`, Type: chroma.GenericStrong},
		{Pattern: `[*_][^*_\s][^*_\n]*[*_]`, Type: chroma.GenericEmph},
		{Pattern: `!?\[[^\]\n]*\]`, Type: chroma.NameTag},
		{Pattern: `\([^)\s]+\)`, Type: chroma.NameAttribute},
		{Pattern: `\n`, Type: chroma.TextWhitespace},
		{Pattern: `[^#>*+\-0-9` + "`" + `_!\[\]()~\n]+|.`, Type: chroma.Text},
	}}
}
