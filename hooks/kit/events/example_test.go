package events_test

import (
	"errors"
	"fmt"
	"strings"

	"bungalow/hooks/kit/events"
	"github.com/pocketbase/pocketbase/core"
)

// A site's own code refuses to publish a title in capitals.
func ExampleOnPublish() {
	app := core.NewBaseApp(core.BaseAppConfig{}) // yours, in main.go

	events.OnPublish(app).BindFunc(func(e *events.PublishEvent) error {
		title := e.Record.GetString("title")
		if len(title) > 10 && title == strings.ToUpper(title) {
			return errors.New("please write the title in lower case")
		}
		return e.Next()
	})

	// What the site does when a post is published:
	posts := core.NewBaseCollection("posts")
	posts.Fields.Add(&core.TextField{Name: "title"})
	for _, title := range []string{"Spring on the veranda", "SPRING ON THE VERANDA"} {
		record := core.NewRecord(posts)
		record.Set("title", title)
		err := events.OnPublish(app).Trigger(&events.PublishEvent{App: app, Record: record})
		fmt.Println(title, "→", err)
	}
	// Output:
	// Spring on the veranda → <nil>
	// SPRING ON THE VERANDA → please write the title in lower case
}

// A page gets something more to show, and says what it depends on.
func ExampleOnRender() {
	app := core.NewBaseApp(core.BaseAppConfig{})

	events.OnRender(app).BindFunc(func(e *events.RenderEvent) error {
		if e.Page == "home" {
			e.Extra["concert"] = "Saturday, 8 pm" // from your collection
			e.Uses("concerts")                    // rendered again when one changes
		}
		return e.Next()
	})

	uses := func(collection string, _ ...string) { fmt.Println("depends on", collection) }
	event := events.NewRenderEvent(app, nil, "home", nil, uses, func() {})
	fmt.Println(events.OnRender(app).Trigger(event), event.Extra["concert"])
	// Output:
	// depends on concerts
	// <nil> Saturday, 8 pm
}
