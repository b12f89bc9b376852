package queue

import (
	"strings"
	"testing"

	"github.com/pocketbase/dbx"
)

// No query of the workers may walk the table: a backlog must not slow them.
func TestQueriesUseIndexes(t *testing.T) {
	t.Parallel()
	app := leaseApp(t)
	params := dbx.Params{"kinds": `["work"]`, "kind": "work", "now": 1, "until": 1, "lease": 1, "limit": 10}
	for name, sql := range map[string]string{"due": dueSQL, "claim": claimSQL, "renew": renewSQL, "expired": expiredSQL} {
		bind := dbx.Params{}
		for p, v := range params {
			if strings.Contains(sql, "{:"+p+"}") {
				bind[p] = v
			}
		}
		var steps []struct {
			Detail string `db:"detail"`
		}
		if err := app.NonconcurrentDB().NewQuery("EXPLAIN QUERY PLAN " + sql).Bind(bind).All(&steps); err != nil {
			t.Fatal(name, err)
		}
		for _, step := range steps {
			// The index of running jobs holds few rows and may be walked.
			walks := strings.HasPrefix(step.Detail, "SCAN _jobs") && !strings.HasSuffix(step.Detail, "_jobs_running")
			if walks || strings.Contains(step.Detail, "TEMP B-TREE") {
				t.Errorf("%s: %s", name, step.Detail)
			}
		}
	}
}
