package runtimeapi

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"useraccounts/internal/local/process"
)

// initLimit is how long a process may take until it asks for its first work, as in Lambda.
const initLimit = 10 * time.Second

// instance is one process with a Runtime API of its own.
type instance struct {
	pool    *Pool
	process *process.Process
	server  *http.Server
	work    chan *invocation
	started time.Time
	ready   chan struct{} // closed when the process first asks for work

	mu        sync.Mutex
	polled    bool
	current   *invocation
	initError *FunctionError
}

type invocation struct {
	id       string
	payload  []byte
	deadline time.Time
	result   chan result // holds one
}

// errNotTaken is an invocation that no process has seen.
var errNotTaken = errors.New("the process ended before it took the work")

type result struct {
	payload []byte
	err     error
}

func startInstance(p *Pool) (*instance, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // does not wait
	if err != nil {
		return nil, fmt.Errorf("listening for %s: %w", p.function.Name, err)
	}
	i := &instance{pool: p, work: make(chan *invocation), started: time.Now(), ready: make(chan struct{})}
	i.server = &http.Server{Handler: i.routes(), ReadHeaderTimeout: 10 * time.Second}
	if i.process, err = process.Start(p.spec(listener.Addr().String())); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	// Serve returns when the instance is given up; there is nobody to tell.
	go func() { _ = i.server.Serve(listener) }()
	return i, nil
}

// watch waits for the process's first call for work, and for its end.
func (i *instance) watch() {
	go func() {
		<-i.process.Done()
		i.exited()
	}()
	go func() {
		select {
		case <-i.ready:
		case <-i.process.Done():
		case <-time.After(initLimit):
			i.setInitError(&FunctionError{Type: "Sandbox.Timedout", Payload: fmt.Sprintf("init took longer than %s", initLimit)})
			i.kill()
		}
	}()
}

// exited tells the pool that the process is gone, and whether it was unable to start. One that was killed from outside
// before it asked for work was not: another one may be.
func (i *instance) exited() {
	_ = i.server.Close()
	i.mu.Lock()
	asked, failed := i.polled, i.initError
	i.polled = true // a call for work that is still on its way is no first one any more
	i.mu.Unlock()
	switch {
	case failed != nil && !asked:
		i.pool.remove(i, asked, failed)
	case !asked && !i.process.Killed():
		i.pool.remove(i, asked, i.exitError())
	default:
		i.pool.remove(i, asked, nil)
	}
}

func (i *instance) exitError() *FunctionError {
	return &FunctionError{Type: "Runtime.ExitError", Payload: "the process ended: " + i.process.ExitStatus()}
}

func (i *instance) setInitError(e *FunctionError) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.initError == nil {
		i.initError = e
	}
}

func (i *instance) kill() { i.process.Kill() }

// invoke hands the work over and waits for the answer, the process's end or the function's timeout.
func (i *instance) invoke(payload []byte) result {
	timeout := i.pool.function.Timeout
	v := &invocation{id: newID(), payload: payload, deadline: time.Now().Add(timeout), result: make(chan result, 1)}
	select {
	case i.work <- v:
	case <-i.process.Done():
		return result{err: errNotTaken}
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case r := <-v.result:
		return r
	case <-i.process.Done():
		select {
		case r := <-v.result: // answered, then died
			return r
		default:
			return result{err: i.exitError()}
		}
	case <-timer.C:
		i.kill()
		return result{err: fmt.Errorf("%s: %w after %s", i.pool.function.Name, ErrTimeout, timeout)}
	}
}

// finish gives the first answer and ignores any other.
func (v *invocation) finish(r result) {
	select {
	case v.result <- r:
	default:
	}
}

// functionError reads what a runtime posts as an error.
func functionError(header http.Header, body []byte) *FunctionError {
	e := &FunctionError{Type: header.Get("Lambda-Runtime-Function-Error-Type"), Payload: string(body)}
	if e.Type == "" {
		var posted struct {
			ErrorType string `json:"errorType"`
		}
		if json.Unmarshal(body, &posted) == nil {
			e.Type = posted.ErrorType
		}
	}
	if e.Type == "" {
		e.Type = "Unhandled"
	}
	return e
}

// newID is a random UUID, the form of Lambda's request ids.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func newTrace(now time.Time) string {
	var b [20]byte
	_, _ = rand.Read(b[:])
	h := hex.EncodeToString(b[:])
	return fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0", now.Unix(), h[:24], h[24:])
}
