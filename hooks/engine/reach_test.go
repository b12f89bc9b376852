package engine

import (
	"net/url"
	"testing"
)

func TestHowFarExpressionsReach(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]reach{
		"": near, " ": near, "a=1": near, "a='x' && (b>2 || c~'%y')": near, "id=@request.auth.id": near, "@request.auth.role='x'": near, "a:length>1": near, "a=true": near,
		"a=null // said @now": near, "a='@now'": near,
		"author.name='x'": wide, "books_via_author.id!=''": wide, "@collection.flags.on=true": wide, "@request.auth.team.name='x'": wide, "data.key=1": wide,
		"a<@now": beyond, "(a=1 || (b=2 && c<@todayStart))": beyond, "@request.headers.x='1'": beyond, "@request.body.x='1'": beyond, "@request.query.x='1'": beyond,
		"@request.method='GET'": beyond, "geoDistance(a.lon,a.lat,1,2)<3": beyond, "strftime('%Y',a)='2026'": beyond, "(((": beyond, "a": beyond, "@random=1": beyond,
	} {
		if got := reachOf(expression); got != want {
			t.Errorf("%q reaches %d instead of %d", expression, got, want)
		}
	}
	for sort, want := range map[string]reach{"": near, "-a,+b": near, "@rowid": near, "@random": beyond, "a,@random": beyond, "author.name": wide} {
		if got := sortReach(sort); got != want {
			t.Errorf("sort by %q reaches %d instead of %d", sort, got, want)
		}
	}
}

func FuzzAddress(f *testing.F) {
	f.Add("b=1&a=2&a=3&c=%26%3D")
	f.Add("a=1;b&%zz")
	f.Fuzz(func(t *testing.T, raw string) {
		query, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		// Two queries of one address must be the same to PocketBase.
		back, err := url.ParseQuery(address(query))
		if err != nil || len(back) != len(query) {
			t.Fatalf("%q became %q: %v", raw, address(query), err)
		}
		for name := range query {
			if query.Get(name) != back.Get(name) {
				t.Errorf("%q: %q became %q", raw, query.Get(name), back.Get(name))
			}
		}
	})
}
