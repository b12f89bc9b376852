package forms_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"bungalow/hooks/kit/spam"
)

// BenchmarkPost is what one stored submission costs, from the request to the
// answer, with every feature on.
func BenchmarkPost(b *testing.B) {
	for _, without := range [][]string{nil, {"inbox"}} {
		b.Run("without="+strings.Join(without, ","), func(b *testing.B) {
			app := contact(b, without...)
			sitetest.Make(b, app, schema.Settings, map[string]any{"feature": spam.Feature, "value": spam.Options{NoLimits: true}})
			var n atomic.Int64
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					i := n.Add(1)
					body := fmt.Sprintf("name=Visitor+%d&email=v%d@example.com&message=Hello+from+number+%d.+Are+you+open+on+day+%d?", i, i, i, i)
					req := httptest.NewRequest("POST", "/f/contact", strings.NewReader(body))
					req.Header.Set("Content-Type", encoded)
					rec := httptest.NewRecorder()
					app.Handler.ServeHTTP(rec, req)
					if rec.Code != 201 {
						b.Errorf("%d %s", rec.Code, rec.Body)
						return
					}
				}
			})
		})
	}
}
