// Package samtemplate reads template.yaml, the one statement of routes, functions, variables, timeouts, table, queues
// and bucket, into typed values for the local runner and for tests.
//
// It understands the part of SAM that this project uses and refuses the rest by name: a construct that it skipped would
// work in the cloud and be missing locally, or the other way round.
package samtemplate

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// Template is what the local runner needs to know of a template.
type Template struct {
	// Parameters are the template's parameters with their defaults; a parameter without a default is missing here.
	Parameters map[string]string
	// Declared is what the template says of each parameter, in its order.
	Declared  []Parameter
	Functions []Function
	Tables    []Table
	Queues    []Queue
	Buckets   []Bucket
	// SealingKeys are the logical ids of KMS keys.
	SealingKeys []string
	// Roles are what the roles allow, by logical id.
	Roles map[string][]Statement
}

// Function is one Lambda function.
type Function struct {
	LogicalID   string
	Name        string // the last folder of CodeURI
	CodeURI     string // relative to the template, without a slash at the end
	Role        Value  // empty for none of the template's
	Timeout     time.Duration
	MemoryMB    int
	Environment map[string]Value
	Routes      []Route
	Triggers    []QueueTrigger
	Streams     []StreamTrigger
	Schedules   []Schedule
}

// Route is one HTTP route that leads to a function.
type Route struct {
	LogicalID string
	Method    string // upper case, or ANY; empty for $default
	Path      string // as in the template, with {parameters}; $default matches what nothing else does
}

// Key is the route as API Gateway names it in an event: "GET /api/accounts/{id}".
func (r Route) Key() string {
	if r.Path == "$default" {
		return r.Path
	}
	return r.Method + " " + r.Path
}

// QueueTrigger feeds a function from a queue.
type QueueTrigger struct {
	LogicalID              string
	Queue                  string // logical id
	BatchSize              int
	ReportsPartialFailures bool
	MaximumConcurrency     int // 0 for none stated
}

// Key is an attribute of a table's or an index's key.
type Key struct {
	Name string
	Type string // S, N or B
}

// Table is a DynamoDB table.
type Table struct {
	LogicalID      string
	Name           Value // empty text when CloudFormation is to choose
	Partition      Key
	Sort           *Key
	StreamView     string // empty for no stream
	StreamConsumed bool   // whether a function reads the stream
	TTL            string // the attribute, empty for none
}

// Queue is an SQS queue.
type Queue struct {
	LogicalID           string
	Name                Value
	FIFO                bool
	ContentDedup        bool
	VisibilityTimeout   time.Duration
	Retention           time.Duration
	Delay               time.Duration
	DeadLetterQueue     string // logical id, empty for none
	MaxReceiveCount     int
	ReceiveWait         time.Duration
	DeduplicationScope  string
	FIFOThroughputLimit string
}

// Bucket is an S3 bucket.
type Bucket struct {
	LogicalID string
	Name      Value
	Versioned bool
	CORSRules []CORSRule
}

// CORSRule says pages of which origins may ask a bucket, and by which methods.
type CORSRule struct {
	Origins []Value
	Methods []string
	MaxAge  int // seconds; 0 for what the store thinks right
}

// Load reads the template in a file.
func Load(path string) (*Template, error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the template: %w", err)
	}
	t, err := Parse(source)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// Parse reads a template.
func Parse(source []byte) (*Template, error) {
	raw, err := parseYAML(source)
	if err != nil {
		return nil, err
	}
	root := node{raw: raw}
	if err := root.only("AWSTemplateFormatVersion", "Transform", "Description", "Metadata", "Parameters", "Rules",
		"Conditions", "Globals", "Resources", "Outputs"); err != nil {
		return nil, err
	}
	if transform, err := root.child("Transform").required(); err != nil || transform != "AWS::Serverless-2016-10-31" {
		return nil, root.child("Transform").errorf("want AWS::Serverless-2016-10-31")
	}
	declared, err := declaredParameters(root.child("Parameters"))
	if err != nil {
		return nil, err
	}
	t := &Template{Declared: declared, Parameters: map[string]string{}}
	for _, p := range declared {
		if p.HasDefault {
			t.Parameters[p.Name] = p.Default
		}
	}
	root.parameters = t.Parameters
	if err := t.resources(root); err != nil {
		return nil, err
	}
	if t.Roles, err = readRoles(root.child("Resources")); err != nil {
		return nil, err
	}
	return t, t.check()
}

// onlyInTheCloud names the resources of permissions, logs and alarms: there is nothing of them to run locally.
func onlyInTheCloud(kind string) bool {
	switch kind {
	case "AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::IAM::Role", "AWS::KMS::Alias",
		"AWS::Logs::LogGroup", "AWS::Logs::MetricFilter", "AWS::S3::BucketPolicy", "AWS::SNS::Subscription",
		"AWS::SNS::Topic", "AWS::SQS::QueuePolicy":
		return true
	}
	return false
}

func (t *Template) resources(root node) error {
	globals := root.child("Globals")
	if err := globals.only("Function"); err != nil {
		return err
	}
	entries, ids, err := root.child("Resources").entries()
	if err != nil {
		return err
	}
	for i, entry := range entries {
		kind, err := entry.child("Type").required()
		if err != nil {
			return err
		}
		if onlyInTheCloud(kind) {
			continue
		}
		if err := entry.only("Type", "Properties", "Metadata", "DependsOn", "DeletionPolicy",
			"UpdateReplacePolicy", "Condition"); err != nil {
			return err
		}
		// Locally every resource is made, as by a first deployment; a condition for anything else would be missing here.
		if condition, err := entry.child("Condition").text(); err != nil ||
			condition != "" && !strings.HasPrefix(condition, "Makes") {
			return entry.child("Condition").errorf("not supported here")
		}
		if err := t.resource(kind, ids[i], entry.child("Properties"), globals); err != nil {
			return err
		}
	}
	return nil
}

func (t *Template) resource(kind, id string, properties, globals node) error {
	switch kind {
	case "AWS::Serverless::Function":
		properties.raw = merge(globals.child("Function").raw, properties.raw)
		f, err := readFunction(id, properties)
		t.Functions = append(t.Functions, f)
		return err
	case "AWS::Serverless::HttpApi":
		return readAPI(properties)
	case "AWS::DynamoDB::Table":
		table, err := readTable(id, properties)
		t.Tables = append(t.Tables, table)
		return err
	case "AWS::SQS::Queue":
		queue, err := readQueue(id, properties)
		t.Queues = append(t.Queues, queue)
		return err
	case "AWS::S3::Bucket":
		bucket, err := readBucket(id, properties)
		t.Buckets = append(t.Buckets, bucket)
		return err
	}
	if kind == "AWS::KMS::Key" { // locally a file takes its place, whatever its policy says
		t.SealingKeys = append(t.SealingKeys, id)
		return properties.only("Description", "EnableKeyRotation", "KeyPolicy", "PendingWindowInDays", "Tags")
	}
	return properties.errorf("%s is not supported", kind)
}

// check finds what is wrong between resources: references to queues that do not exist, a route given twice.
func (t *Template) check() error {
	owner := map[string]string{}
	for _, f := range t.Functions {
		for _, r := range f.Routes {
			if other, taken := owner[r.Key()]; taken {
				return fmt.Errorf("Resources.%s.Properties.Events.%s: %s leads to %s already", f.LogicalID, r.LogicalID, r.Key(),
					other)
			}
			owner[r.Key()] = f.LogicalID
		}
		for _, trigger := range f.Triggers {
			if _, known := t.Queue(trigger.Queue); !known {
				return fmt.Errorf("Resources.%s.Properties.Events.%s.Properties.Queue: no queue %s", f.LogicalID,
					trigger.LogicalID, trigger.Queue)
			}
		}
	}
	for _, q := range t.Queues {
		if _, known := t.Queue(q.DeadLetterQueue); q.DeadLetterQueue != "" && !known {
			return fmt.Errorf("Resources.%s.Properties.RedrivePolicy: no queue %s", q.LogicalID, q.DeadLetterQueue)
		}
	}
	return t.checkEventSources()
}

// Queue finds a queue by its logical id.
func (t *Template) Queue(logicalID string) (Queue, bool) {
	i := slices.IndexFunc(t.Queues, func(q Queue) bool { return q.LogicalID == logicalID })
	if i < 0 {
		return Queue{}, false
	}
	return t.Queues[i], true
}

// Function finds a function by the name of its folder.
func (t *Template) Function(name string) (Function, bool) {
	i := slices.IndexFunc(t.Functions, func(f Function) bool { return f.Name == name })
	if i < 0 {
		return Function{}, false
	}
	return t.Functions[i], true
}

// Resolve gives a function's environment variables their values. What the values do not name is taken from the defaults
// of the template's parameters; what is nowhere is an error.
func (t *Template) Resolve(f Function, values Values) (map[string]string, error) {
	known := Values{Parameters: map[string]string{}, Refs: values.Refs, Attributes: values.Attributes}
	for _, source := range []map[string]string{t.Parameters, values.Parameters} {
		for name, value := range source {
			known.Parameters[name] = value
		}
	}
	variables := make(map[string]string, len(f.Environment))
	for name, value := range f.Environment {
		text, err := value.Resolve(known)
		if err != nil {
			return nil, err
		}
		variables[name] = text
	}
	return variables, nil
}

func folderName(codeURI string) string { return codeURI[strings.LastIndex(codeURI, "/")+1:] }
