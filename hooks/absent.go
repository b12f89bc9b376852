package hooks

import (
	"html/template"
	"slices"

	"bungalow/hooks/forms"
	"bungalow/hooks/kit/theme"
	"github.com/pocketbase/pocketbase/core"
)

// bindAbsent hides the collections of a feature that is switched off but was
// here before. Its hooks don't run, so what a client wrote there would pass
// unchecked and be shown when the feature comes back. A collection of the same
// name that is not ours is left alone.
func bindAbsent(app core.App, cfg Config) {
	bindAbsentForm(app, cfg)
	for _, f := range features() {
		if len(f.owns) == 0 || !slices.Contains(cfg.Without, f.name) {
			continue
		}
		absent := func(e *core.RequestEvent) error {
			here, err := f.beenHere(e.App)
			if err == nil && here {
				return e.NotFoundError("The feature "+f.name+" is switched off.", nil)
			}
			return err
		}
		list := func(e *core.RecordsListRequestEvent) error {
			if err := absent(e.RequestEvent); err != nil {
				return err
			}
			return e.Next()
		}
		one := func(e *core.RecordRequestEvent) error {
			if err := absent(e.RequestEvent); err != nil {
				return err
			}
			return e.Next()
		}
		app.OnRecordsListRequest(f.owns...).BindFunc(list)
		app.OnRecordViewRequest(f.owns...).BindFunc(one)
		app.OnRecordCreateRequest(f.owns...).BindFunc(one)
		app.OnRecordUpdateRequest(f.owns...).BindFunc(one)
		app.OnRecordDeleteRequest(f.owns...).BindFunc(one)
	}
}

// bindAbsentForm shows nothing where a page asks for a form and forms are
// switched off; the line itself is no text for visitors.
func bindAbsentForm(app core.App, cfg Config) {
	if !slices.Contains(cfg.Without, forms.Feature) {
		return
	}
	app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		if t := theme.Of(e.App); t != nil {
			t.Shortcode("form", func(theme.Place, []string) (template.HTML, error) { return "", nil })
		}
		return e.Next()
	})
}
