package browser

import (
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

func fill(selector, text string) chromedp.Action[chromedp.Void] {
	return chromedp.SendKeys(chromedp.CSS(selector), text)
}

func submit(selector string) chromedp.Action[chromedp.Void] {
	return chromedp.Submit(chromedp.CSS(selector))
}

// until waits for a condition, through a change of page too.
func (b *tab) until(condition string) {
	b.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		// While one page gives way to the next there is nothing to ask: ask again.
		if ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](condition)); err == nil && ok {
			return
		}
		select {
		case <-b.ctx.Done():
			b.t.Fatalf("it never came true that %s", condition)
		case <-tick.C:
		}
	}
}

func press(keys string) chromedp.Action[chromedp.Void] { return chromedp.KeyEvent(keys) }

// listen collects errors that the browser reports for the tab: exceptions,
// refused policies, broken resources. A page that is meant to be missing is
// none.
func listen(b *tab) (messages func() []string) {
	b.t.Helper()
	var mu sync.Mutex
	var all []string
	add := func(text string) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, text)
	}
	err := chromedp.Listen(b.ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			add(e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			if e.Entry.Level == log.EntryLevelError && !strings.Contains(e.Entry.Text, "404") {
				add(e.Entry.Text + " " + e.Entry.URL)
			}
		}
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}
