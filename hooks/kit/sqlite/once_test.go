package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// TestEveryWriteHappensOnce has each of many writers count on a row of its own
// among neighbours who end groups in every way. What was acknowledged happened
// exactly once, what was refused never, and what was cancelled at most once.
func TestEveryWriteHappensOnce(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{{}, {Durability: Normal}, {NoGroups: true}, {Statements: 2}} {
		t.Run(fmt.Sprint(o.Durability, o.NoGroups, o.Statements), func(t *testing.T) {
			t.Parallel()
			s := newSite(t, o)
			s.q.slow = 3 * time.Millisecond // some groups end for no reason of their members'
			for _, text := range []string{
				"CREATE TABLE parent (id INTEGER PRIMARY KEY)",
				"CREATE TABLE child (p REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)",
			} {
				must(t, s.write, text)
			}
			const writers = 16
			for i := range writers {
				must(t, s.write, "INSERT INTO t (id, name, n) VALUES (?, ?, 0)", i, fmt.Sprint(i))
			}
			var sure, maybe [writers]int
			var all sync.WaitGroup
			for i := range writers {
				all.Go(func() { sure[i], maybe[i] = count(t, s, i) })
			}
			all.Wait()
			for i := range writers {
				var n int
				if err := s.read.QueryRow("SELECT n FROM t WHERE id = ?", i).Scan(&n); err != nil || n < sure[i] || n > sure[i]+maybe[i] {
					t.Errorf("writer %d counted %d, cancelled %d, and the row says %d, %v", i, sure[i], maybe[i], n, err)
				}
			}
			t.Logf("%+v", s.q.stats())
		})
	}
}

// count adds to the writer's row in random ways.
func count(t *testing.T, s *site, i int) (sure, maybe int) {
	random := rand.New(rand.NewPCG(3, uint64(i)))
	const add = "UPDATE t SET n = n + 1 WHERE id = ?"
	for range 80 {
		switch random.IntN(10) {
		case 0:
			if _, err := s.write.Exec("INSERT OR ROLLBACK INTO t (id) VALUES (?)", i); err == nil {
				t.Error("a row was made twice")
			}
		case 1:
			if _, err := s.write.Exec("INSERT INTO child VALUES (1)"); err == nil {
				t.Error("a child without a parent")
			}
		case 2:
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(800))*time.Microsecond)
			if _, err := s.write.ExecContext(ctx, add, i); err == nil {
				sure++
			} else {
				maybe++
			}
			cancel()
		case 3:
			tx, err := s.write.Begin()
			if err != nil {
				t.Error(err)
				return sure, maybe
			}
			_, err1 := tx.Exec(add, i)
			_, err2 := tx.Exec(add, i)
			if random.IntN(2) == 0 {
				_ = tx.Rollback()
			} else if err := errors.Join(err1, err2, tx.Commit()); err == nil {
				sure += 2
			} else {
				t.Error(err)
			}
		case 4:
			var n int
			if err := s.write.QueryRow(add+" RETURNING n", i).Scan(&n); err != nil {
				t.Error(err)
			} else {
				sure++
			}
		default:
			res, err := s.write.Exec(add, i)
			if err != nil {
				t.Error(err)
				continue
			}
			if n, _ := res.RowsAffected(); n != 1 {
				t.Errorf("%d rows", n)
			}
			sure++
		}
	}
	return sure, maybe
}
