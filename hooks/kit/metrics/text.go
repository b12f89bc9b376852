package metrics

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/health"
	"bungalow/hooks/kit/mail"
	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

// ReadFrom keeps the short way of a file into a connection.
func (c *counted) ReadFrom(r io.Reader) (int64, error) {
	if c.status == 0 {
		c.status = 200
	}
	return io.Copy(c.ResponseWriter, r)
}

// page is the text in the making.
type page struct{ strings.Builder }

// family begins the figures of one name.
func (p *page) family(name, kind, help string) {
	fmt.Fprintf(p, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// one is a family with one figure.
func (p *page) one(name, kind, help string, value any) {
	p.family(name, kind, help)
	fmt.Fprintf(p, "%s %v\n", name, value)
}

func (m *meter) text() (string, error) {
	p := &page{}
	m.requests(p)
	p.family("bungalow_pages_total", "counter", "Pages of the site that were served, from memory or made.")
	fmt.Fprintf(p, "bungalow_pages_total{from=\"memory\"} %d\nbungalow_pages_total{from=\"made\"} %d\n", m.cached.Load(), m.made.Load())
	c := cache.Of(m.app)
	p.one("bungalow_cache_entries", "gauge", "Answers that are kept in memory.", c.Len())
	p.one("bungalow_cache_bytes", "gauge", "Memory that kept answers take.", c.Bytes())
	if err := waiting(p, m.app); err != nil {
		return "", err
	}
	database(p, m.app)
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	p.one("bungalow_goroutines", "gauge", "Goroutines of the process.", runtime.NumGoroutine())
	p.one("bungalow_memory_bytes", "gauge", "Memory that the process has from the system.", mem.Sys)
	p.one("bungalow_heap_bytes", "gauge", "Memory in use on the heap.", mem.HeapAlloc)
	p.one("bungalow_uptime_seconds", "gauge", "Time since the start.", int64(time.Since(m.began).Seconds()))
	return p.String(), nil
}

func (m *meter) requests(p *page) {
	p.family("bungalow_http_requests_total", "counter", "Requests, by kind of address and class of status.")
	for _, name := range areas {
		for class := range m.areas[name].status {
			if n := m.areas[name].status[class].Load(); n > 0 {
				fmt.Fprintf(p, "bungalow_http_requests_total{area=%q,status=\"%dxx\"} %d\n", name, class, n)
			}
		}
	}
	p.family("bungalow_http_request_duration_seconds", "histogram", "How long answers took, by kind of address.")
	for _, name := range areas {
		a, sum := m.areas[name], uint64(0)
		for i, b := range bounds {
			sum += a.buckets[i].Load()
			fmt.Fprintf(p, "bungalow_http_request_duration_seconds_bucket{area=%q,le=%q} %d\n", name, strconv.FormatFloat(b, 'g', -1, 64), sum)
		}
		sum += a.buckets[len(bounds)].Load()
		fmt.Fprintf(p, "bungalow_http_request_duration_seconds_bucket{area=%q,le=\"+Inf\"} %d\n", name, sum)
		fmt.Fprintf(p, "bungalow_http_request_duration_seconds_sum{area=%q} %g\n", name, time.Duration(a.nanos.Load()).Seconds())
		fmt.Fprintf(p, "bungalow_http_request_duration_seconds_count{area=%q} %d\n", name, sum)
	}
}

func waiting(p *page, app core.App) error {
	jobs, err := queue.Status(app)
	if err != nil {
		return err
	}
	p.family("bungalow_jobs", "gauge", "Jobs, by state.")
	fmt.Fprintf(p, "bungalow_jobs{state=\"waiting\"} %d\nbungalow_jobs{state=\"running\"} %d\nbungalow_jobs{state=\"failed\"} %d\n", jobs.Waiting, jobs.Running, jobs.Dead)
	mails, err := mail.Counts(app)
	if err != nil {
		return err
	}
	p.family("bungalow_mails", "gauge", "Messages of the last 90 days, by state.")
	for _, state := range []string{mail.Queued, mail.Deferred, mail.Sent, mail.Failed, mail.Bounced} {
		fmt.Fprintf(p, "bungalow_mails{state=%q} %d\n", state, mails[state])
	}
	return nil
}

func database(p *page, app core.App) {
	p.family("bungalow_database_bytes", "gauge", "Size of the files of the databases.")
	for _, name := range []string{"data.db", "data.db-wal", "auxiliary.db", "auxiliary.db-wal"} {
		if info, err := os.Stat(filepath.Join(app.DataDir(), name)); err == nil {
			fmt.Fprintf(p, "bungalow_database_bytes{file=%q} %d\n", name, info.Size())
		}
	}
	if free, known := health.DiskFree(app.DataDir()); known {
		p.one("bungalow_disk_free_bytes", "gauge", "What the disk of the data folder has left.", free)
	}
	s, ok := sqlite.StatsOf(app)
	if !ok {
		return
	}
	p.one("bungalow_writes_turns_total", "counter", "How often the write connection was had.", s.Turns)
	p.one("bungalow_writes_commits_total", "counter", "Commits that asked for a sync.", s.Commits)
	p.one("bungalow_writes_syncs_total", "counter", "Syncs of the log.", s.Syncs)
	p.one("bungalow_writes_grouped_total", "counter", "Statements that shared a transaction.", s.Members)
	p.one("bungalow_writes_waiting", "gauge", "Writers in line.", s.Waiting)
}
