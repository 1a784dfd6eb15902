//go:build !unix

package process

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// Lock is a lock by the existence of a file. A holder that dies leaves it behind: it is taken over after a quarter of
// an hour, longer than any installation takes.
type Lock struct{ path string }

// AcquireLock waits for the lock.
func AcquireLock(path string) (*Lock, error) {
	for {
		l, err := TryLock(path)
		if l != nil || err != nil {
			return l, err
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// TryLock takes the lock if it is free; (nil, nil) when it is not.
func TryLock(path string) (*Lock, error) {
	if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > 15*time.Minute {
		_ = os.Remove(path)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening the lock: %w", err)
	}
	return &Lock{path: path}, file.Close()
}

// Release gives the lock up.
func (l *Lock) Release() { _ = os.Remove(l.path) }
