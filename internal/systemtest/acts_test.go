package systemtest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"useraccounts/internal/local/localtest"
)

// unloggedRoutes are the routes whose samples leave no line in a log, with the reason.
var unloggedRoutes = map[string]string{
	"POST /api/accounts/{id}/copy-from":              "shows what it would do",
	"POST /api/accounts/bulk":                        "shows what it would do",
	"POST /api/accounts/{id}/allow":                  "is so already in the sample; TestState has its line",
	"POST /api/accounts/{id}/force-password-change":  "is so already in the sample; TestState has its line",
	"POST /api/accounts/{id}/reset-tries":            "is so already in the sample; TestState has its line",
	"DELETE /api/accounts/{id}/sessions/{sessionId}": "is over already in the sample",
	"DELETE /api/accounts/{id}/sessions": "closes none in the sample; TestSigningInAgainstGuessers " +
		"has its line",
	"POST /api/imports/{id}/submit":                          "the job says who submitted it",
	"POST /api/jobs/{id}/cancel":                             "the job says so",
	"DELETE /api/sessions/{sessionId}":                       "is over already in the sample",
	"POST /api/me/links/{providerId}/remove":                 "is so already in the sample; TestSingleSignOn has its line",
	"POST /api/login/passkey/begin":                          "asks; the answer to it is a sign-in",
	"POST /api/login/second-factor/passkey":                  "asks; the answer to it is a sign-in",
	"POST /api/login/second-factor/set-up":                   "begins what is confirmed",
	"POST /api/me/mfa/totp":                                  "begins what is confirmed",
	"POST /api/me/mfa/passkeys/begin":                        "begins what is confirmed",
	"POST /api/me/links/{providerId}/depart":                 "begins what is done at the return",
	"POST /api/sso/providers/{id}/depart":                    "begins what is done at the return",
	"POST /api/sso-providers/{id}/directory/depart":          "begins what is read at the return",
	"POST /api/sso/directory/return":                         "reads",
	"POST /api/sso/directory/people":                         "reads",
	"POST /api/sso-providers/{id}/check":                     "reads",
	"POST /api/sso-providers/{id}/link-files":                "begins an upload",
	"POST /api/sso-providers/{id}/link-files/{fileId}/check": "reads",
	"POST /api/sso-providers/{id}/link-files/{fileId}/apply": "is so already in the sample; each link that is made has " +
		"its line in its account's log",
	"POST /oauth/token":        "the session or key that it came from is logged; the token lasts five minutes",
	"POST /oauth/introspect":   "reads",
	"POST /api/password/check": "judges a text",
	"POST /api/me/proof": "notes in the session when its person proved themselves; the act that needed it has " +
		"its line",
	"POST /api/sets":        "a view of one's own, or one to share",
	"PATCH /api/sets/{id}":  "a view of one's own, or one to share",
	"DELETE /api/sets/{id}": "a view of one's own, or one to share",
}

// V81: every act through the API, by the sample of its route, leaves a line in a log, with its kind and when it was, in
// UTC, or a session, a job or an account that says who made or ended it; and of the lines that were there before none
// is changed or gone. What counts failures within an hour may count more, and what is deleted takes its own log along.
func TestEveryActIsInTheLog(t *testing.T) {
	t.Parallel()
	system, _, values := startSamples(t)
	template := localtest.Template(t)
	acts := 0
	lines, records := readEvents(t, system)
	for _, file := range sampleFiles(t) {
		var event events.APIGatewayV2HTTPRequest
		raw := fillSample(t, file, values)
		if json.Unmarshal(raw, &event) != nil || event.RouteKey == "" {
			continue
		}
		out, err := system.Invoke(t.Context(), functionOf(template, event.RouteKey), raw)
		var got events.APIGatewayV2HTTPResponse
		if err != nil || json.Unmarshal(out, &got) != nil || got.StatusCode/100 != 2 {
			t.Fatalf("%s: %s, %v", event.RouteKey, out, err)
		}
		after, recordsAfter := readEvents(t, system)
		for key, was := range lines {
			if is, there := after[key]; is["line"] != was["line"] && (there || event.RouteKey != "DELETE /api/accounts/{id}") &&
				was["count"] == "" {
				t.Errorf("%s changes what is in the log: %v is %v", event.RouteKey, was, is)
			}
		}
		added := 0
		if recordsAfter != records {
			added++
		}
		for key, line := range after {
			if lines[key] == nil {
				added++
				if at, err := time.Parse(time.RFC3339Nano, line["at"]); err != nil || at.Location() != time.UTC ||
					time.Since(at) > time.Minute || line["kind"] == "" {
					t.Errorf("%s writes %v", event.RouteKey, line)
				}
			}
		}
		lines, records = after, recordsAfter
		if event.RouteKey[:4] == "GET " || event.RouteKey == "$default" {
			continue
		}
		if acts++; added == 0 && unloggedRoutes[event.RouteKey] == "" {
			t.Errorf("%s leaves no line in any log", event.RouteKey)
		}
	}
	if acts < 60 {
		t.Errorf("only %d acts", acts)
	}
}

// readEvents returns the lines of all logs, by their keys, and what there is of sessions, jobs and births of accounts.
func readEvents(t *testing.T, system *localtest.RunningSystem) (lines map[string]map[string]string, records string) {
	t.Helper()
	lines = map[string]map[string]string{}
	var otherRecords []string
	pages := dynamodb.NewScanPaginator(system.Endpoints.DynamoDBClient(),
		&dynamodb.ScanInput{TableName: &system.TableName})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range page.Items {
			pk, sk := attributeText(it["PK"]), attributeText(it["SK"])
			switch {
			case strings.HasPrefix(pk, "U#") && strings.HasPrefix(sk, "S#"):
				otherRecords = append(otherRecords,
					pk+sk+attributeText(it["closed"])+attributeText(it["access"])+fmt.Sprint(len(it)))
			case strings.HasPrefix(pk, "J#") && len(sk) == 26, strings.HasPrefix(pk, "U#") && sk == "A":
				otherRecords = append(otherRecords, pk+sk)
			}
			if strings.HasPrefix(sk, "E#") && (strings.HasPrefix(pk, "U#") || strings.HasPrefix(pk, "G#")) {
				line := map[string]string{"line": fmt.Sprint(len(it))}
				for name, value := range it {
					if line[name] = attributeText(value); name == "count" {
						line[name] = "counts"
					}
				}
				for _, name := range slices.Sorted(maps.Keys(line)) {
					line["line"] += " " + name + "=" + line[name]
				}
				lines[pk+" "+sk] = line
			}
		}
	}
	slices.Sort(otherRecords)
	return lines, strings.Join(otherRecords, "\n")
}
