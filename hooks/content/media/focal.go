package media

import (
	"fmt"
	"strconv"
	"strings"

	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
)

// Focal is the point of a picture that stays in sight where it is cropped, in
// percent of its width from the left and of its height from the top.
type Focal struct{ X, Y int }

// Middle is where a picture is cropped to when nobody chose a point.
var Middle = Focal{50, 50}

// ParseFocal reads the field focal: "30 75". Anything else is the middle and
// not ok; the empty text is the middle and ok.
func ParseFocal(field string) (f Focal, ok bool) {
	parts := strings.Fields(field)
	if len(parts) == 0 {
		return Middle, true
	}
	if len(parts) != 2 {
		return Middle, false
	}
	x, errX := strconv.Atoi(parts[0])
	y, errY := strconv.Atoi(parts[1])
	if errX != nil || errY != nil || min(x, y) < 0 || max(x, y) > 100 {
		return Middle, false
	}
	return Focal{x, y}, true
}

// String is the field's form of the point, "" for the middle.
func (f Focal) String() string {
	if f == Middle {
		return ""
	}
	return fmt.Sprint(f.X, " ", f.Y)
}

// FocalClass gives the classes of the theme's style sheet for the point, in
// steps of five: no page of ours has style attributes.
func FocalClass(field string) string {
	f, _ := ParseFocal(field)
	var classes []string
	for axis, at := range []int{f.X, f.Y} {
		if near := (at + 2) / 5 * 5; near != 50 {
			classes = append(classes, fmt.Sprintf("focal-%c-%d", "xy"[axis], near))
		}
	}
	return strings.Join(classes, " ")
}

// focus brings the field focal into its one form.
func focus(record *core.Record) error {
	f, ok := ParseFocal(record.GetString("focal"))
	if !ok {
		return validation.Errors{"focal": validation.NewError("validation_focal", `Write the point as two whole numbers from 0 to 100, such as "30 75".`)}
	}
	record.Set("focal", f.String())
	return nil
}
