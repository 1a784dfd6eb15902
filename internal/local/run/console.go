package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"time"

	"useraccounts/internal/local/progress"
)

// buildConsole does what `make console` does, and passes on what it says.
func buildConsole(ctx context.Context, root string, say progress.Func) error {
	cmd := exec.CommandContext(ctx, "make", "--no-print-directory", "console")
	cmd.Dir = root
	cmd.WaitDelay = 5 * time.Second
	read, write := io.Pipe()
	cmd.Stdout, cmd.Stderr = write, write
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		for lines := bufio.NewScanner(read); lines.Scan(); {
			say("%s", lines.Text())
		}
		_, _ = io.Copy(io.Discard, read) // what the scanner did not take
	}()
	began := time.Now()
	err := cmd.Run()
	_ = write.Close() // never fails
	<-finished
	if err != nil {
		return fmt.Errorf("the web console does not build: %w", err)
	}
	if took := time.Since(began); took > time.Second {
		say("the web console: done after %.0f s", took.Seconds())
	}
	return nil
}
