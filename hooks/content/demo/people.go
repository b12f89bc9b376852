package demo

import (
	"image/color"

	"bungalow/hooks/kit/schema"
)

// people are the authors of the sample.
var people = []struct {
	key, name string
	face
	bio string
}{
	{"marta", "Marta Lindqvist", face{color.RGBA{243, 210, 186, 255}, true}, "Founded Crumb & Folio after eleven years in other people's bakeries. Believes in plums, long leases and small wreaths."},
	{"jonas", "Jonas Abel", face{color.RGBA{236, 196, 165, 255}, false}, "Sells books, and talks people out of buying the wrong ones. Owns half a chess set and most of a ladder."},
	{"priya", "Priya Raman", face{color.RGBA{160, 106, 74, 255}, true}, "Keeps the accounts and the computers. Has never met a list that could not be a table."},
	{"tomasz", "Tomasz Wilk", face{color.RGBA{228, 180, 146, 255}, false}, "Bakes at night. On good terms with rye, the fox and, most of the time, the oven."},
}

// topics are the tags of the sample.
var topics = []struct{ name, description string }{
	{"Bread", "Rye, wheat, and the time in between."},
	{"Pastry", "Everything that crumbles."},
	{"Recipes", "Tried at home, in the amounts that fit one oven."},
	{"Books", "New, second-hand, and hard to explain."},
	{"Reading group", "Every second Thursday, with soup."},
	{"Behind the counter", "What the customers do not see."},
	{"Neighbourhood", "Linden Street and its residents, with and without fur."},
	{"Seasons", "What the calendar does to a shop."},
	{"Tools", "Ovens, lamps, ladders."},
	{"Code", "Small programs for a small shop."},
	{"Numbers", "What it costs and what is left."},
	{"Notes", "Short ones."},
}

// link is one entry of a menu.
type link struct {
	Label    string `json:"label"`
	URL      string `json:"url"`
	Children []link `json:"children,omitempty"`
}

func (s *seeder) menus() error {
	for _, m := range []struct {
		name  string
		items []link
	}{{"main", mainMenu}, {"footer", footerMenu}, {"main.de", mainMenuGerman}, {"footer.de", footerMenuGerman}} {
		if err := s.save(schema.Menus, m.name, map[string]any{"name": m.name, "items": m.items}); err != nil {
			return err
		}
	}
	return nil
}

var (
	mainMenu = []link{
		{Label: "Journal", URL: "/blog/"},
		{Label: "About", URL: "/about/", Children: []link{{Label: "The people", URL: "/about/team/"}, {Label: "The house", URL: "/about/house/"}}},
		{Label: "Visit", URL: "/visit/", Children: []link{{Label: "Getting here", URL: "/visit/getting-here/"}}},
		{Label: "Contact", URL: "/contact/"},
	}
	footerMenu = []link{
		{Label: "Archive", URL: "/archive/"},
		{Label: "Style guide", URL: "/style-guide/"},
		{Label: "Imprint and privacy", URL: "/imprint/"},
		{Label: "Feed", URL: "/feed.xml"},
	}
	mainMenuGerman = []link{
		{Label: "Blog", URL: "/de/blog/"},
		{Label: "Über uns", URL: "/de/ueber-uns/"},
	}
	footerMenuGerman = []link{
		{Label: "Archiv", URL: "/de/archive/"},
		{Label: "Suche", URL: "/de/search/"},
		{Label: "Feed", URL: "/de/feed.xml"},
	}
)

func (s *seeder) redirects() error {
	for _, r := range []struct {
		from, to, status string
		prefix           bool
	}{
		{"/hours", "/visit/", "301", false},
		{"/stollen", "/blog/stollen-starts-in-november/", "302", false},
		{"/opening", "/blog/we-open-on-saturday/", "308", false},
		{"/journal", "/blog", "301", true},
		{"/webshop", "", "410", false},
	} {
		err := s.save(schema.Redirects, r.from, map[string]any{"from": r.from, "to": r.to, "status": r.status, "prefix": r.prefix})
		if err != nil {
			return err
		}
	}
	return nil
}
