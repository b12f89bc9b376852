//go:build !linux

package engine

// releaseCode does nothing where the kernel is not Linux.
func releaseCode() {}
