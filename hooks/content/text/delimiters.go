package text

import (
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// maxDelimiters is how many runs of *, _, ~ or [ in one block may have a meaning.
// The parser compares each with each; what comes after them is plain text.
const maxDelimiters = 1000

// delimiterCap takes emphasis characters and opening brackets away from the parsers that
// would give them a meaning once a block has had enough of them.
type delimiterCap struct{}

type delimiterCount struct {
	block ast.Node
	runs  int
}

var delimiterKey = parser.NewContextKey()

// Trigger names the characters whose runs are counted.
func (delimiterCap) Trigger() []byte { return []byte{'*', '_', '~', '['} }

// Parse returns nil, which lets the next parser try, until the cap is reached.
func (delimiterCap) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	count, _ := pc.Get(delimiterKey).(*delimiterCount)
	if count == nil {
		count = &delimiterCount{}
		pc.Set(delimiterKey, count)
	}
	if count.block != parent {
		count.block, count.runs = parent, 0
	}
	if count.runs++; count.runs <= maxDelimiters {
		return nil
	}
	line, segment := block.PeekLine()
	length := 1
	for length < len(line) && line[length] == line[0] {
		length++
	}
	block.Advance(length)
	return ast.NewTextSegment(segment.WithStop(segment.Start + length))
}
