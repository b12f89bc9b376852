package pb_migrations

import "bungalow/hooks/kit/spam"

func init() {
	add(&Core, "1764001000_spam_create.go", spam.Migrate, spam.Unmigrate)
}
