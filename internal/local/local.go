// Package local runs the whole system on one machine, without a cloud: the local services, the resources of
// template.yaml on them, every function as the built binary that would be deployed, the HTTP API in front and the queue
// behind.
package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"useraccounts/internal/local/eventsource"
	"useraccounts/internal/local/gateway"
	"useraccounts/internal/local/progress"
	"useraccounts/internal/local/provision"
	"useraccounts/internal/local/runtimeapi"
	"useraccounts/internal/local/services"
	"useraccounts/internal/samtemplate"
)

// System is the running whole.
type System struct {
	URL         string
	Endpoints   services.Endpoints
	Resources   provision.Resources
	SeedNotes   []string // of the seeder
	stack       provision.Stack
	pools       map[string]*runtimeapi.Pool
	services    *services.Services
	server      *http.Server
	logs        *logs
	failed      chan error
	stopPollers context.CancelFunc
	running     sync.WaitGroup
	stopOnce    sync.Once
}

// Start brings everything up and returns when all of it answers.
func Start(ctx context.Context, o Options) (*System, error) {
	o, err := o.withAbsolutePaths()
	if err != nil {
		return nil, err
	}
	template, err := samtemplate.Load(o.TemplateFile)
	if err != nil {
		return nil, err
	}
	// The port comes first: a run that cannot have it is to say so before it installs or builds anything.
	listeners, err := listen(ctx, o.Port)
	if err != nil {
		return nil, err
	}
	s := &System{URL: "http://" + listeners[0].Addr().String(), pools: map[string]*runtimeapi.Pool{},
		failed: make(chan error, 4), stopPollers: func() {}}
	if err := s.start(ctx, o, template, listeners); err != nil {
		s.Stop()
		for _, listener := range listeners {
			err = errors.Join(err, ignoreClosed(listener.Close()))
		}
		return nil, err
	}
	return s, nil
}

// listen takes the port at both loopback addresses, because localhost may mean either. A machine without IPv6 has one.
func listen(ctx context.Context, port int) ([]net.Listener, error) {
	var config net.ListenConfig
	first, err := config.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, portTaken(port)
	}
	if err != nil {
		return nil, fmt.Errorf("listening on port %d: %w", port, err)
	}
	if port == 0 { // for a program, which takes the address that it is given
		return []net.Listener{first}, nil
	}
	second, err := config.Listen(ctx, "tcp", net.JoinHostPort("::1", strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, errors.Join(portTaken(port), first.Close())
	}
	if err != nil {
		return []net.Listener{first}, nil //nolint:nilerr // no IPv6 here
	}
	return []net.Listener{first, second}, nil
}

func portTaken(port int) error {
	return fmt.Errorf("port %d is taken; choose another: make run PORT=%d", port, port+1)
}

func (s *System) start(ctx context.Context, o Options, t *samtemplate.Template, listeners []net.Listener) (err error) {
	if err := keepPreviousLogs(o.Logs); err != nil {
		return err
	}
	if s.logs, err = openLogs(o.Logs, o.Verbose); err != nil {
		return err
	}
	binaries := o.Built
	err = progress.Concurrently(ctx,
		// Not with the context of the steps: the services go on when the steps are done.
		func(context.Context) error { return s.startServices(ctx, o) },
		func(ctx context.Context) (err error) {
			if binaries == nil {
				binaries, err = build(ctx, o, t.Functions)
			}
			return err
		})
	if err != nil {
		return err
	}
	_, noKey := os.Stat(o.KeyFile())
	s.stack = provision.Stack{Name: o.Stack, Endpoints: s.Endpoints, Template: t, KeyFile: o.KeyFile()}
	if o.Beside != nil {
		s.stack.Tables, s.stack.Buckets = o.Beside.Tables, o.Beside.Buckets
	}
	if s.Resources, err = s.stack.Create(ctx); err != nil {
		return err
	}
	if err := s.checkKey(ctx, o, errors.Is(noKey, fs.ErrNotExist)); err != nil {
		return err
	}
	// What has no default in the template, because nothing safe could be one.
	parameters := s.Resources.Values.Parameters
	parameters["PublicUrl"], parameters["MailSender"] = s.URL, "no-reply@example.com"
	maps.Copy(parameters, o.Parameters)
	if err := s.stack.AllowOrigins(ctx, s.Resources); err != nil {
		return err
	}
	if err := s.startFunctions(ctx, o, t, binaries); err != nil {
		return err
	}
	if s.SeedNotes, err = s.seed(ctx, o); err != nil {
		return err
	}
	s.startPollers(o, t)
	s.serve(t, listeners)
	return nil
}

// build builds the functions, after what they are built from.
func build(ctx context.Context, o Options, functions []samtemplate.Function) (binaries map[string]string, err error) {
	if o.BeforeBuild != nil {
		if err := o.BeforeBuild(ctx); err != nil {
			return nil, err
		}
	}
	err = o.Progress.Step(fmt.Sprintf("building %d functions", len(functions)), func() error {
		binaries, err = Build(ctx, o, functions)
		return err
	})
	return binaries, err
}

func (s *System) startServices(ctx context.Context, o Options) error {
	if o.Endpoints != nil {
		s.Endpoints = *o.Endpoints
		return nil
	}
	running, err := services.Start(ctx,
		services.Config{Root: o.Root, Data: o.Data, Logs: o.Logs, Mail: o.Mail, Progress: o.Progress})
	if err != nil {
		return err
	}
	s.services, s.Endpoints = running, running.Endpoints
	go func() {
		if err, ended := <-running.Failed(); ended {
			s.failed <- err
		}
	}()
	return nil
}

func (s *System) startFunctions(ctx context.Context, o Options, t *samtemplate.Template,
	binaries map[string]string) error {
	for _, f := range t.Functions {
		variables, err := t.Resolve(f, s.Resources.Values)
		if err != nil {
			return err
		}
		output, err := s.logs.function(f.Name)
		if err != nil {
			return err
		}
		endpoints := s.Endpoints
		if o.Intercept != nil {
			endpoints = o.Intercept(f.Name, endpoints)
		}
		environment := endpoints.Environment()
		for name, value := range variables {
			environment = append(environment, name+"="+value)
		}
		s.pools[f.Name] = runtimeapi.NewPool(runtimeapi.Function{
			Name: f.Name, Binary: binaries[f.Name], MemoryMB: f.MemoryMB, Timeout: f.Timeout, Region: s.Endpoints.Region,
			Environment: environment, Processes: o.Processes, Output: output,
		})
	}
	if o.Lazy {
		return nil
	}
	return s.warm(ctx, o)
}

// warm starts one process of each function, so that one that cannot start is known now.
func (s *System) warm(ctx context.Context, o Options) error {
	var all sync.WaitGroup
	problems := make(chan error, len(s.pools))
	for name, pool := range s.pools {
		all.Go(func() {
			err := pool.Warm(ctx)
			if err != nil {
				err = fmt.Errorf("%w (see %s)", err, filepath.Join(o.Logs, name+".log"))
			}
			problems <- err
		})
	}
	all.Wait()
	close(problems)
	var err error
	for problem := range problems {
		err = errors.Join(err, problem)
	}
	return err
}

func (s *System) seed(ctx context.Context, o Options) ([]string, error) {
	if o.Seed == nil {
		return nil, nil
	}
	target := SeedTarget{
		Endpoints: s.Endpoints, Resources: s.Resources, EnvironmentID: s.Resources.Values.Parameters["EnvironmentId"],
		AdminPassword: o.AdminPassword, URL: s.URL, TableName: s.TableName(),
	}
	lines, err := o.Seed(ctx, target)
	if err != nil {
		return nil, fmt.Errorf("putting the first data in: %w", err)
	}
	return lines, nil
}

// TableName is the name of the table of everything but mails.
func (s *System) TableName() string { return s.Resources.Tables["Table"] }

// startPollers starts a poller for each trigger of the template.
func (s *System) startPollers(o Options, t *samtemplate.Template) {
	ctx, stop := context.WithCancel(context.Background())
	s.stopPollers = stop
	for _, f := range t.Functions {
		for _, trigger := range f.Triggers {
			queue, _ := t.Queue(trigger.Queue)
			one := &eventsource.QueuePoller{
				Client: s.Endpoints.SQSClient(), QueueURL: s.Resources.Queues[trigger.Queue], Region: s.Endpoints.Region,
				QueueARN: s.Resources.Values.Attributes[trigger.Queue+".Arn"], Function: f.Name, BatchSize: trigger.BatchSize,
				ReportsPartialFailures: trigger.ReportsPartialFailures, Visibility: queue.VisibilityTimeout, Retry: o.Retry,
				Pollers: pollerCount(trigger), Invoke: s.pools[f.Name].Invoke, Log: s.logs.events,
			}
			s.running.Go(func() { one.Run(ctx) })
		}
		s.startStreamPollers(ctx, o, f)
	}
}

// onFailure returns what writes into a queue of the template, nil for none.
func (s *System) onFailure(queue string) func(context.Context, string) error {
	if queue == "" {
		return nil
	}
	client, url := s.Endpoints.SQSClient(), s.Resources.Queues[queue]
	return func(ctx context.Context, body string) error {
		_, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body})
		return err
	}
}

// startStreamPollers starts what reads the streams that feed a function, and the clocks that run it.
func (s *System) startStreamPollers(ctx context.Context, o Options, f samtemplate.Function) {
	for _, stream := range f.Streams {
		one := &eventsource.StreamPoller{
			Client: s.Endpoints.StreamsClient(), ARN: s.Resources.Values.Attributes[stream.Table+".StreamArn"],
			Region: s.Endpoints.Region, Function: f.Name, BatchSize: stream.BatchSize, Retries: stream.Retries,
			Bisects:                stream.Bisects,
			ReportsPartialFailures: stream.ReportsPartialFailures, OnFailure: s.onFailure(stream.DeadLetterQueue),
			Retry: o.Retry, Every: 200 * time.Millisecond, Invoke: s.pools[f.Name].Invoke, Log: s.logs.events,
		}
		s.running.Go(func() { one.Run(ctx) })
	}
	for _, schedule := range f.Schedules {
		one := &eventsource.Scheduler{Function: f.Name, Rule: schedule.LogicalID, Every: schedule.Every,
			Invoke: s.pools[f.Name].Invoke, Log: s.logs.events}
		s.running.Go(func() { one.Run(ctx) })
	}
}

// pollerCount bounds what runs at once: two groups at a time show that groups do not wait for each other, and a small
// machine has no use for more.
func pollerCount(trigger samtemplate.QueueTrigger) int {
	if trigger.MaximumConcurrency == 1 {
		return 1
	}
	return 2
}

func (s *System) serve(t *samtemplate.Template, listeners []net.Listener) {
	s.server = &http.Server{
		Handler: &gateway.Gateway{
			Router: gateway.NewRouter(t.Functions), Log: s.logs.events, Now: time.Now,
			Invoke: func(ctx context.Context, function string, payload []byte) ([]byte, error) {
				return s.pools[function].Invoke(ctx, payload)
			},
		},
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(s.logs.events.Handler(), slog.LevelWarn),
	}
	for _, listener := range listeners {
		go func() {
			if err := s.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				s.failed <- fmt.Errorf("the HTTP API has ended: %w", err)
			}
		}()
	}
}

// Failed tells of a service that has ended, or the HTTP API: the system is of no more use then.
func (s *System) Failed() <-chan error { return s.failed }

// Function is the processes of one function, by the name of its folder; nil for no such function.
func (s *System) Function(name string) *runtimeapi.Pool { return s.pools[name] }

// PIDs are the process ids of everything that this system started.
func (s *System) PIDs() map[string][]int {
	ids := map[string][]int{}
	if s.services != nil {
		for name, id := range s.services.PIDs() {
			ids[name] = []int{id}
		}
	}
	for name, pool := range s.pools {
		ids[name] = pool.PIDs()
	}
	return ids
}

// Remove deletes table, bucket and queues; for a system that borrowed its services.
func (s *System) Remove(ctx context.Context) error { return s.stack.Remove(ctx, s.Resources) }

// Stop ends everything: no new requests, then the functions, then what they stood on.
func (s *System) Stop() {
	s.stopOnce.Do(func() {
		if s.server != nil {
			_ = s.server.Close()
		}
		s.stopPollers()
		var all sync.WaitGroup
		for _, pool := range s.pools {
			all.Go(pool.Close)
		}
		all.Wait()
		s.running.Wait()
		if s.services != nil {
			s.services.Stop()
		}
		if s.logs != nil {
			s.logs.close()
		}
	})
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
