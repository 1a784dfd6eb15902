package main

import (
	"fmt"
	"os"
	"syscall"
)

// endWithParent has the kernel end this process as Ctrl-C does when the one that started it is killed. make is killed
// without a word to what it runs, and a runner left behind would keep the port and the data.
func endWithParent() error {
	parent := os.Getppid()
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGTERM),
		0); errno != 0 {
		return fmt.Errorf("ending with the parent process: %w", errno)
	}
	if os.Getppid() != parent { // it was killed before it was asked for
		return syscall.Kill(os.Getpid(), syscall.SIGTERM)
	}
	return nil
}
