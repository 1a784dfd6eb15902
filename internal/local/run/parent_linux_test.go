package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestChildProcess is no test but what make starts in the test below.
func TestChildProcess(t *testing.T) {
	if os.Getenv("CHILD_OF_A_KILLED_ONE") == "" {
		t.Skip("is started by another test")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := endWithParent(); err != nil {
		t.Fatal(err)
	}
	fmt.Println("runs")
	select {
	case <-ctx.Done():
		fmt.Println("ends")
	case <-time.After(time.Minute):
		fmt.Println("is left behind")
	}
}

// A runner whose make is killed with -9 ends as with Ctrl-C, and gives back its port and its data.
func TestTheRunnerEndsWithAMakeThatIsKilled(t *testing.T) {
	// The second command keeps the shell from giving its place to the first.
	parent := exec.Command("sh", "-c", os.Args[0]+" -test.run=^TestChildProcess$ -test.v; true")
	parent.Env = append(os.Environ(), "CHILD_OF_A_KILLED_ONE=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	said, killed := "", false
	for lines := bufio.NewScanner(out); lines.Scan(); { // until the child, which has the pipe too, has ended
		said += lines.Text() + "\n"
		if !killed && strings.Contains(said, "runs\n") {
			killed = true
			if err := parent.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = parent.Wait() // it was killed
	if !strings.Contains(said, "ends\n") {
		t.Errorf("said %q", said)
	}
}
