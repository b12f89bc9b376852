// Package browser looks at the real site in a real browser: the built
// executable on a folder of its own, in headless Chromium.
//
// A test gets a tab with open(t) and the seeded site with seeded(t); both start
// once for the whole package. BUNGALOW_SHOTS names a folder that keeps
// screenshots.
package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"bungalow/tests/binary"
)

func TestMain(m *testing.M) {
	code := m.Run()
	for _, end := range endings {
		end()
	}
	os.Exit(code)
}

// endings stop what the package started.
var (
	endings   []func()
	endingsMu sync.Mutex
)

func atEnd(fn func()) {
	endingsMu.Lock()
	defer endingsMu.Unlock()
	endings = append(endings, fn)
}

var errNoChromium = errors.New("no chromium, chromium-browser or google-chrome in the path")

// chrome starts one browser with a profile of its own for all tests.
var chrome = sync.OnceValues(func() (context.Context, error) {
	var program string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			program = found
			break
		}
	}
	if program == "" {
		return nil, errNoChromium
	}
	profile, err := os.MkdirTemp("", "bungalow-chromium-")
	if err != nil {
		return nil, err
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(program), chromedp.UserDataDir(profile), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true))
	ctx, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stopBrowser := chromedp.NewContext(ctx)
	atEnd(func() {
		stopBrowser()
		stopAllocator()
		_ = os.RemoveAll(profile)
	})
	if err := chromedp.Do(ctx); err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	return ctx, nil
})

// tab is one window with cookies and storage of its own.
type tab struct {
	t    testing.TB
	ctx  context.Context
	base string
}

// open makes a tab on the site at base, and leaves the test out where there is
// no Chromium.
func open(t testing.TB, base string) *tab {
	t.Helper()
	root, err := chrome()
	if errors.Is(err, errNoChromium) {
		binary.Skip(t, "Chromium is needed to look at the site", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, closeTab := chromedp.NewContext(root, chromedp.WithNewBrowserContext())
	t.Cleanup(closeTab)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	b := &tab{t, ctx, base}
	b.view(light, desktop)
	return b
}

// send is a command of the protocol whose answer does not matter.
func send[P, R any](command cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, command, params)
		return err
	})
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// visit goes to a path of the site and waits until the page is loaded.
func (b *tab) visit(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.base + path))
}

// eval returns what a JavaScript expression, or the promise it gives, comes to.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

const (
	light, dark    = "light", "dark"
	desktop, phone = 1280, 390
	narrowest      = 320 // WCAG 2.2, 1.4.10 Reflow
)

// view chooses the colours that the system asks for, and the width in pixels.
func (b *tab) view(scheme string, width int64) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, 900), send(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		},
	}))
}

// scripts switches JavaScript on or off for pages that are visited later.
func (b *tab) scripts(on bool) {
	b.t.Helper()
	b.do(send(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on}))
}

// ignorePolicy lets scripts run that the Content-Security-Policy forbids.
func (b *tab) ignorePolicy() {
	b.t.Helper()
	b.do(send(page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true}))
}

// beforeEveryPage runs a script in every frame before any script of the page.
func (b *tab) beforeEveryPage(source string) {
	b.t.Helper()
	b.do(send(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: source}))
}

// shot keeps a picture of the whole page in the folder that BUNGALOW_SHOTS
// names.
func (b *tab) shot(name string) {
	b.t.Helper()
	dir := os.Getenv("BUNGALOW_SHOTS")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o644); err != nil {
		b.t.Fatal(err)
	}
}
