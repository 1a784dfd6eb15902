// Command with runs another command with the local services behind it, started once for all that the command starts:
//
//	go run ./internal/local/with -- go test ./...
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"useraccounts/internal/local/progress"
	"useraccounts/internal/local/services"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	arguments := os.Args[1:]
	if len(arguments) > 0 && arguments[0] == "--" {
		arguments = arguments[1:]
	}
	if len(arguments) == 0 {
		fmt.Fprintln(os.Stderr, "usage: with -- command arguments...")
		os.Exit(2)
	}
	err := run(ctx, arguments)
	if exit := new(exec.ExitError); errors.As(err, &exit) && exit.ExitCode() > 0 {
		os.Exit(exit.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "with:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) error {
	root, err := services.Root()
	if err != nil {
		return err
	}
	running, err := services.Start(ctx, services.Config{
		Root: root, Logs: filepath.Join(root, ".build", "logs"),
		Progress: progress.Printer(func(line string) { fmt.Fprintln(os.Stderr, line) }),
	})
	if err != nil {
		return err
	}
	defer running.Stop()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		if err, ended := <-running.Failed(); ended {
			cancel(err)
		}
	}()
	cmd := exec.CommandContext(ctx, arguments[0], arguments[1:]...)
	cmd.Env = append(os.Environ(), running.Endpoints.Environment()...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	err = cmd.Run()
	// A service that died is the reason for whatever the command made of it.
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
}
