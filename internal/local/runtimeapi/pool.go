// Package runtimeapi runs the built functions as Lambda does: each process asks a Runtime API for its next invocation,
// has one at a time, is killed when it takes longer than the template allows, and is replaced when it dies.
package runtimeapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"useraccounts/internal/local/process"
)

// Function says what to run and how.
type Function struct {
	Name        string
	Binary      string // the bootstrap; its folder is the task root
	MemoryMB    int
	Timeout     time.Duration
	Region      string
	Environment []string  // the template's variables, credentials and endpoints
	Processes   int       // at most so many at once
	Output      io.Writer // what the function writes
}

// Errors of an invocation that are not the function's own answer.
var (
	ErrTimeout = errors.New("Sandbox.Timedout")
	ErrClosed  = errors.New("the runner is stopping")
)

// FunctionError is an invocation that the function answered with an error, or could not answer.
type FunctionError struct {
	Type    string // as in the header Lambda-Runtime-Function-Error-Type
	Payload string
}

// Error names the kind and what the function posted.
func (e *FunctionError) Error() string { return e.Type + ": " + e.Payload }

// Pool is the processes of one function.
type Pool struct {
	function Function
	mu       sync.Mutex
	idle     []*instance // the most recently used last, and first to be used again
	waiting  []chan acquired
	alive    map[*instance]bool
	pending  int // processes about to be made
	unready  int // processes that have not asked for work yet
	closed   bool
}

// acquired is what somebody who waits for a process gets: the process, or why there is none.
type acquired struct {
	instance *instance
	err      error
}

// NewPool makes a pool without a process; the first invocation starts one.
func NewPool(f Function) *Pool {
	return &Pool{function: f, alive: map[*instance]bool{}}
}

// Invoke has a process of the function answer. It waits for a free one as long as the context allows; the invocation
// itself is bounded by the function's timeout alone, as in the cloud, where nobody who gives up stops it.
func (p *Pool) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	answer := make(chan result, 1)
	for {
		i, err := p.acquire(ctx)
		if err != nil {
			return nil, err
		}
		go func() { answer <- i.invoke(payload) }()
		select {
		case r := <-answer:
			if errors.Is(r.err, errNotTaken) {
				continue // it died while it was idle, and another one can do the work
			}
			return r.payload, r.err
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for %s: %w", p.function.Name, ctx.Err())
		}
	}
}

// Warm starts a process and waits until it asks for work, so that a function that cannot start is known before its
// first request.
func (p *Pool) Warm(ctx context.Context) error {
	i, err := p.acquire(ctx)
	if err != nil {
		return fmt.Errorf("starting %s: %w", p.function.Name, err)
	}
	p.release(i)
	return nil
}

// acquire takes an idle process, or starts one, or waits for one to be free.
func (p *Pool) acquire(ctx context.Context) (*instance, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, ErrClosed
	}
	if n := len(p.idle); n > 0 {
		i := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return i, nil
	}
	waiter := make(chan acquired, 1)
	p.waiting = append(p.waiting, waiter)
	p.growLocked()
	p.mu.Unlock()
	select {
	case o := <-waiter:
		return o.instance, o.err
	case <-ctx.Done():
		p.cancelWait(waiter)
		return nil, fmt.Errorf("waiting for a process of %s: %w", p.function.Name, ctx.Err())
	}
}

// growLocked starts a process for whoever waits, unless enough are on their way or the bound is reached.
func (p *Pool) growLocked() {
	if p.pending+p.unready < len(p.waiting) && len(p.alive)+p.pending < p.function.Processes {
		p.pending++
		go p.start()
	}
}

func (p *Pool) cancelWait(waiter chan acquired) {
	p.mu.Lock()
	p.waiting = slices.DeleteFunc(p.waiting, func(c chan acquired) bool { return c == waiter })
	p.mu.Unlock()
	select {
	case o := <-waiter: // it came at the same moment
		if o.instance != nil {
			p.release(o.instance)
		}
	default:
	}
}

// start holds the lock while the process is made, so that its first call for work finds it known.
func (p *Pool) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pending--
	if p.closed {
		return
	}
	i, err := startInstance(p)
	if err != nil {
		p.handOverLocked(acquired{err: err})
		return
	}
	p.alive[i] = true
	p.unready++
	i.watch()
}

// release gives a process that asks for work to the first who waits, or keeps it.
func (p *Pool) release(i *instance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.alive[i] && !p.handOverLocked(acquired{instance: i}) {
		p.idle = append(p.idle, i)
	}
}

func (p *Pool) handOverLocked(o acquired) bool {
	if len(p.waiting) == 0 {
		return false
	}
	p.waiting[0] <- o
	p.waiting = p.waiting[1:]
	return true
}

// markReady counts a process among those that can work, at its first call for it.
func (p *Pool) markReady() {
	p.mu.Lock()
	p.unready--
	p.mu.Unlock()
}

// remove forgets a process that has ended. One that could not start takes somebody who waits with it: trying again and
// again what cannot work would never end. For the others a new process is started.
func (p *Pool) remove(i *instance, wasReady bool, failedToStart error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.alive, i)
	p.idle = slices.DeleteFunc(p.idle, func(other *instance) bool { return other == i })
	if !wasReady {
		p.unready--
	}
	if failedToStart != nil {
		p.handOverLocked(acquired{err: failedToStart})
	}
	if !p.closed {
		p.growLocked()
	}
}

// Kill ends every running process at once, as a crash would, and says how many there were.
func (p *Pool) Kill() int {
	running := p.running()
	for _, i := range running {
		i.process.Kill()
	}
	return len(running)
}

// PIDs are the process ids of the running processes.
func (p *Pool) PIDs() []int {
	var ids []int
	for _, i := range p.running() {
		ids = append(ids, i.process.PID())
	}
	return ids
}

func (p *Pool) running() []*instance {
	p.mu.Lock()
	defer p.mu.Unlock()
	var running []*instance
	for i := range p.alive {
		running = append(running, i)
	}
	return running
}

// Close ends every process; whoever waits gets ErrClosed.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	for p.handOverLocked(acquired{err: ErrClosed}) {
	}
	p.mu.Unlock()
	var all sync.WaitGroup
	for _, i := range p.running() {
		all.Go(i.kill)
	}
	all.Wait()
}

func (p *Pool) spec(api string) process.Spec {
	f := p.function
	return process.Spec{Path: f.Binary, Dir: taskRoot(f),
		Environment: append(lambdaEnvironment(f, api), f.Environment...), Output: f.Output}
}
