package pb_migrations

import "bungalow/hooks/kit/mail"

func init() {
	add(&Core, "1764000200_mail_create.go", mail.Migrate, mail.Unmigrate)
}
