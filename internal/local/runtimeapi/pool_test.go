package runtimeapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// TestMain is also the function of the tests: started with FUNCTION it speaks the Runtime API by hand, in ways that
// aws-lambda-go would not.
func TestMain(m *testing.M) {
	if os.Getenv("FUNCTION") != "" {
		os.Exit(function(os.Getenv("FUNCTION")))
	}
	os.Exit(m.Run())
}

func function(kind string) int {
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/"
	switch kind {
	case "exits":
		return 7
	case "init error":
		post(base+"init/error", `{"errorMessage":"no configuration","errorType":"Config"}`, "Function.Config")
		return 1
	}
	for {
		next, err := http.Get(base + "invocation/next")
		if err != nil {
			return 1
		}
		payload, err := io.ReadAll(next.Body)
		if err != nil {
			return 1
		}
		id := next.Header.Get("Lambda-Runtime-Aws-Request-Id")
		switch act := string(payload); {
		case act == `"headers"`:
			text, _ := json.Marshal(next.Header)
			post(base+"invocation/"+id+"/response", string(text), "")
		case act == `"wrong id"`:
			status := post(base+"invocation/other/response", `"x"`, "")
			post(base+"invocation/"+id+"/response", fmt.Sprint(status), "")
		case act == `"twice"`:
			post(base+"invocation/"+id+"/response", `"first"`, "")
			post(base+"invocation/"+id+"/response", `"second"`, "")
		case act == `"error"`:
			post(base+"invocation/"+id+"/error", `{"errorMessage":"m","errorType":"T"}`, "")
		case act == `"silent"`: // asks for more without an answer
		case act == `"crash"`:
			return 9
		case act == `"answer and crash"`:
			post(base+"invocation/"+id+"/response", `"done"`, "")
			return 9
		case strings.HasPrefix(act, `"sleep`):
			time.Sleep(time.Second)
			post(base+"invocation/"+id+"/response", `"slept"`, "")
		default:
			post(base+"invocation/"+id+"/response", act, "")
		}
	}
}

func post(url, body, kind string) int {
	request, err := http.NewRequest(http.MethodPost, url, bytes.NewReader([]byte(body)))
	if err != nil {
		return 0
	}
	if kind != "" {
		request.Header.Set("Lambda-Runtime-Function-Error-Type", kind)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

func newTestPool(t *testing.T, kind string, change ...func(*Function)) *Pool {
	t.Helper()
	f := Function{
		Name: "f", Binary: os.Args[0], MemoryMB: 128, Timeout: 3 * time.Second, Region: "here", Processes: 2,
		Environment: []string{"FUNCTION=" + kind}, Output: os.Stderr,
	}
	for _, one := range change {
		one(&f)
	}
	p := NewPool(f)
	t.Cleanup(p.Close)
	return p
}

func invoke(t *testing.T, p *Pool, payload string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	answer, err := p.Invoke(ctx, []byte(payload))
	return string(answer), err
}

func TestInvocation(t *testing.T) {
	p := newTestPool(t, "answers")
	for payload, want := range map[string]string{`{"a":1}`: `{"a":1}`, `"wrong id"`: "400", `"twice"`: `"first"`, `"answer and crash"`: `"done"`} {
		if got, err := invoke(t, p, payload); err != nil || got != want {
			t.Errorf("%s: %s, %v", payload, got, err)
		}
	}
	for payload, want := range map[string]string{`"error"`: "T", `"silent"`: "Runtime.NoResponse", `"crash"`: "Runtime.ExitError"} {
		_, err := invoke(t, p, payload)
		if failed := new(FunctionError); !errors.As(err, &failed) || failed.Type != want {
			t.Errorf("%s: %v, want %s", payload, err, want)
		}
	}
}

func TestInvocationHeaders(t *testing.T) {
	before := time.Now()
	text, err := invoke(t, newTestPool(t, "answers"), `"headers"`)
	if err != nil {
		t.Fatal(err)
	}
	var h http.Header
	if err := json.Unmarshal([]byte(text), &h); err != nil {
		t.Fatal(err)
	}
	var deadline int64
	if _, err := fmt.Sscan(h.Get("Lambda-Runtime-Deadline-Ms"), &deadline); err != nil {
		t.Fatal(err)
	}
	if left := time.UnixMilli(deadline).Sub(before); left < 2*time.Second || left > 10*time.Second {
		t.Errorf("the deadline is %s away, and the timeout 3 s", left)
	}
	if len(h.Get("Lambda-Runtime-Aws-Request-Id")) != 36 ||
		h.Get("Lambda-Runtime-Invoked-Function-Arn") != "arn:aws:lambda:here:000000000000:function:f" ||
		!strings.HasPrefix(h.Get("Lambda-Runtime-Trace-Id"), "Root=1-") {
		t.Errorf("headers %v", h)
	}
}

func TestFunctionThatCannotStart(t *testing.T) {
	for kind, want := range map[string]string{"exits": "the process ended: exit status 7",
		"init error": "no configuration"} {
		p := newTestPool(t, kind)
		if err := p.Warm(context.Background()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", kind, err)
		}
		if _, err := invoke(t, p, "1"); err == nil {
			t.Errorf("%s: an answer", kind)
		}
	}
	p := newTestPool(t, "answers", func(f *Function) { f.Binary = "/does/not/exist" })
	if err := p.Warm(context.Background()); err == nil {
		t.Error("a binary that does not exist has started")
	}
}

func TestTimeoutKillsTheProcess(t *testing.T) {
	p := newTestPool(t, "answers", func(f *Function) { f.Timeout = 200 * time.Millisecond })
	if err := p.Warm(context.Background()); err != nil {
		t.Fatal(err)
	}
	before := p.PIDs()
	if _, err := invoke(t, p, `"sleep"`); !errors.Is(err, ErrTimeout) {
		t.Errorf("got %v", err)
	}
	if answer, err := invoke(t, p, "1"); err != nil || answer != "1" {
		t.Errorf("afterwards: %s, %v", answer, err)
	}
	if after := p.PIDs(); len(after) != 1 || after[0] == before[0] {
		t.Errorf("processes %v after %v", after, before)
	}
}

func TestProcessesAreBounded(t *testing.T) {
	p := newTestPool(t, "answers")
	answers := make(chan error, 4)
	started := time.Now()
	for range 4 {
		go func() {
			_, err := invoke(t, p, `"sleep"`)
			answers <- err
		}()
	}
	for range 4 {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
	if took := time.Since(started); took < 2*time.Second {
		t.Errorf("four seconds of work took two processes %s", took)
	}
	if n := len(p.PIDs()); n != 2 {
		t.Errorf("%d processes", n)
	}
}

func TestWhoWaitsCanGiveUp(t *testing.T) {
	p := newTestPool(t, "answers", func(f *Function) { f.Processes = 1 })
	first := make(chan error, 1)
	go func() {
		_, err := invoke(t, p, `"sleep"`)
		first <- err
	}()
	for len(p.PIDs()) == 0 {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	if _, err := p.Invoke(ctx, []byte(`"sleep"`)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if err := <-first; err != nil {
		t.Error(err)
	}
	if answer, err := invoke(t, p, "1"); err != nil || answer != "1" {
		t.Errorf("afterwards: %s, %v", answer, err)
	}
}

func TestCloseLetsNobodyWait(t *testing.T) {
	p := newTestPool(t, "answers", func(f *Function) { f.Processes = 1 })
	waiting := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := invoke(t, p, `"sleep"`)
			waiting <- err
		}()
	}
	for len(p.PIDs()) == 0 {
		time.Sleep(time.Millisecond)
	}
	p.Close()
	for range 2 {
		if err := <-waiting; err == nil {
			t.Error("an answer from a closed pool")
		}
	}
	if _, err := invoke(t, p, "1"); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestSuddenDeathsLoseNoWorkThatNobodyTook(t *testing.T) {
	p := newTestPool(t, "answers")
	for range 50 {
		if err := p.Warm(context.Background()); err != nil {
			t.Fatal(err)
		}
		go p.Kill()
		// Either it was taken and lost, or it was done: never hanging, and never refused for a process that was gone.
		if _, err := invoke(t, p, "1"); err != nil {
			if failed := new(FunctionError); !errors.As(err, &failed) || failed.Type != "Runtime.ExitError" {
				t.Fatal(err)
			}
		}
	}
}
