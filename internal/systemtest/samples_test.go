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
	system, _, words := startSamples(t)
	template := localtest.Template(t)
	var routes []string
	for _, file := range sampleFiles(t) {
		raw := fill(t, file, words)
		t.Run(filepath.Base(file), func(t *testing.T) {
			if filepath.Base(file) == "transferworker.json" {
				runMessage(t, system, raw)
				return
			}
			switch filepath.Base(file) {
			case "mailer.json", "mailer-clock.json", "reminder.json":
				function, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".json"), "-")
				if out, err := system.Invoke(t.Context(), function, raw); err != nil || strings.Contains(string(out), "itemIdentifier") {
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
			if !slices.Contains(routes, route.Key()) {
				t.Errorf("no sample for %s", route.Key())
			}
		}
	}
}

// startSamples starts the system and makes everything that the samples speak of.
func startSamples(t *testing.T) (*localtest.Running, *client, map[string]string) {
	t.Helper()
	signOn := startSignOn(t, map[string]string{"PublicUrl": publicURL})
	system, admin := signOn.system, signOn.admin
	words := sampleWords(t, admin)
	maps.Copy(words, signOn.sampleWords(t))
	words["mailId"] = admin.person(t, "mailable", "seven green bicycles", nil).text(t, "id")
	words["linkToken"] = linkSample(t, system, admin.person(t, "linked", "seven green bicycles", nil).text(t, "id"))
	maps.Copy(words, referenceWords(t, admin))
	return system, admin, words
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

var word = regexp.MustCompile(`\{\{(\w+)\}\}`)

func fill(t *testing.T, file string, words map[string]string) []byte {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return word.ReplaceAllFunc(raw, func(found []byte) []byte {
		name := strings.Trim(string(found), "{}")
		value, ok := words[name]
		if !ok {
			t.Errorf("%s: nothing to put in for %s", file, name)
		}
		return []byte(value)
	})
}

// sampleWords makes what the samples speak of.
func sampleWords(t *testing.T, admin *client) map[string]string {
	t.Helper()
	person := admin.person(t, "sample", "seven green bicycles", nil)
	other := admin.person(t, "ticketed", "seven green bicycles", nil)
	admin.do(t, "PATCH", "/api/accounts/"+other.text(t, "id"), map[string]any{"forcePasswordChange": true}, ifMatch(other)).wants(t, 200)
	step := admin.do(t, "POST", "/api/login", map[string]any{"identifier": "ticketed", "password": "seven green bicycles"}).wants(t, 200)
	blocked := admin.person(t, "blocked", "seven green bicycles", nil)
	file := workbook(t, []any{"Username", "Description", "User licenses", "Email"}, []any{"viasample", "Via Sample", "FULL", "viasample@example.com"})
	refreshed := &client{url: admin.url}
	refreshed.signIn(t, "admin", adminPassword)
	session := refreshed.do(t, "GET", "/api/me", nil).text(t, "sessionId")
	clientID, apiKey, lockedKeyID := keySample(t, admin)
	resource, unused := resourceSamples(t, admin)
	words := map[string]string{
		"delegationId": delegationSample(t, admin, person.text(t, "id")),
		"resourceCode": resource, "unusedResourceCode": unused, "resourceVersion": resourceVersion(t, admin, resource), "unusedResourceVersion": resourceVersion(t, admin, unused),
		"clientId": clientID, "apiKey": apiKey, "lockedKeyId": lockedKeyID,
		"password": adminPassword, "token": admin.token, "accountId": person.text(t, "id"), "version": person.Header.Get("ETag")[1:2],
		"ticket": step.text(t, "ticket"), "refreshToken": refreshed.refresh, "sessionId": session,
		"importId": admin.begin(t, file, nil), "cancelId": admin.begin(t, file, nil),
		"doneImportId": admin.imported(t, file, nil)["id"].(string),
		"undoId":       undoID(t, admin),
		"exportId":     exportID(t, admin),
		"blockedId":    blocked.text(t, "id"),
		"ownToken":     ownToken(t, admin),
		"setId":        admin.set(t, "Kept", nil).text(t, "id"),
		"goneSetId":    admin.set(t, "Gone", nil).text(t, "id"),
		"stateId":      admin.person(t, "stated", "seven green bicycles", nil).text(t, "id"),
		"neverUsedId":  admin.person(t, "neverused", "seven green bicycles", nil).text(t, "id"),
	}
	factorSamples(t, admin, words)
	passkeySamples(t, admin, words)
	return words
}

// ownToken is the token of somebody who changes their own password.
func ownToken(t *testing.T, admin *client) string {
	t.Helper()
	admin.person(t, "changing", "seven green bicycles", nil)
	return admin.as(t, "changing", "seven green bicycles").token
}

func exportID(t *testing.T, admin *client) string {
	t.Helper()
	id := admin.do(t, "POST", "/api/exports", map[string]any{"dateFormat": "iso"}).wants(t, 202).text(t, "id")
	admin.ended(t, id)
	return id
}

// runMessage runs the worker's sample: a message that comes a second time, for a job that has ended.
func runMessage(t *testing.T, system *localtest.Running, raw []byte) {
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
