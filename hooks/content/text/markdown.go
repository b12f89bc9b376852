package text

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	gmhtml "github.com/yuin/goldmark/renderer/html"
	gmtext "github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

const (
	// maxNesting is how many quote or list markers one line may begin with.
	maxNesting = 100
	// maxDefinitions is how many footnotes and link references a body may define.
	maxDefinitions = 5000
	// maxCells is how many cells the tables of a body may come to.
	maxCells = 200_000
)

// markdown is GitHub's Markdown with footnotes, definition lists and heading
// attributes. Its output is not trusted: raw HTML passes through to the policy.
func markdown() goldmark.Markdown {
	return goldmark.New(
		goldmark.WithExtensions(
			extension.Strikethrough, extension.Linkify, extension.TaskList, extension.Footnote, extension.DefinitionList,
			extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)),
		),
		goldmark.WithParserOptions(parser.WithAttribute(), parser.WithInlineParsers(util.Prioritized(delimiterCap{}, 50))),
		goldmark.WithRendererOptions(
			gmhtml.WithUnsafe(),
			renderer.WithNodeRenderers(util.Prioritized(&codeRenderer{left: highlightTime}, 100)),
		),
	)
}

// fromMarkdown writes Markdown as HTML that is yet to be sanitized.
func fromMarkdown(source string) (string, error) {
	if err := boundedMarkdown(source); err != nil {
		return "", err
	}
	md, src := markdown(), []byte(source)
	doc := md.Parser().Parse(gmtext.NewReader(src))
	var out bytes.Buffer
	if err := md.Renderer().Render(&out, src, doc); err != nil {
		return "", fmt.Errorf("render markdown: %w", err)
	}
	return out.String(), nil
}

// boundedMarkdown refuses source that would cost a Markdown parser time, memory
// or stack out of proportion to its length.
func boundedMarkdown(source string) error {
	definitions, cells, columns := 0, 0, 0
	for line := range strings.Lines(source) {
		rest := strings.TrimLeft(line, "-*+> \t")
		if markers := len(line) - len(rest) - strings.Count(line[:len(line)-len(rest)], " "); markers > maxNesting && strings.TrimSpace(rest) != "" {
			return ErrTooDeep
		}
		if strings.HasPrefix(rest, "[") && strings.Contains(rest, "]:") {
			definitions++
		}
		// A row that is shorter than the head of its table is filled up.
		if strings.TrimSpace(line) == "" {
			columns = 0
		} else if strings.Contains(line, "-") && strings.Trim(rest, "|:- \t\n") == "" {
			columns = max(columns, strings.Count(line, "|")+1)
		}
		cells += columns
		if definitions > maxDefinitions || cells > maxCells {
			return ErrTooDeep
		}
	}
	return nil
}
