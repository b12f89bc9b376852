package health

// DiskFree is how many bytes an unprivileged writer has left on the disk of a
// folder. known is false where the system doesn't say.
func DiskFree(dir string) (free uint64, known bool) { return diskFree(dir) }

// MinFree is how much of the disk must be left for the site to be ready, in bytes.
const MinFree = minFree
