package sitetest

import (
	"os"
	"path/filepath"
	"testing"

	"bungalow/tests/binary"
)

// Material returns the path of a file or folder of test input that others
// wrote and that is no part of the repository. It lies in ../shared/material
// beside the module, or where BUNGALOW_MATERIAL says; where it is absent the
// test is skipped and says so.
func Material(t testing.TB, name string) string {
	t.Helper()
	root := os.Getenv("BUNGALOW_MATERIAL")
	if root == "" {
		root = besideModule()
	}
	path := filepath.Join(root, filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		binary.SkipAloud(t, "test material "+name+" is not on this machine; BUNGALOW_MATERIAL may name its folder", nil)
	}
	return path
}

// besideModule walks up to go.mod and on until a folder holds shared/material.
func besideModule() string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	inModule := true
	for {
		if !inModule {
			if found := filepath.Join(dir, "shared", "material"); isDir(found) {
				return found
			}
		}
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			inModule = false
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
