package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"bungalow/tests/binary"
)

// quickBudget is how long after its start the quick form begins another
// workload of the engine; what is then left is named.
const quickBudget = 75 * time.Second

// benchmark is one run of the benchmark and what it has found so far.
type benchmark struct {
	cfg    config
	began  time.Time
	site   *Site
	report Report
	say    func(string, ...any)
}

// measure is the whole run: figures of the process, then every workload, then
// the benchmarks of the packages, then the report.
func measure(ctx context.Context, cfg config, out io.Writer) error {
	b := &benchmark{cfg: cfg, began: time.Now(), report: Report{Machine: describeMachine(), Quick: cfg.quick}, site: &Site{}}
	b.say = func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }
	b.say("building the executables")
	path, err := binary.Build()
	if err != nil {
		return err
	}
	if len(cfg.selected(siteGroup)) > 0 {
		if err := b.pages(ctx, path); err != nil {
			return err
		}
	}
	if len(cfg.selected(engineGroup)) > 0 {
		if err := b.engine(ctx); err != nil {
			return err
		}
	}
	if !cfg.skipGo {
		b.say("running go test -bench")
		b.report.Go = runGoBenches(ctx, b.say)
	}
	return b.finish(out)
}

// pages measures the process and the site's pages.
func (b *benchmark) pages(ctx context.Context, path string) error {
	home, remove, err := tempHome()
	if err != nil {
		return err
	}
	defer remove()
	b.say("seeding a site of %d posts", seedPosts)
	if b.site, err = seedSite(ctx, home); err != nil {
		return fmt.Errorf("seed the site: %w", err)
	}
	if b.report.Process, err = measureProcess(ctx, b.site, path, b.cfg.quick); err != nil {
		return err
	}
	b.report.Verdicts = b.report.Process.judge()
	for _, w := range b.cfg.selected(siteGroup) {
		rows, err := b.workload(ctx, siteGroup, w)
		if err != nil {
			return err
		}
		b.report.Verdicts = append(b.report.Verdicts, judge(w, rows)...)
	}
	return nil
}

// engine measures the REST API beside plain PocketBase. A workload that fails
// is named, and the others are measured.
func (b *benchmark) engine(ctx context.Context) error {
	size := pick(b.cfg.quick, quickSize, fullSize)
	b.say("seeding a folder of %d articles, unless one is kept", size.Articles)
	if _, err := vanillaBinary(); err != nil {
		return err
	}
	var err error
	if b.site.Folder, err = seededFolder(size); err != nil {
		return err
	}
	b.report.Folder = size
	for _, w := range b.cfg.selected(engineGroup) {
		if b.cfg.quick && time.Since(b.began) > quickBudget {
			b.report.LeftOut = append(b.report.LeftOut, w.Title)
			continue
		}
		rows, err := b.workload(ctx, engineGroup, w)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			b.say("failed: %v", err)
			b.report.Failed = append(b.report.Failed, err.Error())
			continue
		}
		b.report.Targets = append(b.report.Targets, judge(w, rows)...)
	}
	b.report.Targets = append(b.report.Targets, judgeMemory(b.report.Rows)...)
	return nil
}

func (b *benchmark) workload(ctx context.Context, groupName string, w Workload) ([]Row, error) {
	b.say("%4.0f s: measuring %s", time.Since(b.began).Seconds(), w.Title)
	rows, err := runWorkload(ctx, b.cfg, groupName, b.site, w)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", w.Title, err)
	}
	for i := range rows {
		rows[i].Group = groupName
	}
	b.report.Rows = append(b.report.Rows, rows...)
	return rows, nil
}

func (b *benchmark) finish(out io.Writer) error {
	b.say("")
	if err := b.report.print(out); err != nil {
		return err
	}
	if b.cfg.out != "" {
		if err := b.report.save(b.cfg.out); err != nil {
			return err
		}
		b.say("\nwritten to %s", b.cfg.out)
	}
	if len(b.report.Failed) > 0 {
		return errFailed
	}
	if b.report.missed() {
		return errMissed
	}
	return nil
}

var (
	errMissed = errors.New("a promise was missed; see the first table's lines that say MISSED")
	errFailed = errors.New("a workload could not be measured; see the lines that say failed")
)
