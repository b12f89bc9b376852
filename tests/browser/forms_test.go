package browser

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

const staffPassword = "correct-horse-battery"

// staffTab is a tab in which a new owner is signed in to the desk.
func (s *website) staffTab(t testing.TB, email string) *tab {
	t.Helper()
	if _, err := s.create(t.Context(), "staff", map[string]any{
		"email": email, "name": "Grace", "role": "owner", "active": true, "verified": true,
		"password": staffPassword, "passwordConfirm": staffPassword,
	}); err != nil {
		t.Fatal(err)
	}
	b := open(t, s.URL)
	b.visit("/desk/sign-in/")
	b.do(fill(`main input[name=email]`, email), fill(`main input[name=password]`, staffPassword), submit(`main form`))
	b.until(`location.pathname === "/desk/" && document.readyState === "complete"`)
	return b
}

type listed struct {
	TotalItems int
	Items      []map[string]any
}

func (s *website) list(t testing.TB, collection string) listed {
	t.Helper()
	var out listed
	if err := s.root.Call(t.Context(), http.MethodGet, "/api/collections/"+collection+"/records?sort=created&perPage=100", nil, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// The contact page of a new site works as it is, with and without JavaScript.
func TestTheContactFormWorksOutOfTheBox(t *testing.T) {
	t.Parallel()
	site := fresh(t)
	const send = `(document.querySelector("main form button[type=submit]").click(), true)`
	for n, scripts := range []bool{true, false} {
		b := open(t, site.URL)
		messages := listen(b)
		b.scripts(scripts)
		b.visit("/contact/")
		who := fmt.Sprintf("Ada %d", n)
		b.do(fill(`main [name=name]`, who), fill(`main [name=email]`, "ada@nowhere"), fill(`main [name=message]`, "Is the veranda open on "+who+" street?"))
		eval[bool](b, send)
		b.until(`document.querySelector("[data-field=email] .error")?.textContent.includes("e-mail address")`)
		b.shot(fmt.Sprintf("form-wrong-%v", scripts))
		if got := eval[string](b, `document.querySelector("main [name=name]").value`); got != who {
			t.Errorf("scripts %v: the form came back with the name %q", scripts, got)
		}
		if scripts && eval[string](b, `document.activeElement.name`) != "email" {
			t.Error("the focus is not at the field that is wrong")
		}
		eval[bool](b, `(document.querySelector("main [name=email]").value = "ada`+fmt.Sprint(n)+`@example.com") !== ""`)
		eval[bool](b, send)
		b.until(`location.search === "?notice=sent" && document.readyState === "complete"`)
		b.shot(fmt.Sprintf("form-sent-%v", scripts))
		if text := eval[string](b, `document.querySelector(".form-done").innerText`); !strings.Contains(text, "Thank you") {
			t.Errorf("scripts %v: %q", scripts, text)
		}
		for _, m := range messages() {
			if !strings.Contains(m, "422") {
				t.Errorf("scripts %v: the browser reports %s", scripts, m)
			}
		}
	}
	sent, talks := site.list(t, "submissions"), site.list(t, "conversations")
	if sent.TotalItems != 2 || talks.TotalItems != 2 {
		t.Fatalf("%d submissions and %d conversations, want 2 of each", sent.TotalItems, talks.TotalItems)
	}
	for _, s := range sent.Items {
		if s["status"] != "ok" || s["conversation"] == "" {
			t.Errorf("stored %v", s)
		}
	}
}

// fieldsOf reads the fields of the form with a slug.
func (s *website) fieldsOf(t testing.TB, slug string) (names []string, byName map[string]map[string]any) {
	t.Helper()
	for _, form := range s.list(t, "forms").Items {
		if form["slug"] != slug {
			continue
		}
		raw, _ := json.Marshal(form["fields"])
		var fields []map[string]any
		if err := json.Unmarshal(raw, &fields); err != nil {
			t.Fatal(err)
		}
		byName = map[string]map[string]any{}
		for _, f := range fields {
			names = append(names, f["name"].(string))
			byName[f["name"].(string)] = f
		}
	}
	return names, byName
}

// drag is a script that drags the field at one place above or below that at
// another, as the browser tells the page of it, and gives the new order.
func drag(from, to int, below bool) string {
	return fmt.Sprintf(`((from, to, below) => {
		const items = [...document.querySelectorAll("[data-item]")], grip = items[from].querySelector("[data-grip]"), box = items[to].getBoundingClientRect();
		const tell = (el, type) => el.dispatchEvent(new DragEvent(type, {bubbles: true, cancelable: true, dataTransfer: new DataTransfer(), clientY: below ? box.bottom - 1 : box.top + 1}));
		tell(grip, "dragstart"); tell(items[to], "dragover"); tell(items[to], "drop"); tell(grip, "dragend");
		return [...document.querySelectorAll("[data-item] [name$='.name']")].map(i => i.value).join(" ");
	})(%d, %d, %v)`, from, to, below)
}

func TestTheFormBuilder(t *testing.T) {
	t.Parallel()
	site := fresh(t)
	b := site.staffTab(t, "grace@example.com")
	messages := listen(b)
	b.visit("/desk/forms/")
	b.shot("desk-forms")
	b.do(fill(`main input[name=title]`, "Spring fair"), submit(`main form.new-form`))
	b.until(`document.querySelector("[data-builder]") && document.readyState === "complete"`)
	const preview = `document.querySelector("[data-preview-box]").shadowRoot`
	b.until(preview + `?.querySelector("textarea[name=message]") != null`)

	// A field is added and named, and the preview follows.
	eval[bool](b, `(document.querySelector("button[value='add:select']").click(), true)`)
	b.until(`document.querySelectorAll("[data-item]").length === 4`)
	eval[bool](b, `(() => { const i = document.querySelector("[name='f.3.label']"); i.value = "Which day?"; i.dispatchEvent(new Event("input", {bubbles: true})); return true })()`)
	b.until(preview + `.textContent.includes("Which day?")`)

	// The keyboard moves it up.
	eval[bool](b, `(document.querySelectorAll("[data-grip]")[3].focus(), true)`)
	b.do(press(kb.ArrowUp))
	b.until(`[...document.querySelectorAll("[data-item]")].findIndex(i => i.querySelector("[name='f.3.label']")) === 2`)
	if said := eval[string](b, `document.querySelector("[data-said]").textContent`); !strings.Contains(said, "3 of 4") {
		t.Errorf("a screen reader hears %q", said)
	}
	b.until(preview + `.querySelectorAll("[data-field]")[2].textContent.includes("Which day?")`)

	// Dragging moves too: the last one before the first, and back behind the last.
	if order := eval[string](b, drag(3, 0, false)); !strings.HasPrefix(order, "message name email") {
		t.Errorf("after dragging the last to the front the order is %s", order)
	}
	b.until(preview + `.querySelectorAll("[data-field]")[0].querySelector("textarea") != null`)
	if order := eval[string](b, drag(0, 3, true)); !strings.HasSuffix(order, "message") {
		t.Errorf("after dragging the first to the end the order is %s", order)
	}
	b.until(preview + `.querySelectorAll("[data-field]")[3].querySelector("textarea") != null`)
	b.shot("desk-form-builder")
	b.view(dark, phone)
	b.shot("desk-form-builder-phone")
	b.view(light, desktop)
	eval[bool](b, `(document.querySelector(".head button[value=save]").click(), true)`)
	b.until(`document.querySelector(".notice")?.textContent.includes("saved") && document.readyState === "complete"`)
	names, fields := site.fieldsOf(t, "spring-fair")
	if strings.Join(names, " ") != "name email which_day message" || fields["which_day"]["label"] != "Which day?" {
		t.Errorf("stored %v %v", names, fields["which_day"])
	}
	for _, m := range messages() {
		t.Errorf("the browser reports %s", m)
	}

	// Without scripts the buttons do the same.
	b.scripts(false)
	b.visit(eval[string](b, `location.pathname`))
	eval[bool](b, `(document.querySelector("button[value='up:1']").click(), true)`)
	b.until(`document.querySelector("[name='f.0.name']")?.value === "email" && document.readyState === "complete"`)
	eval[bool](b, `(document.querySelector("button[value='remove:2']").click(), true)`)
	b.until(`document.querySelectorAll("[data-item]").length === 3 && document.readyState === "complete"`)
	eval[bool](b, `(document.querySelector(".head button[value=save]").click(), true)`)
	b.until(`document.querySelector(".notice")?.textContent.includes("saved") && document.readyState === "complete"`)
	if names, _ := site.fieldsOf(t, "spring-fair"); strings.Join(names, " ") != "email name message" {
		t.Errorf("stored %v without scripts", names)
	}
}

// everyField has one of each type.
const everyField = `[{"name":"name","type":"text","label":"Your name","required":true},{"name":"email","type":"email","label":"E-mail"},
	{"name":"phone","type":"tel","label":"Telephone"},{"name":"site","type":"url","label":"Web site"},{"name":"guests","type":"number","label":"Guests","min":1,"max":8},
	{"name":"day","type":"date","label":"Day"},{"name":"words","type":"textarea","label":"A few words","help":"As many as you like."},
	{"name":"meal","type":"select","label":"Meal","options":["Soup","Bread"]},{"name":"seat","type":"radio","label":"Seat","options":["Inside","Outside"],"required":true},
	{"name":"extras","type":"checkbox","label":"Extras","options":["Blanket","Candle"]},{"name":"news","type":"checkbox","label":"Send me news"},
	{"name":"photo","type":"file","label":"A photograph"},{"name":"source","type":"hidden","default":"web"},
	{"name":"agree","type":"consent","label":"I agree that this is stored.","required":true}]`

func TestFormsAreAccessible(t *testing.T) {
	t.Parallel()
	library := axeCore(t)
	site := fresh(t)
	site.sentForm(t)
	b := open(t, site.URL)
	b.ignorePolicy()
	for _, path := range []string{"/f/every", "/f/contact?notice=sent", "/contact/"} {
		b.inspect(library, strings.Trim(strings.NewReplacer("/", "-", "?", "-").Replace(path), "-"), path)
	}
	// The builder with all its fields open.
	builder := site.staffTab(t, "grace@example.com")
	builder.ignorePolicy()
	builder.view(light, phone)
	builder.visit("/desk/forms/" + fmt.Sprint(site.list(t, "forms").Items[0]["id"]) + "/")
	eval[bool](builder, `(document.querySelectorAll("details").forEach(d => { d.open = true }), true)`)
	for _, violation := range eval[[]string](builder, library+";"+rules) {
		t.Error(violation)
	}
}
