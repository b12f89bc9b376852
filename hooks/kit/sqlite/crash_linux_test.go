package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"bungalow/tests/binary"
	"github.com/pocketbase/pocketbase/core"
)

// writerEnv makes this test binary a process that writes to a folder until it
// is killed, and says what was acknowledged.
const writerEnv = "BUNGALOW_SQLITE_TEST_WRITES_TO"

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerEnv); dir != "" {
		writeForEver(dir)
		return
	}
	os.Exit(m.Run())
}

func writeForEver(dir string) {
	path := filepath.Join(dir, dataFile)
	db, err := Connect(Options{})(path)
	if err == nil {
		db.DB().SetMaxOpenConns(1)
		err = serialize(context.Background(), db.DB())
	}
	if err != nil {
		fmt.Println("error", err)
		return
	}
	var out sync.Mutex
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for j := 0; ; j++ {
				name := fmt.Sprint(os.Getpid(), ".", i, ".", j)
				_, err := db.DB().Exec(insert, name)
				out.Lock()
				if err != nil {
					fmt.Println("error", err)
				} else {
					fmt.Println("ok", name)
				}
				out.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	all.Wait()
}

// TestKilledUnderLoad kills the writing process again and again on the same
// folder. BUNGALOW_KILL_ROUNDS says how often; make durability says 50.
func TestKilledUnderLoad(t *testing.T) {
	t.Parallel()
	rounds, _ := strconv.Atoi(os.Getenv("BUNGALOW_KILL_ROUNDS"))
	rounds = max(rounds, 4)
	dir := t.TempDir()
	db := open(t, core.DefaultDBConnect, filepath.Join(dir, dataFile))
	must(t, db, "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, n INT)")
	_ = db.Close()
	total := 0
	for round := range rounds {
		acked := killedWriter(t, dir, 150+37*round%400)
		total += len(acked)
		db := open(t, core.DefaultDBConnect, filepath.Join(dir, dataFile))
		var answer string
		if err := db.QueryRow("PRAGMA integrity_check").Scan(&answer); err != nil || answer != "ok" {
			t.Fatalf("round %d: integrity_check: %s, %v", round, answer, err)
		}
		for _, name := range acked {
			var n int
			if err := db.QueryRow("SELECT count(*) FROM t WHERE name = ?", name).Scan(&n); err != nil || n != 1 {
				t.Fatalf("round %d: %s was acknowledged and is not there: %v", round, name, err)
			}
		}
		_ = db.Close()
	}
	t.Logf("%d rounds of kill -9 with 16 writers, %d acknowledged writes, 0 lost", rounds, total)
}

// killedWriter lets the process acknowledge so many writes, and kills it.
func killedWriter(t *testing.T, dir string, after int) (acked []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), writerEnv+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewReader(out); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // the last line may be half a name
		}
		word, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		if word != "ok" {
			t.Errorf("the writer said %q", line)
			_ = cmd.Process.Signal(syscall.SIGKILL)
			break
		}
		if acked = append(acked, name); len(acked) == after {
			_ = cmd.Process.Signal(syscall.SIGKILL)
		}
	}
	_ = cmd.Wait()
	return acked
}

// TestAFullDisk fills a small file system of its own.
func TestAFullDisk(t *testing.T) {
	dir := t.TempDir()
	if os.Getuid() != 0 {
		binary.SkipAloud(t, "a full disk is not tried: mounting a small one needs root", nil)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=3m"); err != nil {
		binary.SkipAloud(t, "a full disk is not tried: a small one can't be mounted here", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	t.Run("writers", func(t *testing.T) { fillDisk(t, dir) })
}

func fillDisk(t *testing.T, dir string) {
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	s := siteAt(t, dir, Options{})
	must(t, s.write, "CREATE TABLE pairs (name TEXT, body BLOB)")
	var mu sync.Mutex
	var acked []string
	var refused int
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for j := range 60 {
				name := fmt.Sprint(i, " ", j)
				var err error
				if j%3 == 0 {
					name = "pair " + name
					tx, e := s.write.Begin()
					if err = e; err == nil {
						for range 2 {
							if err == nil {
								_, err = tx.Exec("INSERT INTO pairs VALUES (?, randomblob(6000))", name)
							}
						}
						if err == nil {
							err = tx.Commit()
						} else {
							_ = tx.Rollback()
						}
					}
				} else {
					_, err = s.write.Exec("INSERT INTO t (name, n) VALUES (?, randomblob(6000))", name)
				}
				mu.Lock()
				if err == nil {
					acked = append(acked, name)
				} else if refused++; !strings.Contains(err.Error(), "full") && !strings.Contains(err.Error(), "I/O") {
					t.Errorf("%s: %v", name, err)
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if refused == 0 || len(acked) == 0 {
		t.Fatalf("%d acknowledged, %d refused", len(acked), refused)
	}
	var there, half int
	if err := s.read.QueryRow("SELECT (SELECT count(*) FROM t) + (SELECT count(DISTINCT name) FROM pairs), (SELECT count(*) FROM (SELECT 1 FROM pairs GROUP BY name HAVING count(*) <> 2))").Scan(&there, &half); err != nil || there != len(acked) || half != 0 {
		t.Errorf("%d acknowledged, %d there, %d half, %v", len(acked), there, half, err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	must(t, s.write, insert, "there is room again")
	t.Logf("%d acknowledged, all there; %d refused with their own error; %+v", len(acked), refused, s.q.stats())
	if err := s.write.Close(); err != nil {
		t.Error(err)
	}
}
