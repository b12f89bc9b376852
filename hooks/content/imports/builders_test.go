package imports

import (
	"strings"
	"testing"
)

func TestPageBuilders(t *testing.T) {
	t.Parallel()
	files := &attachments{byID: map[string]attachment{"5": {url: "/a.jpg", alt: "A"}, "6": {url: "/b.pdf"}}}
	for in, want := range map[string]string{
		`[vc_row][vc_column]Words[/vc_column][/vc_row]`:                                  `Words`,
		`[vc_custom_heading text="Big &amp; bold"]`:                                      `<h3>Big &amp; bold</h3>`,
		`[vc_single_image image="5"]`:                                                    `<figure><img src="/a.jpg" alt="A"></figure>`,
		`[vc_gallery images="5,6,7"]`:                                                    `<figure><img src="/a.jpg" alt="A"></figure>`,
		`[vc_btn title="Go" link="url:https%3A%2F%2Fa.example%2Fx|title:Go"]`:            `<p><a href="https://a.example/x">Go</a></p>`,
		`[et_pb_button button_text="Buy" button_url="/buy/" /]`:                          `<p><a href="/buy/">Buy</a></p>`,
		`[et_pb_image src="/c.png" alt="<C>" /]`:                                         `<figure><img src="/c.png" alt="&lt;C&gt;"></figure>`,
		`[vc_raw_html]PGI+eDwvYj4=[/vc_raw_html]after`:                                   `after`,
		`[fusion_button link="/x/"]No words of its own[/fusion_button]`:                  `No words of its own`,
		`[av_heading heading='Hello' tag='h2'][/av_heading]`:                             `<h3>Hello</h3>`,
		`[vc_btn title="x" link="javascript:alert(1)"]`:                                  `<p><a href="javascript:alert(1)">x</a></p>`, // the policy of text takes it away
		`[VC_ROW]Loud[/VC_ROW]`:                                                          `Loud`,
		`[/vc_column_text]torn`:                                                          `torn`,
		`[other]kept[/other]`:                                                            `[other]kept[/other]`,
		`[vc_column_text]a [caption]<img src="/a.jpg"> cap[/caption] b[/vc_column_text]`: `a <figure class="wp-caption "><img src="/a.jpg"><figcaption>cap</figcaption></figure> b`,
		strings.Repeat("[vc_row]", 200) + "deep" + strings.Repeat("[/vc_row]", 200):      `deep`,
		`[vc_video link="https://vimeo.com/1" title="Film"]`:                             `<h3>Film</h3>`,
	} {
		var i Item
		got := strings.Join(strings.Fields(shortcodes(&i, in, files, "1")), " ")
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestReusedBlocksAreBounded(t *testing.T) {
	t.Parallel()
	f := &attachments{reusable: map[string]string{}}
	f.reuse("1", `<!-- wp:block {"ref":1} /-->`+strings.Repeat("x", 1000)) // it names itself
	f.reuse("2", strings.Repeat("y", maxReused+1))
	f.reuse("3", strings.Repeat("z", maxReusable))
	if got := f.withReused(strings.Repeat(`<!-- wp:block {"ref":1} /-->`, 500)); len(got) > 2*maxReused {
		t.Errorf("%d bytes", len(got))
	}
	for _, ref := range []string{"2", "3", "4"} {
		block := `<!-- wp:block {"ref":` + ref + `} /-->`
		if got := f.withReused(block); got != block {
			t.Errorf("block %s: %d bytes", ref, len(got))
		}
	}
}

func TestOwnAddressesOfMenus(t *testing.T) {
	t.Parallel()
	w := &wordpress{base: "https://a.example/site"}
	for in, want := range map[string]string{
		"https://a.example/site": "/", "https://www.a.example/site/": "/", "http://A.example/site/x/?a=1#b": "/site/x/?a=1#b", "https://b.example/": "https://b.example/",
		"/x/": "/x/", "#top": "#top", "mailto:a@b.example": "mailto:a@b.example", "": "", "https://user:pw@a.example/y": "/y", "//a.example/z": "/z",
	} {
		if got := w.inside(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
	for login, want := range map[string]string{"ada": "ada ada", "ada@example.org": "ada ada", "Ada Lovelace": "Ada Lovelace ada-lovelace"} {
		if r := w.authorRef(login, ""); r.Name+" "+r.Slug != want {
			t.Errorf("%q is shown as %q, %q", login, r.Name, r.Slug)
		}
	}
}
