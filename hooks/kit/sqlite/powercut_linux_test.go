package sqlite

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/pocketbase/pocketbase/core"
)

const crashPoints = 60

// TestAPowerCutTakesNothingAcknowledged cuts the power at many points of the
// same run, with our shared syncs. The control is PocketBase's NORMAL, which
// must lose something: otherwise this test would see nothing.
func TestAPowerCutTakesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	lost, points := cutPower(t, Options{})
	t.Logf("full: acknowledged writes lost at %d of %d crash points", lost, points)
	if lost > 0 {
		t.Error("acknowledged writes were lost")
	}
	lost, points = cutPower(t, Options{Durability: Normal})
	t.Logf("normal, the control: acknowledged writes lost at %d of %d crash points", lost, points)
	if lost == 0 {
		t.Error("the control lost nothing: the simulation shows nothing")
	}
	lost, points = cutPower(t, Options{NoQueue: true})
	t.Logf("full with plain connections: lost at %d of %d crash points", lost, points)
	if lost > 0 {
		t.Error("plain FULL lost acknowledged writes")
	}
}

func cutPower(t *testing.T, o Options) (lost, points int) {
	t.Helper()
	dir := t.TempDir()
	plain := open(t, core.DefaultDBConnect, filepath.Join(dir, dataFile))
	must(t, plain, "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, n INT)")
	must(t, plain, "CREATE TABLE pairs (name TEXT PRIMARY KEY, side INT)")
	if err := plain.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(dir, dataFile))
	if err != nil {
		t.Fatal(err)
	}
	base := map[string][]byte{dataFile: content}

	rec := &recorder{}
	recorders.Store(dir, rec)
	defer recorders.Delete(dir)
	o.extra = recordingVFS(t) + "&_pragma=wal_autocheckpoint(40)"
	w := newWAL(filepath.Join(dir, dataFile))
	defer w.close()
	o.sync = func() error {
		upto := rec.now()
		err := w.sync()
		rec.add(step{file: dataFile + "-wal", sync: true, upto: upto})
		return err
	}
	writeRecorded(t, dir, o, rec)

	random := rand.New(rand.NewPCG(7, 11))
	for i := range crashPoints {
		n := (i + 1) * len(rec.log) / crashPoints
		if i%2 == 0 {
			n = 1 + random.IntN(len(rec.log))
		}
		at := t.TempDir()
		acked, err := rec.powerCut(base, n, random, at)
		if err != nil {
			t.Fatal(err)
		}
		points++
		if afterCut(t, at, acked) > 0 {
			lost++
		}
	}
	return lost, points
}

// writeRecorded has eight writers insert, update and run transactions.
func writeRecorded(t *testing.T, dir string, o Options, rec *recorder) {
	t.Helper()
	path := filepath.Join(dir, dataFile)
	write, read := open(t, Connect(o), path), open(t, Connect(o), path)
	write.SetMaxOpenConns(1)
	var one int
	if err := read.QueryRow("SELECT count(*) FROM t").Scan(&one); err != nil { // keeps the log from being deleted
		t.Fatal(err)
	}
	if !o.NoQueue {
		if err := serialize(t.Context(), write); err != nil {
			t.Fatal(err)
		}
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 40 {
				name := fmt.Sprintf("%d-%d", i, j)
				var err error
				if j%4 == 3 {
					name = "pair " + name
					tx, e := write.Begin()
					if e != nil {
						t.Error(e)
						return
					}
					_, e1 := tx.Exec("INSERT INTO pairs VALUES (? || 'a', 0)", name)
					_, e2 := tx.Exec("INSERT INTO pairs VALUES (? || 'b', 1)", name)
					err = errors.Join(e1, e2, tx.Commit())
				} else {
					_, err = write.Exec("INSERT INTO t (name, n) VALUES (?, length(randomblob(2000)))", name)
				}
				if err != nil {
					t.Error(err)
					return
				}
				rec.add(step{ack: name})
			}
		})
	}
	all.Wait()
	_ = read.Close()
	rec.mu.Lock() // what happens at the end is no part of the run
	rec.log = rec.log[:len(rec.log):len(rec.log)]
	rec.mu.Unlock()
	_ = write.Close()
}

// afterCut opens what is left as the next start would, and counts what is
// missing.
func afterCut(t *testing.T, dir string, acked []string) (missing int) {
	t.Helper()
	db := open(t, core.DefaultDBConnect, filepath.Join(dir, dataFile))
	defer db.Close()
	var answer string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&answer); err != nil || answer != "ok" {
		t.Errorf("integrity_check: %s, %v", answer, err)
	}
	var half int
	if err := db.QueryRow("SELECT count(*) FROM (SELECT 1 FROM pairs GROUP BY rtrim(name, 'ab') HAVING count(*) <> 2)").Scan(&half); err != nil || half > 0 {
		t.Errorf("%d transactions are half there, %v", half, err)
	}
	there := map[string]bool{}
	rows, err := db.Query("SELECT name FROM t UNION ALL SELECT rtrim(name, 'ab') FROM pairs WHERE side = 0")
	if err != nil {
		t.Error(err)
		return len(acked)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Error(err)
		}
		there[name] = true
	}
	for _, name := range acked {
		if !there[name] {
			missing++
		}
	}
	return missing
}
