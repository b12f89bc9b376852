//go:build !race

package comments_test

const raced = false
