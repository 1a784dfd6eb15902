//go:build !unix

package process

import (
	"os"
	"os/exec"
)

func isolate(*exec.Cmd) {}

func killGroup(p *os.Process)      { _ = p.Kill() }
func terminateGroup(p *os.Process) { _ = p.Kill() }
