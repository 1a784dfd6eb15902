package runtimeapi

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

// payloadLimit is Lambda's for an invocation and its answer.
const payloadLimit = 6 << 20

// routes are the four calls of Lambda's Runtime API.
func (i *instance) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", i.handleNext)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", i.handleResponse)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", i.handleInvocationError)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", i.handleInitError)
	return mux
}

// handleNext ends the former invocation, if any, and waits for one.
func (i *instance) handleNext(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	first := !i.polled
	i.polled = true
	if i.current != nil {
		i.current.finish(result{err: &FunctionError{Type: "Runtime.NoResponse", Payload: "asked for work without an answer"}})
		i.current = nil
	}
	i.mu.Unlock()
	if first {
		close(i.ready)
		i.pool.markReady()
	}
	i.pool.release(i)
	select {
	case v := <-i.work:
		i.mu.Lock()
		i.current = v
		i.mu.Unlock()
		deliver(w, v, i.pool.function)
	case <-r.Context().Done():
		// A runtime that hangs up while it waits will not answer any more.
		i.kill()
	}
}

func deliver(w http.ResponseWriter, v *invocation, f Function) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Lambda-Runtime-Aws-Request-Id", v.id)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(v.deadline.UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", arn(f))
	h.Set("Lambda-Runtime-Trace-Id", newTrace(time.Now()))
	// A process that does not take it has died, and its end is noticed elsewhere.
	_, _ = w.Write(v.payload)
}

func (i *instance) handleResponse(w http.ResponseWriter, r *http.Request) {
	v := i.invocation(w, r.PathValue("id"))
	if v == nil {
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, payloadLimit))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		v.finish(result{err: &FunctionError{Type: "Function.ResponseSizeTooLarge", Payload: "the answer has more than 6 MB"}})
		writeError(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge")
		return
	}
	if err != nil {
		v.finish(result{err: &FunctionError{Type: "Runtime.TruncatedResponse", Payload: err.Error()}})
		return
	}
	if kind := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); kind != "" {
		v.finish(result{err: &FunctionError{Type: kind, Payload: r.Trailer.Get("Lambda-Runtime-Function-Error-Body")}})
	}
	v.finish(result{payload: body})
	writeAccepted(w)
}

func (i *instance) handleInvocationError(w http.ResponseWriter, r *http.Request) {
	v := i.invocation(w, r.PathValue("id"))
	if v == nil {
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, payloadLimit))
	if err != nil {
		body = []byte("the error could not be read: " + err.Error())
	}
	v.finish(result{err: functionError(r.Header, body)})
	writeAccepted(w)
}

func (i *instance) handleInitError(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, payloadLimit))
	if err != nil {
		body = []byte("the error could not be read: " + err.Error())
	}
	i.setInitError(functionError(r.Header, body))
	writeAccepted(w)
}

// invocation finds the one at work; an answer to any other is refused.
func (i *instance) invocation(w http.ResponseWriter, id string) *invocation {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.current == nil || i.current.id != id {
		writeError(w, http.StatusBadRequest, "InvalidRequestID")
		return nil
	}
	return i.current
}

func writeAccepted(w http.ResponseWriter) { writeJSON(w, http.StatusAccepted, `{"status":"OK"}`) }

func writeError(w http.ResponseWriter, status int, kind string) {
	writeJSON(w, status, `{"errorType":"`+kind+`","errorMessage":"`+http.StatusText(status)+`"}`)
}

func writeJSON(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}
