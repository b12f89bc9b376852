package desk

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
)

// Marks says of each field, by its json name, what it held when a form was
// drawn, without saying it: a page with secrets can hold them. The key keeps
// short values from being guessed.
type Marks map[string]string

// MarksOf makes the marks of a pointer to an options struct.
func MarksOf(options any, key []byte) Marks {
	marks := Marks{}
	for _, l := range leaves(reflect.ValueOf(options).Elem()) {
		marks[l.name] = l.mark(key)
	}
	return marks
}

// Merge joins two people's changes of the same settings: stored is what is there
// now, sent what one of them wants, seen what stood in the form at first. What
// only the other one changed is put into sent and named in kept; what both
// changed, and not alike, is named in clash and left as it was sent. A field
// without a mark is nobody else's.
func Merge(stored, sent any, seen Marks, key []byte) (kept, clash []string) {
	now := leaves(reflect.ValueOf(stored).Elem())
	for i, l := range leaves(reflect.ValueOf(sent).Elem()) {
		mark, theirs := seen[l.name], now[i].mark(key)
		if mark == "" || mark == theirs {
			continue
		}
		switch l.mark(key) {
		case theirs:
		case mark:
			l.value.Set(now[i].value)
			kept = append(kept, l.name)
		default:
			clash = append(clash, l.name)
		}
	}
	return kept, clash
}

func (l leaf) mark(key []byte) string {
	text := fmt.Sprint(l.value.Interface())
	if l.value.Kind() == reflect.Slice {
		text = strings.Join(l.value.Convert(reflect.TypeFor[[]string]()).Interface().([]string), "\n")
	}
	sum := hmac.New(sha256.New, key)
	sum.Write([]byte(l.name + "\x00" + text))
	return hex.EncodeToString(sum.Sum(nil)[:12])
}
