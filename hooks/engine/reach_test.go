package engine

import (
	"net/url"
	"testing"
)

func TestHowFarExpressionsReach(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]reach{
		"": own, " ": own, "a=1": own, "a='x' && (b>2 || c~'%y')": own, "id=@request.auth.id": own, "@request.auth.role='x'": own, "a:length>1": own, "a=true": own,
		"a=null // said @now": own, "a='@now'": own,
		"author.name='x'": any_, "books_via_author.id!=''": any_, "@collection.flags.on=true": any_, "@request.auth.team.name='x'": any_, "data.key=1": any_,
		"a<@now": beyond, "(a=1 || (b=2 && c<@todayStart))": beyond, "@request.headers.x='1'": beyond, "@request.body.x='1'": beyond, "@request.query.x='1'": beyond,
		"@request.method='GET'": beyond, "geoDistance(a.lon,a.lat,1,2)<3": beyond, "strftime('%Y',a)='2026'": beyond, "(((": beyond, "a": beyond, "@random=1": beyond,
	} {
		if got := reachOf(expression); got != want {
			t.Errorf("%q reaches %d instead of %d", expression, got, want)
		}
	}
	for sort, want := range map[string]reach{"": own, "-a,+b": own, "@rowid": own, "@random": beyond, "a,@random": beyond, "author.name": any_} {
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
