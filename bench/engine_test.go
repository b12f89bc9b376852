package main

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bungalow/tests/binary"
)

// TestMain lets this test program play the servers that the benchmark starts
// from its own executable.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && slices.Contains([]string{"-bare", "-prepared"}, os.Args[1]) {
		os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	var remove func()
	var err error
	if smallHome, remove, err = tempHome(); err != nil {
		panic(err)
	}
	code := m.Run()
	remove()
	os.Exit(code)
}

// smallFolder is seeded in smallHome, once for all tests.
var (
	smallHome   string
	smallFolder = sync.OnceValues(func() (*Folder, error) {
		return makeFolder(smallHome, Size{Articles: 150, Notes: 110, Users: 100})
	})
)

func smallSite(t *testing.T) *Site {
	t.Helper()
	f, err := smallFolder()
	if err != nil {
		t.Fatal(err)
	}
	return &Site{Folder: f, Post: "/blog/a/", Asset: "/assets/a.css", Posts: make([]string, seedPosts)}
}

func TestWorkloadsNameTargetsThatExist(t *testing.T) {
	t.Parallel()
	site := smallSite(t)
	seen := map[string]bool{}
	for _, w := range slices.Concat(siteWorkloads, engineWorkloads) {
		if seen[w.Name] || len(w.Against) == 0 || len(w.Requests(site)) == 0 {
			t.Errorf("%s is there twice, is compared with nothing or asks nothing", w.Name)
		}
		seen[w.Name] = true
		for _, name := range w.Against {
			targetNamed(name)
		}
		for _, bar := range w.Bars {
			if metricTitles[bar.Metric] == "" || (bar.AtLeast == 0) == (bar.AtMost == 0) ||
				!slices.Contains(w.Against, w.against(bar)) || (w.Conns != nil && !slices.Contains(w.Conns, bar.Conns)) {
				t.Errorf("%s has a bar that can't be judged: %+v", w.Name, bar)
			}
		}
	}
	for name := range metrics {
		if metricTitles[name] == "" {
			t.Errorf("%s has no title", name)
		}
	}
}

// TestWorkloadsAreAnsweredAlike asks Bungalow and plain PocketBase, on copies of
// one folder, every kind of request once: both succeed, and what is read is the
// same byte for byte. Reading comes first.
func TestWorkloadsAreAnsweredAlike(t *testing.T) {
	t.Parallel()
	site := smallSite(t)
	var hosts []string
	for _, name := range []string{subject, vanilla} {
		home := filepath.Join(t.TempDir(), "site")
		if err := copyFolder(site.Folder.Home, home); err != nil {
			t.Fatal(err)
		}
		server, err := targetNamed(name).Start(t.Context(), home, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(server.Kill)
		hosts = append(hosts, hostOf(server))
	}
	writes := func(w Workload) bool {
		return slices.ContainsFunc(w.Requests(site), func(r Request) bool { return r.method() != http.MethodGet })
	}
	ordered := slices.Clone(engineWorkloads)
	slices.SortStableFunc(ordered, func(a, b Workload) int { return pick(writes(a), 1, 0) - pick(writes(b), 1, 0) })
	for _, w := range ordered {
		all := w.Requests(site)
		asked := []Request{all[0], all[len(all)/2], all[len(all)-1]}
		if w.Background != nil {
			asked = append(asked, w.Background(site)[0])
		}
		answers, err := record(t.Context(), hosts[0], asked)
		if err != nil {
			t.Errorf("%s: %v", w.Name, err)
			continue
		}
		if !slices.Contains(w.Against, vanilla) {
			continue
		}
		if writes(w) { // and the two hold records of different ids from here on
			_, err = record(t.Context(), hosts[1], asked)
		} else {
			err = sameAnswers(t.Context(), hosts[1], false, asked, answers)
		}
		if err != nil {
			t.Errorf("%s: %v", w.Name, err)
		}
	}
}

// TestAWorkloadOfEachKindRuns takes one short turn of a plain workload with
// every target, of one with an audience and of one with a background.
func TestAWorkloadOfEachKindRuns(t *testing.T) {
	t.Parallel()
	cfg := config{quick: true, rounds: 1, round: 30 * time.Millisecond, max: 4}
	for _, name := range []string{"create", "get", "realtime", "get-signins"} {
		i := slices.IndexFunc(engineWorkloads, func(w Workload) bool { return w.Name == name })
		w := engineWorkloads[i]
		w.Audience = min(w.Audience, 5)
		rows, err := runWorkload(t.Context(), cfg, engineGroup, smallSite(t), w)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if want := len(cfg.connections(w)) * (1 + len(w.Against)); len(rows) != want {
			t.Errorf("%s: %d rows, want %d", name, len(rows), want)
		}
		for _, row := range rows {
			if row.Turn.PerSecond <= 0 || row.PeakRSS < 1<<20 {
				t.Errorf("%s: %+v", name, row)
			}
			if b := row.Turn.Broadcast; (b != nil) != (w.Audience > 0) || b != nil && (b.Delivered < b.Reply/2 || b.Lost > 0) {
				t.Errorf("%s: broadcast %+v", name, b)
			}
			if (row.Turn.Strain > 0) != (w.Background != nil) || (row.Turn.Around > 0) != (w.Background != nil) {
				t.Errorf("%s: strain %v, %v per second around it", name, row.Turn.Strain, row.Turn.Around)
			}
		}
		if len(judge(w, rows)) != len(w.Bars) {
			t.Errorf("%s: not every bar was judged", name)
		}
	}
}

func TestSeededFolderIsKept(t *testing.T) {
	t.Parallel()
	site := smallSite(t)
	f, err := readFolder(site.Folder.Home)
	if err != nil || f.Size != site.Folder.Size || !slices.Equal(f.Tokens, site.Folder.Tokens) || f.Home != site.Folder.Home {
		t.Errorf("read back %+v, %v", f, err)
	}
	dir := t.TempDir()
	if _, err := readFolder(dir); err == nil {
		t.Error("an empty folder was taken for a finished one")
	}
	file := filepath.Join(dir, manifest)
	if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-tokenLife)
	if err := os.Chtimes(file, old, old); err != nil {
		t.Fatal(err)
	}
	if _, err := readFolder(dir); err == nil {
		t.Error("a folder with old tokens was taken")
	}
}

func TestCopyFolderCopiesAndRefusesToMix(t *testing.T) {
	t.Parallel()
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "copy")
	if err := os.MkdirAll(filepath.Join(from, "a", "b"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(from, "a", "b", "c"), []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := copyFolder(from, to); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(to, "a", "b", "c")); err != nil || string(got) != "text" {
		t.Errorf("%q, %v", got, err)
	}
	if err := copyFolder(from, to); err == nil {
		t.Error("files were overwritten")
	}
	if err := copyFolder(filepath.Join(from, "gone"), to); err == nil {
		t.Error("a missing folder was copied")
	}
}

func TestScatterVisitsEverythingOnce(t *testing.T) {
	t.Parallel()
	for _, count := range []int{1, 2, fullSize.Articles, fullSize.Notes, quickSize.Articles, quickSize.Notes} {
		seen := make([]bool, count)
		for i := range count {
			n := scatter(i, count)
			if seen[n] {
				t.Fatalf("%d of %d comes twice", n, count)
			}
			seen[n] = true
		}
	}
}

func TestMixedIsNineToOne(t *testing.T) {
	t.Parallel()
	counts := map[string]int{}
	for _, r := range mixed(smallSite(t), events) {
		counts[pick(strings.Contains(r.Path, "?"), "list", r.method()+" "+strings.Split(r.Path, "/")[3])]++
	}
	if counts["GET articles"] != 600 || counts["list"] != 300 || counts["POST events"] != 100 {
		t.Errorf("got %v", counts)
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	var errs strings.Builder
	quick := func(list []Workload) (n int) {
		for _, w := range list {
			if w.Quick {
				n++
			}
		}
		return n
	}
	create := engineWorkloads[slices.IndexFunc(engineWorkloads, func(w Workload) bool { return w.Name == "create" })]
	cases := []struct {
		args         string
		out          string
		skipGo       bool
		site, engine int // workloads
		conns        int // of create
	}{
		{"", "docs/benchmarks.md", false, len(siteWorkloads), len(engineWorkloads), 3},
		{"-quick", "", true, quick(siteWorkloads), quick(engineWorkloads), 2},
		{"-only engine", "", true, 0, len(engineWorkloads), 3},
		{"-only site -out x.md", "x.md", true, len(siteWorkloads), 0, 3},
		{"-quick -only asset,batch", "", true, 1, 1, 2},
		{"-only site,get", "", true, len(siteWorkloads), 1, 3},
	}
	for _, c := range cases {
		cfg, err := parse(strings.Fields(c.args), &errs)
		if err != nil || cfg.out != c.out || cfg.skipGo != c.skipGo || len(cfg.connections(create)) != c.conns ||
			len(cfg.selected(siteGroup)) != c.site || len(cfg.selected(engineGroup)) != c.engine {
			t.Errorf("%q gave %+v, %d and %d workloads, %v", c.args, cfg, len(cfg.selected(siteGroup)), len(cfg.selected(engineGroup)), err)
		}
	}
	if code := run(t.Context(), []string{"-only", "nonsense"}, &errs, &errs); code != 2 || !strings.Contains(errs.String(), "page-br") {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
	if p := (config{rounds: 9, round: time.Second}).pace(engineGroup); p.rounds != 9 || p.round != time.Second {
		t.Errorf("the flags gave %+v", p)
	}
}

func TestServePreparedTellsWhatIsMissing(t *testing.T) {
	t.Parallel()
	addr, err := binary.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	if err := servePrepared(t.Context(), filepath.Join(t.TempDir(), "data.db"), addr); err == nil {
		t.Error("an empty database was served")
	}
}
