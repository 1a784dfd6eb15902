package localtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"useraccounts/internal/local"
	"useraccounts/internal/local/provision"
	"useraccounts/internal/local/runtimeapi"
	"useraccounts/internal/local/services"
	"useraccounts/internal/samtemplate"
)

// RunningSystem is the whole system: the built functions behind the HTTP API, with a table, a bucket and queues of its
// own.
type RunningSystem struct {
	URL           string // of the HTTP API, without a slash at the end
	Endpoints     Endpoints
	TableName     string
	EnvironmentID string
	Resources     provision.Resources
	Logs          string // the folder of what the functions and the runner write down
	system        *local.System
}

// built is set once and holds the functions of the template, which all tests of the process share.
var built = sync.OnceValues(func() (map[string]string, error) {
	root, err := services.Root()
	if err != nil {
		return nil, err
	}
	template, err := samtemplate.Load(filepath.Join(root, "template.yaml"))
	if err != nil {
		return nil, err
	}
	return local.Build(context.Background(), local.Options{
		SourceRoot: root, Binaries: filepath.Join(root, ".build", "functions"),
	}, template.Functions)
})

// System starts the whole system for one test and stops it afterwards. A function starts with its first event. The
// options can be changed before: a seeder, the retry delay of the queue (one second here), another template.
func System(t testing.TB, change ...func(*local.Options)) *RunningSystem {
	t.Helper()
	root, err := services.Root()
	if err != nil {
		t.Fatal(err)
	}
	endpoints := Services(t)
	o := local.Options{
		Root: root, Endpoints: &endpoints, Stack: uniqueName("system"), Logs: filepath.Join(t.TempDir(), "logs"),
		Retry: time.Second, Lazy: true,
		// All requests of a test come from one address, more in a minute than an office's.
		Parameters: map[string]string{"SignInsPerMinute": "3000"},
	}
	for _, one := range change {
		one(&o)
	}
	roles := &roleCheck{calls: map[call]bool{}}
	if checkingRoles() {
		o.Intercept = roles.intercept(t)
	}
	if o.TemplateFile == "" {
		if o.Built, err = built(); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	system, err := local.Start(ctx, o)
	if err != nil {
		t.Fatalf("the system does not start: %v", err)
	}
	running := &RunningSystem{
		URL: system.URL, Endpoints: system.Endpoints, TableName: system.TableName(), Resources: system.Resources,
		EnvironmentID: system.Resources.Values.Parameters["EnvironmentId"], Logs: o.Logs, system: system,
	}
	t.Cleanup(func() {
		system.Stop()
		if checkingRoles() && o.TemplateFile == "" {
			roles.verify(t, Template(t), running)
		}
		if t.Failed() {
			showLogs(t, o.Logs)
		}
		withTimeout(t, "removing the system's table, bucket and queues", system.Remove)
	})
	return running
}

// Kill ends every running process of a function at once (SIGKILL), as a crash would, and says how many there were. The
// next request or message starts a new one.
func (r *RunningSystem) Kill(function string) int {
	pool := r.system.Function(function)
	if pool == nil {
		panic(fmt.Sprintf("localtest: the template has no function %s", function))
	}
	return pool.Kill()
}

// Stop stops the system before the test ends, as Ctrl-C stops make run.
func (r *RunningSystem) Stop() { r.system.Stop() }

// Invoke has a function answer an event directly, without the HTTP API in front: a sample of events/, for one.
func (r *RunningSystem) Invoke(ctx context.Context, function string, event []byte) ([]byte, error) {
	pool := r.system.Function(function)
	if pool == nil {
		return nil, fmt.Errorf("the template has no function %s", function)
	}
	answer, err := pool.Invoke(ctx, event)
	if err != nil {
		return nil, fmt.Errorf("invoking %s: %w", function, err)
	}
	return answer, nil
}

// PIDs are the process ids of the running processes of a function.
func (r *RunningSystem) PIDs(function string) []int { return r.system.PIDs()[function] }

// showLogs puts the end of what the functions wrote into the output of a test that failed.
func showLogs(t testing.TB, folder string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.log"))
	if err != nil {
		return
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil || len(content) == 0 {
			continue
		}
		t.Logf("%s:\n%s", filepath.Base(name), content[max(0, len(content)-4000):])
	}
}

// Function returns the running processes of a function, to invoke it without the HTTP API or queue; nil if the template
// has no such function.
func (r *RunningSystem) Function(name string) *runtimeapi.Pool { return r.system.Function(name) }
