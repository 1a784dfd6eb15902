package localtest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"useraccounts/internal/local/services"
	"useraccounts/internal/samtemplate"
)

// roleCheck notes what each function asks of the services, to hold it against the function's role. No local service
// knows roles, so an action that a role leaves out would be found out in the cloud only.
type roleCheck struct {
	mu    sync.Mutex
	calls map[call]bool
}

// call is an action of a function on a resource, given by its ARN or the URL of a queue.
type call struct{ function, action, resource string }

// checkingRoles reports whether the system tests hold calls against roles, as make iam has them do.
func checkingRoles() bool { return os.Getenv("CHECK_ROLES") == "1" }

// intercept gives a function addresses of its own, at which its calls are noted and passed on.
func (c *roleCheck) intercept(t testing.TB) func(string, services.Endpoints) services.Endpoints {
	return func(function string, e services.Endpoints) services.Endpoints {
		for address, read := range map[*string]func(services.Endpoints, *http.Request, []byte) []call{
			&e.DynamoDB: dynamoCalls, &e.SQS: queueCalls, &e.S3: objectCalls, &e.Mail: mailCalls,
		} {
			if *address == "" {
				continue
			}
			target, err := url.Parse(*address)
			if err != nil {
				t.Fatal(err)
			}
			// The host stays what was signed.
			pass := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(target)
				r.Out.Host = r.In.Host
			}}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					http.Error(w, err.Error(), http.StatusBadGateway)
					return
				}
				r.Body = io.NopCloser(bytes.NewReader(body))
				c.note(function, read(e, r, body))
				pass.ServeHTTP(w, r)
			}))
			t.Cleanup(server.Close)
			*address = server.URL
		}
		return e
	}
}

func (c *roleCheck) note(function string, calls []call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range calls {
		one.function = function
		c.calls[one] = true
	}
}

// verify fails the test for each call that the role of its function does not allow.
func (c *roleCheck) verify(t testing.TB, template *samtemplate.Template, r *RunningSystem) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for one := range c.calls {
		for id, address := range r.Resources.Queues {
			if one.resource == address {
				one.resource = r.Resources.Values.Attributes[id+".Arn"]
			}
		}
		f, _ := template.Function(one.function)
		allowed, err := template.Allows(f, r.Resources.Values, one.action, one.resource)
		if err != nil || !allowed {
			t.Errorf("%s calls %s on %s, which its role does not allow (%v)", one.function, one.action, one.resource, err)
		}
	}
	t.Logf("%d different calls were held against the roles", len(c.calls))
}

// dynamoCalls reads a request to DynamoDB. A transaction is authorised by the actions of its parts.
func dynamoCalls(e services.Endpoints, r *http.Request, body []byte) []call {
	var in struct {
		TableName     string
		RequestItems  map[string]json.RawMessage
		TransactItems []map[string]struct{ TableName string }
	}
	if json.Unmarshal(body, &in) != nil {
		return nil
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	on := func(action, table string) call {
		return call{action: "dynamodb:" + action,
			resource: "arn:aws:dynamodb:" + e.Region + ":000000000000:table/" + table}
	}
	var calls []call
	for _, item := range in.TransactItems {
		for part, of := range item {
			if part == "ConditionCheck" {
				part = "ConditionCheckItem"
			} else {
				part += "Item"
			}
			calls = append(calls, on(part, of.TableName))
		}
	}
	for table := range in.RequestItems {
		calls = append(calls, on(operation, table))
	}
	if in.TableName != "" {
		calls = append(calls, on(operation, in.TableName))
	}
	return calls
}

func queueCalls(_ services.Endpoints, r *http.Request, body []byte) []call {
	var in struct{ QueueURL string }
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if json.Unmarshal(body, &in) != nil || operation == "" {
		return nil
	}
	return []call{{action: "sqs:" + operation, resource: in.QueueURL}}
}

// objectCalls reads a request to the bucket: by a function, or by somebody with a link that the function signed and
// that is authorised by the function's role.
func objectCalls(_ services.Endpoints, r *http.Request, _ []byte) []call {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	arn := "arn:aws:s3:::" + bucket
	switch {
	case key == "" && r.Method == http.MethodGet:
		return []call{{action: "s3:ListBucket", resource: arn}}
	case key == "": // a form is posted to the bucket, with the key in it
		return nil
	case r.Method == http.MethodPut:
		return []call{{action: "s3:PutObject", resource: arn + "/" + key}}
	case r.Method == http.MethodDelete:
		return []call{{action: "s3:DeleteObject", resource: arn + "/" + key}}
	case r.URL.Query().Get("versionId") != "":
		return []call{{action: "s3:GetObjectVersion", resource: arn + "/" + key}}
	default:
		return []call{{action: "s3:GetObject", resource: arn + "/" + key}}
	}
}

func mailCalls(e services.Endpoints, r *http.Request, _ []byte) []call {
	if !strings.HasSuffix(r.URL.Path, "/outbound-emails") {
		return nil
	}
	return []call{{action: "ses:SendEmail", resource: "arn:aws:ses:" + e.Region + ":000000000000:identity/example.com"}}
}
