package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"useraccounts/internal/local/process"
	"useraccounts/internal/samtemplate"
)

// Build makes the bootstrap of every function for this machine, with the flags that `sam build` gets from the Makefile,
// and returns the files by function. Go's own cache keeps it short when nothing has changed.
func Build(ctx context.Context, o Options, functions []samtemplate.Function) (map[string]string, error) {
	folder := o.Binaries
	linked := filepath.Join(folder, ".linked")
	if err := os.MkdirAll(linked, 0o755); err != nil {
		return nil, fmt.Errorf("making the folder of functions: %w", err)
	}
	lock, err := process.AcquireLock(filepath.Join(folder, ".lock"))
	if err != nil {
		return nil, err
	}
	defer lock.Release()
	arguments := append(append([]string{"build"}, buildFlags()...), "-o", linked+string(filepath.Separator))
	for _, f := range functions {
		if _, err := os.Stat(filepath.Join(o.SourceRoot, f.CodeURI, "main.go")); err != nil {
			return nil, fmt.Errorf("the template names the function %s, but %s/main.go is missing", f.Name, f.CodeURI)
		}
		arguments = append(arguments, "./"+f.CodeURI)
	}
	if err := goBuild(ctx, o.SourceRoot, arguments); err != nil {
		return nil, err
	}
	binaries := map[string]string{}
	for _, f := range functions {
		binaries[f.Name] = filepath.Join(folder, f.Name, "bootstrap")
		if err := installBinary(filepath.Join(linked, f.Name), binaries[f.Name]); err != nil {
			return nil, err
		}
	}
	return binaries, nil
}

// buildFlags are those of the Makefile's BUILD_FLAGS, which sam build gets.
func buildFlags() []string {
	return []string{"-tags=lambda.norpc", "-trimpath", "-buildvcs=false", "-ldflags=-s"}
}

func goBuild(ctx context.Context, folder string, arguments []string) error {
	cmd := exec.CommandContext(ctx, "go", arguments...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.WaitDelay = 5 * time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("the functions do not build: %w\n%s", err, bytes.TrimSpace(out))
	}
	return nil
}

// installBinary puts a binary where it runs, under the name that Lambda wants. The exchange is one step, because
// another run may be starting the former one this moment; a link, because go build looks at its own output to see that
// it is up to date.
func installBinary(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return fmt.Errorf("placing a function: %w", err)
	}
	fresh := to + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("placing a function: %w", err)
	}
	if err := os.Link(from, fresh); err != nil {
		return fmt.Errorf("placing a function: %w", err)
	}
	if err := os.Rename(fresh, to); err != nil {
		return fmt.Errorf("placing a function: %w", err)
	}
	// Renaming a link over another one of the same file does nothing and leaves both.
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("placing a function: %w", err)
	}
	return nil
}
