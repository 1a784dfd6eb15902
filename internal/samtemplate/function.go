package samtemplate

import (
	"errors"
	"path"
	"slices"
	"strings"
	"time"
)

func readFunction(id string, p node) (Function, error) {
	f := Function{LogicalID: id, Environment: map[string]Value{}}
	// The last line has no meaning outside the cloud: who may do what, and where logs go.
	if err := p.only("CodeUri", "Handler", "Runtime", "Architectures", "MemorySize", "Timeout", "Environment", "Events",
		"Description", "FunctionName", "Role", "Policies", "LoggingConfig", "Tracing", "Tags",
		"ReservedConcurrentExecutions", "RecursiveLoop"); err != nil {
		return f, err
	}
	if err := f.readCode(p); err != nil {
		return f, err
	}
	var err error
	if f.Role, err = optionalName(p.child("Role")); err != nil {
		return f, err
	}
	seconds, err := p.child("Timeout").number(3)
	if err != nil {
		return f, err
	}
	if seconds < 1 || seconds > 900 {
		return f, p.child("Timeout").errorf("want 1 to 900 seconds, have %d", seconds)
	}
	f.Timeout = time.Duration(seconds) * time.Second
	if f.MemoryMB, err = p.child("MemorySize").number(128); err != nil {
		return f, err
	}
	if err := p.child("Environment").only("Variables"); err != nil {
		return f, err
	}
	entries, names, err := p.child("Environment").child("Variables").entries()
	if err != nil {
		return f, err
	}
	for i, entry := range entries {
		if f.Environment[names[i]], err = entry.value(); err != nil {
			return f, err
		}
	}
	return f, f.readEvents(p.child("Events"))
}

func (f *Function) readCode(p node) error {
	uri, err := p.child("CodeUri").required()
	if err != nil {
		return err
	}
	f.CodeURI = path.Clean(uri)
	if strings.HasPrefix(f.CodeURI, "/") || strings.HasPrefix(f.CodeURI, "..") || f.CodeURI == "." {
		return p.child("CodeUri").errorf("want a folder below the template, have %s", uri)
	}
	f.Name = folderName(f.CodeURI)
	for key, want := range map[string]string{"Runtime": "provided.al2023", "Handler": "bootstrap"} {
		if have, err := p.child(key).required(); err != nil {
			return err
		} else if have != want {
			return p.child(key).errorf("want %s, have %s", want, have)
		}
	}
	return nil
}

func (f *Function) readEvents(events node) error {
	entries, ids, err := events.entries()
	if err != nil {
		return err
	}
	for i, entry := range entries {
		if err := entry.only("Type", "Properties"); err != nil {
			return err
		}
		kind, err := entry.child("Type").required()
		if err != nil {
			return err
		}
		switch kind {
		case "HttpApi":
			r, err := readRoute(ids[i], entry.child("Properties"))
			if err != nil {
				return err
			}
			f.Routes = append(f.Routes, r)
		case "SQS":
			trigger, err := readTrigger(ids[i], entry.child("Properties"))
			if err != nil {
				return err
			}
			f.Triggers = append(f.Triggers, trigger)
		case "DynamoDB":
			stream, err := readStream(ids[i], entry.child("Properties"))
			if err != nil {
				return err
			}
			f.Streams = append(f.Streams, stream)
		case "Schedule":
			schedule, err := readSchedule(ids[i], entry.child("Properties"))
			if err != nil {
				return err
			}
			f.Schedules = append(f.Schedules, schedule)
		default:
			return entry.child("Type").errorf("events of type %s are not supported", kind)
		}
	}
	return nil
}

func readRoute(id string, p node) (Route, error) {
	r := Route{LogicalID: id}
	if err := p.only("ApiId", "Method", "Path", "PayloadFormatVersion"); err != nil {
		return r, err
	}
	if version, err := p.child("PayloadFormatVersion").text(); err != nil || (version != "" && version != "2.0") {
		return r, p.child("PayloadFormatVersion").errorf("want 2.0")
	}
	if !p.child("Path").exists() && !p.child("Method").exists() {
		r.Path = "$default"
		return r, nil
	}
	var err error
	if r.Path, err = p.child("Path").required(); err != nil {
		return r, err
	}
	if r.Method, err = p.child("Method").required(); err != nil {
		return r, err
	}
	return r, r.check(p)
}

func (r *Route) check(p node) error {
	if r.Path == "$default" {
		r.Method = ""
		return nil
	}
	r.Method = strings.ToUpper(r.Method)
	if r.Method == "*" || r.Method == "X-AMAZON-APIGATEWAY-ANY-METHOD" {
		r.Method = "ANY"
	}
	methods := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "ANY"}
	if !slices.Contains(methods, r.Method) {
		return p.child("Method").errorf("%s is no method", r.Method)
	}
	if !strings.HasPrefix(r.Path, "/") {
		return p.child("Path").errorf("want a path that begins with a slash, have %s", r.Path)
	}
	segments := strings.Split(r.Path[1:], "/")
	for i, s := range segments {
		if !strings.ContainsAny(s, "{}") {
			continue
		}
		name := strings.TrimSuffix(strings.TrimPrefix(s, "{"), "}")
		if len(name)+2 != len(s) || strings.ContainsAny(name, "{}") || strings.Trim(name, "+") == "" {
			return p.child("Path").errorf("%s is no parameter", s)
		}
		if strings.HasSuffix(name, "+") && i != len(segments)-1 {
			return p.child("Path").errorf("%s has to come last", s)
		}
	}
	return nil
}

func readTrigger(id string, p node) (QueueTrigger, error) {
	t := QueueTrigger{LogicalID: id}
	if err := p.only("Queue", "BatchSize", "FunctionResponseTypes", "ScalingConfig", "Enabled"); err != nil {
		return t, err
	}
	queue, err := p.child("Queue").value()
	if err != nil {
		return t, err
	}
	var ok bool
	if t.Queue, ok = queue.RefersTo(); !ok {
		return t, p.child("Queue").errorf("want !GetAtt of a queue of this template")
	}
	if t.BatchSize, err = p.child("BatchSize").number(10); err != nil {
		return t, err
	}
	// Larger batches exist for standard queues with a batching window, which nobody here needs.
	if t.BatchSize < 1 || t.BatchSize > 10 {
		return t, p.child("BatchSize").errorf("want 1 to 10, have %d", t.BatchSize)
	}
	if on, err := p.child("Enabled").text(); err != nil || (on != "" && on != "true") {
		return t, p.child("Enabled").errorf("a trigger that is off is not supported")
	}
	if err := p.child("ScalingConfig").only("MaximumConcurrency"); err != nil {
		return t, err
	}
	if t.MaximumConcurrency, err = p.child("ScalingConfig").child("MaximumConcurrency").number(0); err != nil {
		return t, err
	}
	t.ReportsPartialFailures, err = reportsPartialFailures(p)
	return t, err
}

// readAPI accepts the one API: its stage is $default, and what it may say beside that changes no request or answer.
func readAPI(p node) error {
	iam, err := p.child("Auth").child("EnableIamAuthorizer").flag()
	if err != nil {
		return err
	}
	if iam {
		return p.child("Auth").errorf("an authorizer of the API is not supported here")
	}
	return errors.Join(p.child("Auth").only("EnableIamAuthorizer"), p.only("Auth", "Description", "Name",
		"DefaultRouteSettings", "AccessLogSettings", "FailOnWarnings", "Tags", "DisableExecuteApiEndpoint"))
}
