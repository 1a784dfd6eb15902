//go:build unix

package process

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Lock is a lock on a file that the kernel gives up when its holder dies.
type Lock struct{ file *os.File }

// AcquireLock waits for the lock.
func AcquireLock(path string) (*Lock, error) { return lock(path, syscall.LOCK_EX) }

// TryLock takes the lock if it is free; (nil, nil) when it is not.
func TryLock(path string) (*Lock, error) {
	l, err := lock(path, syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, nil
	}
	return l, err
}

func lock(path string, how int) (*Lock, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock: %w", err)
	}
	for {
		err = syscall.Flock(int(file.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	return &Lock{file: file}, nil
}

// Release gives the lock up.
func (l *Lock) Release() { _ = l.file.Close() }
