package hooks

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	staffdesk "bungalow/hooks/desk"
	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

const (
	// headerTimeout is how long a client may take to send its headers.
	headerTimeout = 10 * time.Second
	// grace is how long running requests get when the process is told to stop.
	grace = 10 * time.Second
	// restartTime is the longest that a restart may take to replace the process.
	restartTime = time.Minute
	// beforeGracefulShutdown comes before PocketBase's own stop (-9999), which
	// first cancels the context of every request.
	beforeGracefulShutdown = -10_000
	// afterEverything is where the site's catch-all is mounted.
	afterEverything = 999
)

// bindServe mounts the routes and sets the limits of the server.
func bindServe(app core.App, cfg Config, on []feature) {
	app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		if e.Server != nil { // PocketBase's own tests have none
			e.Server.ReadHeaderTimeout = headerTimeout
			stopGracefully(e.App, e.Server)
		}
		e.Router.Bind(web.RetryAfter())
		for _, f := range on {
			if f.routes != nil {
				web.Mount(e.Router, f.routes(e.App))
			}
		}
		if !installed(e.App, on) {
			return e.Next()
		}
		if err := fitToServe(e.App, on); err != nil {
			return err
		}
		if e.Server != nil {
			if err := plantStarter(e.App); err != nil {
				return err
			}
			if err := startQueue(e.App); err != nil {
				return err
			}
		}
		if e.InstallerFunc != nil {
			e.InstallerFunc = installer(slices.ContainsFunc(on, func(f feature) bool { return f.name == "desk" }))
		}
		return e.Next()
	})
	for _, line := range without(cfg, on) {
		app.OnServe().BindFunc(func(e *core.ServeEvent) error {
			if e.Server != nil {
				fmt.Println(line)
			}
			return e.Next()
		})
	}
}

// without says in one line each what a feature does without.
func without(cfg Config, on []feature) []string {
	var lines []string
	for _, f := range on {
		for _, needed := range f.uses {
			for _, off := range cfg.Without {
				if off == needed {
					lines = append(lines, fmt.Sprintf("%s runs without %s, which is switched off.", f.name, off))
				}
			}
		}
	}
	return lines
}

// stopGracefully lets running requests end. PocketBase cancels the context of
// every request as soon as the server takes no new ones, and with it their
// queries; so requests get a context of ours, which lives until they had their
// time. Event streams never end by themselves: they are told at once.
func stopGracefully(app core.App, server *http.Server) {
	requests, cutOff := context.WithCancel(context.Background())
	streams, endStreams := context.WithCancel(context.Background())
	server.BaseContext = func(net.Listener) context.Context { return requests }
	app.OnRealtimeConnectRequest().BindFunc(func(e *core.RealtimeConnectRequestEvent) error {
		ctx, cancel := context.WithCancel(e.Request.Context())
		defer cancel()
		defer context.AfterFunc(streams, cancel)()
		e.Request = e.Request.WithContext(ctx)
		return e.Next()
	})
	restart := make(chan struct{}, 1) // full while the process is about to be replaced
	app.OnTerminate().Bind(&hook.Handler[*core.TerminateEvent]{
		Id: "bungalowGracefulStop",
		Func: func(e *core.TerminateEvent) error {
			awaitRestart(restart, e.IsRestart)
			if e.IsRestart {
				defer release(restart) // reached only where the process could not be replaced
			}
			defer cutOff()
			endStreams()
			ctx, cancel := context.WithTimeout(context.Background(), grace)
			defer cancel()
			if err := server.Shutdown(ctx); err != nil {
				e.App.Logger().Warn("requests were cut off at the stop", "error", err)
			}
			return e.Next()
		},
		Priority: beforeGracefulShutdown,
	})
}

// awaitRestart holds up the end of the process while a restart is under way:
// closing the server ends the serve command, and the process would be gone
// before the new one has taken its place. A restart holds the place itself.
func awaitRestart(restart chan struct{}, mine bool) {
	timeout := time.After(restartTime)
	select {
	case restart <- struct{}{}:
		if !mine {
			release(restart)
		}
	case <-timeout:
	}
}

func release(restart chan struct{}) {
	select {
	case <-restart:
	default:
	}
}

// startQueue lets the jobs run until the app is told to stop, and then waits
// for those under way.
func startQueue(app core.App) error {
	if err := queue.Start(app); err != nil {
		return fmt.Errorf("start the jobs: %w", err)
	}
	app.OnTerminate().BindFunc(func(e *core.TerminateEvent) error {
		ctx, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		if err := queue.Stop(ctx, e.App); err != nil {
			e.App.Logger().Warn("jobs were cut off at the stop; they run again at the next start", "error", err)
		}
		return e.Next()
	})
	return nil
}

// installer prints the link at which the owner makes the account: the desk's
// own, or PocketBase's where the desk is switched off. PocketBase asks for it
// while there is no superuser.
func installer(withDesk bool) func(core.App, *core.Record, string) error {
	return func(app core.App, installer *core.Record, baseURL string) error {
		var path string
		if withDesk {
			link, err := staffdesk.WelcomeLink(app, time.Now())
			if err != nil || link == "" {
				return err
			}
			path = link
		} else {
			token, err := installer.NewStaticAuthToken(30 * time.Minute)
			if err != nil {
				return fmt.Errorf("make the first-start link: %w", err)
			}
			path = "/_/#/pbinstall/" + token
		}
		fmt.Printf("\nYour site is live. Make your account within 30 minutes at\n\n  %s%s\n\n", localhost(baseURL), path)
		return nil
	}
}

// localhost names a loopback or unspecified address as a person would.
func localhost(baseURL string) string {
	scheme, hostport, ok := strings.Cut(strings.TrimRight(baseURL, "/"), "://")
	if !ok {
		return baseURL
	}
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		host, port = hostport, ""
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		host = "localhost"
	}
	if port == "" {
		return scheme + "://" + host
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}
