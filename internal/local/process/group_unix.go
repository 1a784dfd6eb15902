//go:build unix && !linux

package process

import (
	"os"
	"os/exec"
	"syscall"
)

// There is no parent-death signal here: only a runner that is killed outright leaves children behind.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

func killGroup(p *os.Process)      { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }
func terminateGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGTERM) }
