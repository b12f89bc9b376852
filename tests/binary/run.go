package binary

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"path/filepath"
)

// Result is what a finished command left behind.
type Result struct {
	Code           int
	Stdout, Stderr string
}

// Run runs a command of the executable on the site's folder and waits for its
// end. A non-zero exit code is a result, not an error.
func Run(ctx context.Context, home string, args ...string) (Result, error) {
	path, err := Build()
	if err != nil {
		return Result{}, err
	}
	return RunFile(ctx, path, home, append(args, "--dir", filepath.Join(home, "pb_data"))...)
}

// RunFile is Run with a given executable and exactly the given arguments.
func RunFile(ctx context.Context, path, home string, args ...string) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, cmd.Env = home, cleanEnv()
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && ctx.Err() == nil {
		err = nil
	}
	code := -1
	if cmd.ProcessState != nil {
		code = cmd.ProcessState.ExitCode()
	}
	return Result{Code: code, Stdout: out.String(), Stderr: errs.String()}, err
}
