package pb_migrations

import "bungalow/hooks/kit/mail"

// One address gets an automatic answer once a day, whichever feature sends it.
func init() {
	add(&Core, "1764600300_mail_answered.go", mail.MigrateAnswered, mail.UnmigrateAnswered)
}
