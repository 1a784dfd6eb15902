package local

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"time"

	"useraccounts/internal/local/progress"
	"useraccounts/internal/local/provision"
	"useraccounts/internal/local/services"
)

// Options say what to run. The zero value of everything but Root is a sensible one.
type Options struct {
	Root         string            // the project's folder
	TemplateFile string            // default template.yaml in Root
	SourceRoot   string            // where the CodeUri of functions begin, default Root
	Binaries     string            // where the built functions go, default .build/functions in Root
	Built        map[string]string // the functions if they are built already, by name; nil to build them
	// BeforeBuild makes what the functions are built from; nil for nothing.
	BeforeBuild func(ctx context.Context) error
	// Lazy has functions start with their first event, not with the system.
	Lazy       bool
	Port       int                 // of the HTTP API; 0 for a free one
	Data       string              // where data stays; empty for none that does
	Endpoints  *services.Endpoints // services that run already; nil to start them
	Stack      string              // prefix of the names of table, bucket and queues; default "local"
	Parameters map[string]string   // of the template, beside its defaults
	// Intercept may give a function other addresses of the services, to see what it asks of them; nil for the same.
	Intercept func(function string, e services.Endpoints) services.Endpoints
	// Beside is a system whose tables and buckets this one uses, for another environment; nil for its own.
	Beside        *provision.Resources
	Retry         time.Duration // how soon a failed message comes back, default 5 s
	Processes     int           // at most so many of one function, default 8
	Verbose       bool          // what functions write goes to the terminal too
	Logs          string        // default .build/logs in Root
	Mail          bool          // whether to start a mail service too
	AdminPassword string        // handed to the seeder
	Seed          Seeder
	Progress      progress.Func
}

// SeedTarget is what a seeder fills.
type SeedTarget struct {
	Endpoints     services.Endpoints
	TableName     string
	Resources     provision.Resources
	EnvironmentID string
	AdminPassword string // empty to have one made
	URL           string // where the HTTP API answers
}

// Seeder puts the first data in and returns lines for the block that the runner prints: how to sign in, for one. It
// runs at every start and has to leave data alone that is there already.
type Seeder func(ctx context.Context, target SeedTarget) (lines []string, err error)

// withAbsolutePaths frees the paths from the working directory: services and functions have others.
func (o Options) withAbsolutePaths() (Options, error) {
	o = o.withDefaults()
	for _, path := range []*string{&o.Root, &o.TemplateFile, &o.SourceRoot, &o.Binaries, &o.Logs, &o.Data} {
		var err error
		if *path == "" { // no data is kept
			continue
		}
		if *path, err = filepath.Abs(*path); err != nil {
			return o, fmt.Errorf("finding the project: %w", err)
		}
	}
	return o, nil
}

func (o Options) withDefaults() Options {
	o.TemplateFile = cmp.Or(o.TemplateFile, filepath.Join(o.Root, "template.yaml"))
	o.SourceRoot = cmp.Or(o.SourceRoot, o.Root)
	o.Binaries = cmp.Or(o.Binaries, filepath.Join(o.Root, ".build", "functions"))
	o.Logs = cmp.Or(o.Logs, filepath.Join(o.Root, ".build", "logs"))
	o.Stack = cmp.Or(o.Stack, "local")
	o.Retry = cmp.Or(o.Retry, 5*time.Second)
	o.Processes = cmp.Or(o.Processes, 8)
	return o
}

// KeyFile is what seals secrets in place of KMS. It stays with the data that it sealed.
func (o Options) KeyFile() string {
	if o.Data != "" {
		return filepath.Join(o.Data, "seal-key.json")
	}
	return filepath.Join(o.Root, ".build", "seal-key.json")
}
