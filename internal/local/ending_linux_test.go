package local_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"useraccounts/internal/local"
	"useraccounts/internal/local/localtest"
)

// TestRunnerProcess is no test but the process that the tests below start and end: the runner with services of its own.
func TestRunnerProcess(t *testing.T) {
	folder := os.Getenv("RUNNER_PROCESS_FOLDER")
	if folder == "" {
		t.Skip("is started by other tests")
	}
	for _, name := range []string{"DYNAMODB", "SQS", "S3"} {
		if err := os.Unsetenv("AWS_ENDPOINT_URL_" + name); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	system, err := local.Start(ctx, local.Options{
		Root: "../..", TemplateFile: "testdata/template.yaml", SourceRoot: "testdata",
		Binaries: "../../.build/functions-of-tests", Logs: filepath.Join(folder, "logs"),
		Data: os.Getenv("RUNNER_PROCESS_DATA"),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer system.Stop()
	if err := json.NewEncoder(os.Stdout).Encode(system.PIDs()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ctx.Done():
	case err := <-system.Failed():
		t.Fatal(err)
	}
}

// startRunner starts the process above and returns it with the ids of everything that it started.
// The text that it writes is complete when it has ended.
func startRunner(t *testing.T, data string) (cmd *exec.Cmd, ids map[string][]int, text func() string) {
	t.Helper()
	localtest.NeedsServices(t)
	cmd = exec.Command(os.Args[0], "-test.run=^TestRunnerProcess$", "-test.v")
	cmd.Env = append(os.Environ(), "RUNNER_PROCESS_FOLDER="+t.TempDir(), "RUNNER_PROCESS_DATA="+data)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = write, write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if err := write.Close(); err != nil {
		t.Fatal(err)
	}
	lines, output, done := bufio.NewReader(read), &strings.Builder{}, make(chan struct{})
	for {
		line, err := lines.ReadString('\n')
		output.WriteString(line)
		if err != nil {
			t.Fatalf("the runner has not started:\n%s", output)
		}
		if json.Unmarshal([]byte(line), &ids) == nil {
			go func() {
				defer close(done)
				_, _ = io.Copy(output, lines) // ends with the process
			}()
			return cmd, ids, func() string { <-done; return output.String() }
		}
	}
}

func isRunning(id int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", id))
	if err != nil {
		return false
	}
	// A zombie has ended; whoever reaps it here is not our business.
	_, after, _ := strings.Cut(string(status), ") ")
	return !strings.HasPrefix(after, "Z")
}

func waitForEnd(t *testing.T, ids map[string][]int) {
	t.Helper()
	for name, all := range ids {
		for _, id := range all {
			for deadline := time.Now().Add(10 * time.Second); isRunning(id); time.Sleep(20 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Errorf("%s (process %d) is still running", name, id)
					break
				}
			}
		}
	}
}

func TestNothingOutlivesTheRunner(t *testing.T) {
	for name, end := range map[string]syscall.Signal{"asked": syscall.SIGTERM, "killed": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			cmd, ids, _ := startRunner(t, "")
			if len(ids) != 5 {
				t.Fatalf("three services and two functions are to run, not %v", ids)
			}
			for name, all := range ids {
				if len(all) != 1 || !isRunning(all[0]) {
					t.Fatalf("%s: processes %v", name, all)
				}
			}
			if err := cmd.Process.Signal(end); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); (err == nil) != (end == syscall.SIGTERM) {
				t.Errorf("ended with %v", err)
			}
			waitForEnd(t, ids)
		})
	}
}

func TestServiceThatDiesEndsTheRun(t *testing.T) {
	cmd, ids, text := startRunner(t, "")
	if err := syscall.Kill(ids["dynamodb"][0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the run ended well")
	}
	waitForEnd(t, ids)
	if want := "the service dynamodb has ended (signal: killed)"; !strings.Contains(text(), want) {
		t.Errorf("no %q in\n%s", want, text())
	}
}

func TestDataFolderIsForOneRunner(t *testing.T) {
	data := t.TempDir()
	startRunner(t, data)
	_, err := local.Start(context.Background(), withOwnServices(t, local.Options{
		Root: "../..", TemplateFile: "testdata/template.yaml", SourceRoot: "testdata", Data: data, Logs: t.TempDir(),
	}))
	if err == nil || !strings.Contains(err.Error(), "is in use by another run") {
		t.Errorf("got %v", err)
	}
}

func TestPortThatIsTaken(t *testing.T) {
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	port := other.Addr().(*net.TCPAddr).Port
	_, err = local.Start(context.Background(), local.Options{Root: "../..", Port: port})
	if want := fmt.Sprintf("port %d is taken; choose another: make run PORT=%d", port, port+1); err == nil ||
		err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
