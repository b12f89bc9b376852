package pb_migrations

import "bungalow/hooks/kit/queue"

func init() {
	add(&Core, "1764000100_queue_create.go", queue.Migrate, queue.Unmigrate)
}
