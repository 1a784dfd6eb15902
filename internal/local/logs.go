package local

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
)

// logs are the files in which everything is written down, one for each function and one for requests and deliveries.
type logs struct {
	folder   string
	terminal io.Writer // nil unless verbose
	events   *slog.Logger
	mu       sync.Mutex
	files    []*os.File
}

// previousLogs is what the folder of the run before is called, beside the one of this run.
const previousLogs = ".previous"

// keepPreviousLogs moves the logs of the run before out of the way.
func keepPreviousLogs(folder string) error {
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := os.RemoveAll(folder + previousLogs); err != nil {
		return fmt.Errorf("keeping the logs of the run before: %w", err)
	}
	if err := os.Rename(folder, folder+previousLogs); err != nil {
		return fmt.Errorf("keeping the logs of the run before: %w", err)
	}
	return nil
}

func openLogs(folder string, verbose bool) (*logs, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("making the folder of logs: %w", err)
	}
	l := &logs{folder: folder}
	if verbose {
		l.terminal = &syncWriter{to: os.Stderr}
	}
	output, err := l.function("runner")
	if err != nil {
		return nil, err
	}
	l.events = slog.New(slog.NewJSONHandler(output, nil))
	return l, nil
}

// function opens the log of one function.
func (l *logs) function(name string) (io.Writer, error) {
	file, err := os.Create(filepath.Join(l.folder, name+".log"))
	if err != nil {
		return nil, fmt.Errorf("making a log: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.files = append(l.files, file)
	if l.terminal == nil {
		return file, nil // a file of its own, which the process writes without our help
	}
	return io.MultiWriter(file, l.terminal), nil
}

func (l *logs) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, file := range l.files {
		_ = file.Close() // nothing is buffered
	}
}

// syncWriter keeps the lines of several processes from running into each other.
type syncWriter struct {
	mu sync.Mutex
	to io.Writer
}

// Write writes one piece whole.
func (o *syncWriter) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := o.to.Write(p)
	if err != nil {
		return n, fmt.Errorf("writing to the terminal: %w", err)
	}
	return n, nil
}
