package site

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"bungalow/pb_public"
	"bungalow/tests/binary"
	"bungalow/tests/npm"
)

// These tests look at every page of the theme in Chromium with all that it can
// show. tests/browser looks at the site as a whole.

// lookServer serves the fixtures as the site would, with its policy.
func lookServer(t *testing.T) string {
	t.Helper()
	th, views := builtInTheme(t), fixtureViews(t)
	mux := http.NewServeMux()
	mux.Handle("/assets/", http.FileServerFS(pb_public.Files))
	mux.HandleFunc("/media/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/svg+xml")
		fmt.Fprint(w, `<svg xmlns="http://www.w3.org/2000/svg" width="1280" height="800"/>`)
	})
	mux.HandleFunc("/page/{name}", func(w http.ResponseWriter, r *http.Request) {
		name, _, _ := strings.Cut(r.PathValue("name"), "-")
		var b bytes.Buffer
		if err := th.Render(&b, "pages/"+name+".html", views[r.PathValue("name")]); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(b.Bytes())
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv.URL + "/page/"
}

// chromium starts a browser with a profile of its own, or leaves the test out.
func chromium(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("no browser in a short run")
	}
	var program string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			program = found
			break
		}
	}
	if program == "" {
		binary.Skip(t, "Chromium is needed to look at the theme", nil)
	}
	opts := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(program), chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("no-sandbox", true), chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, cancelAllocator := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(cancelAllocator)
	ctx, cancelTab := chromedp.NewContext(ctx)
	t.Cleanup(cancelTab)
	if err := chromedp.Do(ctx, send(page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true})); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// send is one command of the protocol whose answer does not matter.
func send[P, R any](command cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, command, params)
		return err
	})
}

func colours(scheme string) chromedp.Action[chromedp.Void] {
	return send(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
}

// evaluate returns what a JavaScript expression, or the promise that it gives, comes to.
func evaluate[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

func click(selector string) chromedp.Action[chromedp.Void] {
	return chromedp.Click(chromedp.CSS(selector))
}

func TestPagesAreAccessibleInBothColoursAndAt320Pixels(t *testing.T) {
	t.Parallel()
	dir, err := npm.Dir()
	if err != nil {
		binary.Skip(t, "axe-core from npm is needed to check accessibility", err)
	}
	axe, err := os.ReadFile(filepath.Join(dir, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	const violations = `axe.run().then(r => r.violations.map(v => v.id + ": " + v.help + " " + v.nodes.map(n => n.html).join(" ")))`
	ctx, base := chromium(t), lookServer(t)
	for _, name := range slices.Sorted(maps.Keys(fixtureViews(t))) {
		for _, view := range []struct {
			scheme string
			width  int64
		}{{"light", 320}, {"light", 1280}, {"dark", 1280}} {
			where := fmt.Sprintf("%s, %s, %d px", name, view.scheme, view.width)
			do(t, ctx, colours(view.scheme), chromedp.EmulateViewport(view.width, 800), chromedp.Navigate(base+name))
			if over := evaluate[int](t, ctx, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
				t.Errorf("%s: the page is %d px too wide", where, over)
			}
			for _, v := range evaluate[[]string](t, ctx, string(axe)+";"+violations) {
				t.Errorf("%s: %s", where, v)
			}
		}
	}
}

func TestContrastHoldsForEveryAccent(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile(filepath.Join("testdata", "contrast.js"))
	if err != nil {
		t.Fatal(err)
	}
	ctx := chromium(t)
	do(t, ctx, chromedp.Navigate(lookServer(t)+"post"))
	bad := evaluate[[]string](t, ctx, string(script))
	for _, line := range bad[:min(len(bad), 20)] {
		t.Error(line)
	}
}

func TestMenuOpensAndClosesWithoutJavaScript(t *testing.T) {
	t.Parallel()
	ctx := chromium(t)
	do(t, ctx, send(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}),
		chromedp.EmulateViewport(390, 800), chromedp.Navigate(lookServer(t)+"home"))
	open := func() bool { return evaluate[bool](t, ctx, `document.querySelector("#menu").matches(":popover-open")`) }
	before := open()
	do(t, ctx, click(".menu-button"))
	after := open()
	do(t, ctx, click(".menu-close"))
	if closed := !open(); before || !after || !closed {
		t.Errorf("the menu was open before %v, open after a click on its button %v, closed after a click on its cross %v", before, after, closed)
	}
	if evaluate[bool](t, ctx, `document.querySelector(".theme-switch").checkVisibility()`) {
		t.Error("the switch of colours is shown where it cannot work")
	}
}

func TestChosenColoursAreKept(t *testing.T) {
	t.Parallel()
	ctx := chromium(t)
	dark := func() bool {
		return evaluate[bool](t, ctx, `getComputedStyle(document.documentElement).colorScheme === "dark" && document.querySelector(".theme-switch").ariaPressed === "true"`)
	}
	do(t, ctx, colours("light"), chromedp.EmulateViewport(1280, 800), chromedp.Navigate(lookServer(t)+"home"))
	before := dark()
	do(t, ctx, click(".theme-switch"))
	chosen := dark()
	do(t, ctx, chromedp.Reload())
	if kept := dark(); before || !chosen || !kept {
		t.Errorf("dark before the click %v, after it %v, after a reload %v", before, chosen, kept)
	}
}
