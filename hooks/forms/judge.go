package forms

import (
	"strings"

	"github.com/pocketbase/pocketbase/core"
)

// reason is why a layer gave points.
type reason struct {
	Layer  string `json:"layer"`
	Points int    `json:"points"`
	Detail string `json:"detail"`
}

type verdict struct{ found []reason }

func (v *verdict) add(layer string, points int, detail string) {
	v.found = append(v.found, reason{layer, points, detail})
}

func (v *verdict) points() int {
	n := 0
	for _, r := range v.found {
		n += r.Points
	}
	return n
}

func (v *verdict) reasons() []reason { return v.found }

func (v *verdict) isSpam(policy string) bool {
	switch policy {
	case SpamOff:
		return false
	case SpamStrict:
		return v.points() >= 50
	}
	return v.points() >= 100
}

func (d *draft) judge(core.App) (verdict, error) {
	var v verdict
	if d.form.SpamPolicy != SpamOff && strings.TrimSpace(d.sent.first("_hp")) != "" {
		v.add("honeypot", 100, "A field was filled in that people don't see.")
	}
	return v, nil
}
