package pb_migrations

import (
	"bungalow/hooks/kit/mail"
	"github.com/pocketbase/pocketbase/core"
)

// Mails can be returned, and can be part of a thread.
func init() {
	add(&Core, "1764001210_mail_bounced.go", mail.Migrate, func(core.App) error { return nil })
}
