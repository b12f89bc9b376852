package engine

import (
	"cmp"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"maps"
	"math"
	"slices"
	"strconv"
	"sync"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// encoder writes records as PocketBase does, which makes a map of each record,
// sorts it, encodes it and checks what it encoded.
type encoder struct {
	bodies sync.Pool

	mu     sync.RWMutex
	shapes map[shapeKey]*shape
}

func newEncoder() *encoder {
	e := &encoder{shapes: map[shapeKey]*shape{}}
	e.bodies.New = func() any { return &body{text: make([]byte, 0, 4<<10)} }
	return e
}

// body is an answer while it is written.
type body struct {
	text []byte
	err  error // the first value that can't be written
}

// bodyKept is the size above which a buffer is not used again.
const bodyKept = 1 << 20

func (e *encoder) get() *body { return e.bodies.Get().(*body) }

func (e *encoder) put(b *body) {
	if cap(b.text) <= bodyKept {
		b.text, b.err = b.text[:0], nil
		e.bodies.Put(b)
	}
}

// shape is what all records of a collection have in common: the names that
// are shown, in order, each with where its value comes from.
type shape struct {
	collection *core.Collection
	parts      []part
}

type part struct {
	name   string
	prefix string // {"name": or ,"name":
	value  core.GetterFunc
	fixed  string // the value itself, where it is the same in all records
}

// shapesKept is more than a site has collections.
const shapesKept = 1000

type shapeKey struct {
	collection string
	all        bool
}

// shape is nil where a record's names don't follow from its collection. All
// shows the hidden fields too.
func (e *encoder) shape(c *core.Collection, all bool) *shape {
	key := shapeKey{c.Id, all}
	e.mu.RLock()
	s := e.shapes[key]
	e.mu.RUnlock()
	if s != nil && s.collection == c { // a changed collection is another model
		return s
	}
	if s = newShape(c, all); s == nil {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.shapes) > shapesKept { // of collections that are no more
		clear(e.shapes)
	}
	e.shapes[key] = s
	return s
}

func newShape(c *core.Collection, all bool) *shape {
	s := &shape{collection: c}
	for _, field := range c.Fields {
		name := field.GetName()
		switch name {
		case core.FieldNameCollectionId, core.FieldNameCollectionName, core.FieldNameExpand:
			return nil
		}
		if all || !field.GetHidden() {
			s.parts = append(s.parts, part{name: name, value: getter(c, name)})
		}
	}
	s.parts = append(s.parts,
		part{name: core.FieldNameCollectionId, fixed: string(quoted(nil, c.Id))},
		part{name: core.FieldNameCollectionName, fixed: string(quoted(nil, c.Name))},
	)
	slices.SortFunc(s.parts, func(a, b part) int { return cmp.Compare(a.name, b.name) })
	for i := range s.parts {
		if i > 0 && s.parts[i].name == s.parts[i-1].name {
			return nil
		}
		s.parts[i].prefix = string(append(quoted([]byte{"{,"[min(i, 1)]}, s.parts[i].name), ':'))
	}
	return s
}

// getter finds what record.Get(name) would find each time again.
func getter(c *core.Collection, name string) core.GetterFunc {
	for _, field := range c.Fields {
		if f, ok := field.(core.GetterFinder); ok {
			if get := f.FindGetter(name); get != nil {
				return get
			}
		}
	}
	return func(r *core.Record) any { return r.GetRaw(name) }
}

// record writes what the record shows.
func (b *body) record(r *core.Record, s *shape) {
	if r == nil {
		b.raw(`null`)
		return
	}
	if s == nil || s.collection != r.Collection() {
		b.export(r.PublicExport())
		return
	}
	for i := range s.parts {
		p := &s.parts[i]
		b.raw(p.prefix)
		if p.value == nil {
			b.raw(p.fixed)
		} else {
			b.value(p.value(r))
		}
	}
	b.raw(`}`)
}

func (b *body) export(shown map[string]any) {
	b.raw(`{`)
	for i, name := range slices.Sorted(maps.Keys(shown)) {
		if i > 0 {
			b.raw(`,`)
		}
		b.string(name)
		b.raw(`:`)
		b.value(shown[name])
	}
	b.raw(`}`)
}

// value writes the values of PocketBase's fields; all others are left to its
// own encoder with its own options.
func (b *body) value(v any) {
	switch v := v.(type) {
	case string:
		b.string(v)
	case bool:
		b.text = strconv.AppendBool(b.text, v)
	case float64:
		b.float(v)
	case int:
		b.integer(v)
	case nil:
		b.raw(`null`)
	case types.DateTime:
		b.raw(`"`)
		b.raw(v.String())
		b.raw(`"`)
	case []string:
		b.strings(v)
	case types.JSONArray[string]:
		b.strings(v)
	default:
		text, err := json.Marshal(v, json.Deterministic(true), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
		if err != nil && b.err == nil {
			b.err = err
		}
		b.text = append(b.text, text...)
	}
}

func (b *body) raw(s string)    { b.text = append(b.text, s...) }
func (b *body) string(s string) { b.text = quoted(b.text, s) }
func (b *body) integer(n int)   { b.text = strconv.AppendInt(b.text, int64(n), 10) }
func (b *body) strings(s []string) {
	b.raw(`[`)
	for i, v := range s {
		if i > 0 {
			b.raw(`,`)
		}
		b.string(v)
	}
	b.raw(`]`)
}

// exact is how far whole numbers are written alike in every way.
const exact = 1 << 53

func (b *body) float(f float64) {
	if f == math.Trunc(f) && math.Abs(f) < exact && (f != 0 || !math.Signbit(f)) {
		b.text = strconv.AppendInt(b.text, int64(f), 10)
		return
	}
	text, err := json.Marshal(f)
	if err != nil && b.err == nil {
		b.err = err
	}
	b.text = append(b.text, text...)
}
