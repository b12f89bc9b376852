package imports

import "testing"

func TestPartsForMembers(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]bool{
		"<p>x</p>": false, "<!--members-only-->": true, "<!-- members-only -->": true, `<!--kg-gated-block:begin nonMember:true memberSegment:"" -->`: false,
		`<!--kg-gated-block:begin nonMember:false memberSegment:"status:free" -->`: true, "<!--kg-gated-block:begin-->": true, "<!--kg-card-begin: html-->": false,
		`<!--kg-gated-block:begin nonMember:true -->a<!--kg-gated-block:end--><!-- kg-gated-block:begin nonMember:false -->`: true,
	} {
		if got := forMembers(body); got != want {
			t.Errorf("%s: %t", body, got)
		}
	}
}

func TestGhostCardsLoseTheirControls(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`<p>kg-audio <b>x`: `<p>kg-audio <b>x`, // no card: as it was written
		`<div class="kg-card kg-video-card"><video src="/v.mp4"></video><div class="kg-video-overlay"><button>Play</button></div></div>`: `<div class="kg-card kg-video-card"><video src="/v.mp4"></video></div>`,
		`<p>a</p><div class="kg-card kg-signup-card"><h2>Sign up</h2></div><p>b</p>`:                                                     `<p>a</p><p>b</p>`,
		`<div class="kg-card kg-toggle-card"><h4>Q<button class="kg-toggle-card-icon">v</button></h4></div>`:                             `<div class="kg-card kg-toggle-card"><h4>Q</h4></div>`,
	} {
		var i Item
		if got := withoutControls(&i, in); got != want {
			t.Errorf("%s:\n got %s\nwant %s", in, got, want)
		}
	}
}
