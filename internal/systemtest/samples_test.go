package systemtest_test

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"useraccounts/internal/local/localtest"
	"useraccounts/internal/samtemplate"
)

// Every route and trigger of the template has a sample in events/, and every sample runs through the built function.
func TestEverySampleRunsThroughItsFunction(t *testing.T) {
	t.Parallel()
	system, _, values := startSamples(t)
	template := localtest.Template(t)
	var routes []string
	for _, file := range sampleFiles(t) {
		raw := fillSample(t, file, values)
		t.Run(filepath.Base(file), func(t *testing.T) {
			if filepath.Base(file) == "transferworker.json" {
				runMessage(t, system, raw)
				return
			}
			switch filepath.Base(file) {
			case "mailer.json", "mailer-clock.json", "reminder.json":
				function, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".json"), "-")
				if out, err := system.Invoke(t.Context(), function, raw); err != nil ||
					strings.Contains(string(out), "itemIdentifier") {
					t.Errorf("%s (%v)", out, err)
				}
				return
			}
			var event events.APIGatewayV2HTTPRequest
			if err := json.Unmarshal(raw, &event); err != nil {
				t.Fatal(err)
			}
			routes = append(routes, event.RouteKey)
			function := functionOf(template, event.RouteKey)
			if function == "" {
				t.Fatalf("the template has no route %s", event.RouteKey)
			}
			out, err := system.Function(function).Invoke(context.Background(), raw)
			if err != nil {
				t.Fatal(err)
			}
			var got events.APIGatewayV2HTTPResponse
			if err := json.Unmarshal(out, &got); err != nil {
				t.Fatal(err)
			}
			if got.StatusCode/100 != 2 {
				t.Errorf("%s answers %d %s", event.RouteKey, got.StatusCode, got.Body)
			}
		})
	}
	for _, f := range template.Functions {
		for _, route := range f.Routes {
			if route.Method != "HEAD" && !slices.Contains(routes, route.Key()) {
				t.Errorf("no sample for %s", route.Key())
			}
		}
	}
}

// startSamples starts the system and makes everything that the samples speak of.
func startSamples(t *testing.T) (*localtest.RunningSystem, *client, map[string]string) {
	t.Helper()
	signOn := startSSO(t, map[string]string{"PublicUrl": publicURL})
	system, admin := signOn.system, signOn.admin
	values := sampleValues(t, admin)
	maps.Copy(values, signOn.sampleValues(t))
	values["mailId"] = admin.createUser(t, "mailable", "seven green bicycles", nil).text(t, "id")
	values["linkToken"] = passwordLinkSample(t, system,
		admin.createUser(t, "linked", "seven green bicycles", nil).text(t, "id"))
	maps.Copy(values, referenceValues(t, admin))
	return system, admin, values
}

func functionOf(template *samtemplate.Template, key string) string {
	for _, f := range template.Functions {
		for _, route := range f.Routes {
			if route.Key() == key {
				return f.Name
			}
		}
	}
	return ""
}

func sampleFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../events/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	// What ends the session that the other samples use comes last.
	i := slices.IndexFunc(files, func(f string) bool { return filepath.Base(f) == "logout.json" })
	return append(slices.Delete(slices.Clone(files), i, i+1), files[i])
}

var samplePlaceholder = regexp.MustCompile(`\{\{(\w+)\}\}`)

func fillSample(t *testing.T, file string, values map[string]string) []byte {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return samplePlaceholder.ReplaceAllFunc(raw, func(found []byte) []byte {
		name := strings.Trim(string(found), "{}")
		value, ok := values[name]
		if !ok {
			t.Errorf("%s: nothing to put in for %s", file, name)
		}
		return []byte(value)
	})
}

// sampleValues makes what the samples speak of.
func sampleValues(t *testing.T, admin *client) map[string]string {
	t.Helper()
	person := admin.createUser(t, "sample", "seven green bicycles", nil)
	other := admin.createUser(t, "ticketed", "seven green bicycles", nil)
	admin.do(t, "PATCH", "/api/accounts/"+other.text(t, "id"), map[string]any{"forcePasswordChange": true},
		ifMatch(other)).expect(t, 200)
	step := admin.do(t, "POST", "/api/login",
		map[string]any{"identifier": "ticketed", "password": "seven green bicycles"}).expect(t, 200)
	blocked := admin.createUser(t, "blocked", "seven green bicycles", nil)
	file := workbook(t, []any{"Username", "Description", "User licenses", "Email"},
		[]any{"viasample", "Via Sample", "FULL", "viasample@example.com"})
	refreshed := &client{url: admin.url}
	refreshed.signIn(t, "admin", adminPassword)
	session := refreshed.do(t, "GET", "/api/me", nil).text(t, "sessionId")
	clientID, apiKey, lockedKeyID := keySample(t, admin)
	resource, unused := resourceSamples(t, admin)
	values := map[string]string{
		"delegationId": delegationSample(t, admin, person.text(t, "id")),
		"resourceCode": resource, "unusedResourceCode": unused, "resourceVersion": resourceVersion(t, admin, resource),
		"unusedResourceVersion": resourceVersion(t, admin, unused),
		"clientId":              clientID, "apiKey": apiKey, "lockedKeyId": lockedKeyID,
		"password": adminPassword, "token": admin.token, "accountId": person.text(t, "id"),
		"version": person.Header.Get("ETag")[1:2],
		"ticket":  step.text(t, "ticket"), "refreshToken": refreshed.refresh, "sessionId": session,
		"importId": admin.uploadImport(t, file, nil), "cancelId": admin.uploadImport(t, file, nil),
		"doneImportId": admin.runImport(t, file, nil)["id"].(string),
		"undoId":       undoableImportID(t, admin),
		"exportId":     exportID(t, admin),
		"blockedId":    blocked.text(t, "id"),
		"ownToken":     ownToken(t, admin),
		"setId":        admin.createSet(t, "Kept", nil).text(t, "id"),
		"goneSetId":    admin.createSet(t, "Gone", nil).text(t, "id"),
		"stateId":      admin.createUser(t, "stated", "seven green bicycles", nil).text(t, "id"),
		"neverUsedId":  admin.createUser(t, "neverused", "seven green bicycles", nil).text(t, "id"),
	}
	factorSamples(t, admin, values)
	passkeySamples(t, admin, values)
	return values
}

// ownToken is the token of somebody who changes their own password.
func ownToken(t *testing.T, admin *client) string {
	t.Helper()
	admin.createUser(t, "changing", "seven green bicycles", nil)
	return admin.signedInAs(t, "changing", "seven green bicycles").token
}

func exportID(t *testing.T, admin *client) string {
	t.Helper()
	id := admin.do(t, "POST", "/api/exports", map[string]any{"dateFormat": "iso"}).expect(t, 202).text(t, "id")
	admin.waitForJob(t, id)
	return id
}

// runMessage runs the worker's sample: a message that comes a second time, for a job that has ended.
func runMessage(t *testing.T, system *localtest.RunningSystem, raw []byte) {
	t.Helper()
	out, err := system.Function("transferworker").Invoke(context.Background(), raw)
	if err != nil {
		t.Fatal(err)
	}
	var got events.SQSEventResponse
	if err := json.Unmarshal(out, &got); err != nil || len(got.BatchItemFailures) != 0 {
		t.Errorf("%s (%v)", out, err)
	}
}
