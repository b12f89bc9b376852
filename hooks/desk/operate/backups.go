package operate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/backup"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/routine"
)

const (
	// createBackup is the job that makes a backup.
	createBackup = "backup.create"
	// maxUpload is the largest backup that may be uploaded, in bytes.
	maxUpload = 16 << 30
	// largestName is how long the name of a backup may be.
	largestName = 150
)

func registerBackups(app core.App) {
	queue.Register(app, queue.Kind{
		Name: createBackup, Attempts: 1, Timeout: 6 * time.Hour, Concurrency: 1,
		Do: func(ctx context.Context, app core.App, payload []byte) error {
			var job backupJob
			if err := json.Unmarshal(payload, &job); err != nil {
				return err
			}
			return app.CreateBackup(ctx, job.Name)
		},
	})
}

type backupJob struct {
	Name string `json:"name"`
}

func backupPages() []desk.Page {
	const post = http.MethodPost
	return []desk.Page{
		{Path: "backups", Access: web.Owner, Do: listBackups, Menu: &desk.Menu{Group: desk.GroupSite, Label: "Backups", Icon: "hard-drive", Order: 70}},
		{Method: post, Path: "backups", Access: web.Owner, Do: makeBackup},
		{Method: post, Path: "backups/upload", Access: web.Owner, Body: maxUpload, Do: uploadBackup},
		{Path: "backups/{name}", Access: web.Owner, Do: showBackup},
		{Path: "backups/{name}/file", Access: web.Owner, Do: fetchBackup},
		{Method: post, Path: "backups/{name}/delete", Access: web.Owner, Do: deleteBackup},
		{Method: post, Path: "backups/{name}/restore", Access: web.Owner, Do: restoreBackup},
	}
}

// kept is a backup as the list shows it.
type kept struct {
	Name, Size string
	At         time.Time
	Auto       bool
	when       time.Time
}

func backups(ctx context.Context, app core.App) ([]kept, error) {
	fsys, err := app.NewBackupsFilesystem()
	if err != nil {
		return nil, fmt.Errorf("open the place for backups: %w", err)
	}
	defer fsys.Close()
	fsys.SetContext(ctx)
	objects, err := fsys.List("")
	if err != nil {
		return nil, fmt.Errorf("list the backups: %w", err)
	}
	var list []kept
	for _, o := range objects {
		if !backupName.MatchString(o.Key) {
			continue
		}
		list = append(list, kept{Name: o.Key, Size: size(o.Size), At: o.ModTime, Auto: strings.HasPrefix(o.Key, "@auto"), when: o.ModTime})
	}
	slices.SortFunc(list, func(a, b kept) int { return b.when.Compare(a.when) })
	return list, nil
}

// backupName is what a backup may be called: PocketBase's own rule, and its
// automatic ones.
var backupName = regexp.MustCompile(`^@?[a-zA-Z0-9._-]+\.zip$`)

func listBackups(e *desk.Event) error {
	list, err := backups(e.Request.Context(), e.App)
	if err != nil {
		return err
	}
	jobs, err := queue.List(e.App, queue.Filter{Kind: createBackup, Limit: 1})
	if err != nil {
		return err
	}
	page := struct {
		Rows     []kept
		Making   bool
		Failed   string
		Schedule string
		Keep     int
		S3       bool
	}{Rows: list, Schedule: e.App.Settings().Backups.Cron, Keep: e.App.Settings().Backups.CronMaxKeep, S3: e.App.Settings().Backups.S3.Enabled}
	if len(jobs) > 0 {
		page.Making, page.Failed = jobs[0].State != queue.Dead, jobs[0].Error
	}
	if e.IsHTMX() {
		return e.Fragment("desk/operate/backups.html", "backups", page)
	}
	return e.Render("desk/operate/backups.html", e.T("Backups"), page, assets)
}

// makeBackup lets a job make one; while one waits there is no second.
func makeBackup(e *desk.Event) error {
	name := backup.Name(e.App, time.Now())
	err := e.App.RunInTransaction(func(tx core.App) error {
		if err := queue.Enqueue(tx, createBackup, backupJob{name}, queue.Unique("backup")); err != nil {
			return err
		}
		return audit.Write(tx, e.Actor(), "backup.create", "", name, nil)
	})
	if err != nil {
		return err
	}
	return e.Done(desk.Href("backups"), "The backup is being made.")
}

// namedBackup is the backup that the address names, which exists.
func namedBackup(e *desk.Event) (string, error) {
	name := e.Request.PathValue("name")
	if !backupName.MatchString(name) || len(name) > largestName {
		return "", e.NotFoundError("", nil)
	}
	fsys, err := e.App.NewBackupsFilesystem()
	if err != nil {
		return "", err
	}
	defer fsys.Close()
	if ok, err := fsys.Exists(name); err != nil || !ok {
		return "", e.NotFoundError("", err)
	}
	return name, nil
}

func showBackup(e *desk.Event) error {
	name, err := namedBackup(e)
	if err != nil {
		return err
	}
	return e.Render("desk/operate/backup.html", name, struct{ Name string }{name}, assets)
}

func fetchBackup(e *desk.Event) error {
	name, err := namedBackup(e)
	if err != nil {
		return err
	}
	if err := audit.Write(e.App, e.Actor(), "backup.download", "", name, nil); err != nil {
		return err
	}
	fsys, err := e.App.NewBackupsFilesystem()
	if err != nil {
		return err
	}
	defer fsys.Close()
	fsys.SetContext(e.Request.Context())
	rc := http.NewResponseController(e.Response)
	if err := rc.SetWriteDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return fsys.Serve(e.Response, e.Request, name, name)
}

func deleteBackup(e *desk.Event) error {
	name, err := namedBackup(e)
	if err != nil {
		return err
	}
	if e.App.Store().Get(core.StoreKeyActiveBackup) == name {
		return e.Leave(desk.Href("backups"), desk.Notice{Kind: "warning", Text: e.T("This backup is in use right now. Try again in a moment.")})
	}
	fsys, err := e.App.NewBackupsFilesystem()
	if err != nil {
		return err
	}
	defer fsys.Close()
	if err := fsys.Delete(name); err != nil {
		return fmt.Errorf("delete the backup: %w", err)
	}
	if err := audit.Write(e.App, e.Actor(), "backup.delete", "", name, nil); err != nil {
		return err
	}
	return e.Done(desk.Href("backups"), "The backup %s is deleted.", name)
}

// uploadBackup takes a backup from elsewhere, after it was looked through.
func uploadBackup(e *desk.Event) error {
	files, err := e.FindUploadedFiles("file")
	refuse := func(text string) error {
		return e.Leave(desk.Href("backups"), desk.Notice{Kind: "error", Text: e.T(text)})
	}
	if err != nil || len(files) != 1 {
		return refuse("Choose the file of a backup.")
	}
	name := filepath.Base(files[0].OriginalName)
	if !backupName.MatchString(name) || len(name) > largestName || strings.HasPrefix(name, ".") {
		return refuse("The name of the file may have letters, digits, dots, dashes and underscores, and ends with .zip.")
	}
	fsys, err := e.App.NewBackupsFilesystem()
	if err != nil {
		return err
	}
	defer fsys.Close()
	if there, err := fsys.Exists(name); err != nil || there {
		return refuse("There is a backup of this name already. Give the file another name.")
	}
	if err := fsys.UploadFile(files[0], name); err != nil {
		return fmt.Errorf("keep the backup: %w", err)
	}
	if _, err := backup.VerifyStored(e.Request.Context(), e.App, name); err != nil {
		_ = fsys.Delete(name)
		if errors.Is(err, backup.ErrDamaged) {
			return refuse("This file is no sound backup, so it was not kept.")
		}
		return err
	}
	if err := audit.Write(e.App, e.Actor(), "backup.upload", "", name, nil); err != nil {
		return err
	}
	return e.Done(desk.Href("backups"), "The backup %s is kept.", name)
}

// restoreBackup looks through a backup and, where it is sound, has the site
// start again with it.
func restoreBackup(e *desk.Event) error {
	name, err := namedBackup(e)
	if err != nil {
		return err
	}
	form, err := web.Read(e.RequestEvent)
	if err != nil {
		return err
	}
	back := desk.Href("backups/" + name)
	if strings.HasSuffix(back, ".zip") {
		back += "/"
	}
	if form.Get("sure") == "" {
		return e.Leave(back, desk.Notice{Kind: "warning", Text: e.T("Tick the box to say that you mean it.")})
	}
	if e.App.Store().Has(core.StoreKeyActiveBackup) {
		return e.Leave(back, desk.Notice{Kind: "warning", Text: e.T("A backup is being made or restored right now. Try again in a moment.")})
	}
	if _, err := backup.VerifyStored(e.Request.Context(), e.App, name); err != nil {
		e.App.Logger().Warn("a backup was not restored", "error", err)
		return e.Leave(back, desk.Notice{Kind: "error", Text: e.T("Nothing was changed: %s.", err.Error())})
	}
	if err := audit.Write(e.App, e.Actor(), "backup.restore", "", name, nil); err != nil {
		return err
	}
	app := e.App
	routine.FireAndForget(func() {
		<-time.After(time.Second) // the answer gets out before the process starts again
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Minute)
		defer cancel()
		if err := app.RestoreBackup(ctx, name); err != nil {
			app.Logger().Error("a backup could not be restored", "error", err)
		}
	})
	return e.Render("desk/operate/restoring.html", e.T("The site is starting again"), struct{ Name string }{name}, assets, "/assets/js/desk-restoring.js")
}
