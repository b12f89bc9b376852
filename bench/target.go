package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"bungalow/tests/binary"
)

// A Target is a server that a workload can be measured on. Start runs it in a
// process of its own on the workload's requests.
type Target struct {
	Name  string
	Title string
	Start func(ctx context.Context, site *Site, answers []recorded) (*binary.Server, error)
}

// subject is the target that all others are compared with.
const subject = "bungalow"

var targets = []Target{
	{Name: subject, Title: "Bungalow", Start: func(ctx context.Context, site *Site, _ []recorded) (*binary.Server, error) {
		return binary.Start(ctx, binary.Options{Home: site.Home})
	}},
	{Name: "bare", Title: "bare net/http", Start: startBare},
}

func targetNamed(name string) Target {
	for _, t := range targets {
		if t.Name == name {
			return t
		}
	}
	panic("no target " + name)
}

// startBare runs this program again as the bare handler.
func startBare(ctx context.Context, site *Site, answers []recorded) (*binary.Server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(answers)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(site.Home, "bare.json")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		return nil, err
	}
	addr, err := binary.FreeAddr()
	if err != nil {
		return nil, err
	}
	probe := answers[0].Path
	return binary.Exec(ctx, exec.Command(self, "-bare", file, "-addr", addr), addr, probe)
}

// sameAnswers fails unless the target answers the workload's requests with the
// same status, headers and bytes as were recorded.
func sameAnswers(ctx context.Context, host string, requests []Request, want []recorded) error {
	got, err := record(ctx, host, requests)
	if err != nil {
		return err
	}
	for i := range want {
		if got[i].Status != want[i].Status || !bytes.Equal(got[i].Body, want[i].Body) {
			return fmt.Errorf("%s: the servers answer different bytes", want[i].Path)
		}
		if g, w := fmt.Sprint(got[i].Header), fmt.Sprint(want[i].Header); g != w {
			return fmt.Errorf("%s: the servers answer different headers:\n%s\n%s", want[i].Path, g, w)
		}
	}
	return nil
}

func hostOf(s *binary.Server) string { return strings.TrimPrefix(s.URL, "http://") }

func commit(root string) string {
	out, err := exec.Command("git", "-C", root, "rev-parse", "--short=12", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}
