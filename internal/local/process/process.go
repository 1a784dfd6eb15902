// Package process runs child processes that cannot outlive their parent: each has a process group of its own, so that a
// Ctrl-C in the terminal reaches the runner alone, and on Linux the kernel kills it when the runner dies in whatever
// way.
package process

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"time"
)

// Spec says what to run.
type Spec struct {
	Path        string
	Args        []string
	Dir         string
	Environment []string // the whole environment; nothing is inherited
	Output      io.Writer
}

// Process is a running child.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// Start runs a child process.
func Start(spec Spec) (*Process, error) {
	cmd := exec.Command(spec.Path, spec.Args...) //nolint:noctx // it ends by Stop and Kill, with its whole group
	cmd.Dir = spec.Dir
	cmd.Env = spec.Environment
	if cmd.Env == nil {
		cmd.Env = []string{}
	}
	cmd.Stdout, cmd.Stderr = spec.Output, spec.Output
	// A grandchild that keeps the pipe open must not keep Wait from returning.
	cmd.WaitDelay = 2 * time.Second
	isolate(cmd)
	p := &Process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", spec.Path, err)
	}
	return p, nil
}

// run keeps its thread for as long as the child lives: the parent-death signal of Linux is sent when the thread that
// started the child ends, not the process, and Go ends threads as it likes.
func (p *Process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	p.err = p.cmd.Wait()
	close(p.done)
}

// PID is the child's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Alive reports whether the child has not ended yet.
func (p *Process) Alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// ExitStatus says how the child ended, in words; empty while it runs.
func (p *Process) ExitStatus() string {
	if p.Alive() {
		return ""
	}
	if p.err != nil {
		return p.err.Error()
	}
	return "exit status 0"
}

// Killed reports whether the child was ended by a signal.
func (p *Process) Killed() bool { return !p.Alive() && p.cmd.ProcessState.ExitCode() == -1 }

// Kill ends the child and its whole group at once and waits for it.
func (p *Process) Kill() {
	if p.Alive() {
		killGroup(p.cmd.Process)
		<-p.done
	}
}

// Stop asks the child to end, and kills it when it has not done so in time.
func (p *Process) Stop(grace time.Duration) {
	if !p.Alive() {
		return
	}
	terminateGroup(p.cmd.Process)
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		p.Kill()
	}
}

// Environment is the part of the runner's own environment that programs such as npm, go and java need to find their
// files and their way out; services and functions get what they are given, and no more.
func Environment(extra ...string) []string {
	var kept []string
	for _, name := range []string{"PATH", "HOME", "USER", "TMPDIR", "LANG", "SystemRoot", "TEMP", "TMP", "JAVA_HOME"} {
		if value, ok := os.LookupEnv(name); ok {
			kept = append(kept, name+"="+value)
		}
	}
	return append(kept, extra...)
}
