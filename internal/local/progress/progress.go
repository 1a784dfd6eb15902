// Package progress tells whoever waits what a start is at and how long it takes.
package progress

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Func prints one line.
type Func func(format string, args ...any)

// reminder is how long a step may be silent.
const reminder = 15 * time.Second

// Step runs a step that takes long: it says what begins, that it is still at it, and how many seconds it took.
func (f Func) Step(what string, do func() error) error {
	if f == nil {
		return do()
	}
	f("%s", what)
	short, _, _ := strings.Cut(what, " (")
	began, done := time.Now(), make(chan struct{})
	var reminding sync.WaitGroup
	reminding.Go(func() {
		tick := time.NewTicker(reminder)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				f("%s: %.0f s so far", short, time.Since(began).Seconds())
			}
		}
	})
	err := do()
	close(done)
	reminding.Wait()
	if err != nil {
		return err
	}
	f("%s: done after %.0f s", short, time.Since(began).Seconds())
	return nil
}

// Concurrently runs steps side by side and returns what went wrong, first of all in the first that failed. The context
// of the others ends with it.
func Concurrently(ctx context.Context, steps ...func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		all  sync.WaitGroup
		mu   sync.Mutex
		errs []error
	)
	for _, step := range steps {
		all.Go(func() {
			err := step(ctx)
			mu.Lock()
			defer mu.Unlock()
			if err != nil && (len(errs) == 0 || ctx.Err() == nil) {
				errs = append(errs, err)
			}
			if err != nil {
				cancel()
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// Printer prints lines from several steps one at a time.
func Printer(write func(line string)) Func {
	var mu sync.Mutex
	return func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		write(fmt.Sprintf(format, args...))
	}
}
