package systemtest_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/local/localtest"
)

// routesWantingProof returns the routes whose reference says that they want a fresh proof.
func routesWantingProof(t *testing.T, c *client) []string {
	t.Helper()
	document := c.do(t, "GET", "/api/openapi.json", nil).expect(t, 200).members(t)
	var out []string
	for path, operations := range document["paths"].(map[string]any) {
		for method, operation := range operations.(map[string]any) {
			op, _ := operation.(map[string]any)
			problems, _ := op["x-problems"].([]any)
			for _, p := range problems {
				if problem := p.(map[string]any); problem["code"] == "proofNeeded" {
					out = append(out, strings.ToUpper(method)+" "+path)
				}
			}
		}
	}
	return out
}

// ageSessions makes the sessions of an account as if their sign-in had been a while ago; the clock of a built function
// cannot be set.
func ageSessions(t *testing.T, system *localtest.RunningSystem, account string, by time.Duration) {
	t.Helper()
	client := system.Endpoints.DynamoDBClient()
	found, err := client.Query(t.Context(), &dynamodb.QueryInput{
		TableName: &system.TableName, KeyConditionExpression: aws.String("PK = :account AND begins_with(SK, :sessions)"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":account":  &types.AttributeValueMemberS{Value: "U#" + account},
			":sessions": &types.AttributeValueMemberS{Value: "S#"},
		},
	})
	if err != nil || len(found.Items) == 0 {
		t.Fatalf("%d sessions, %v", len(found.Items), err)
	}
	for _, item := range found.Items {
		start, err := time.Parse(time.RFC3339, item["start"].(*types.AttributeValueMemberS).Value)
		if err != nil {
			t.Fatal(err)
		}
		item["start"] = &types.AttributeValueMemberS{Value: start.Add(-by).Format("2006-01-02T15:04:05.000Z")}
		if _, err := client.PutItem(t.Context(),
			&dynamodb.PutItemInput{TableName: &system.TableName, Item: item}); err != nil {
			t.Fatal(err)
		}
	}
}

// V35, C15: whatever weakens a sign-in, one's own or another's, wants a fresh proof: from a session that is older than
// five minutes every route that says so is refused, and nothing is done; within the five minutes, and with the
// password, it is not.
func TestWhatWeakensASignInWantsAFreshProof(t *testing.T) {
	t.Parallel()
	s := startSSO(t)
	_, _, codes, id := s.admin.createUserWithTOTP(t, "owner")
	s.admin.trustDevice(t, "owner", codes[0])
	account := "/api/accounts/" + id
	seen := s.admin.do(t, "GET", account+"/mfa", nil).expect(t, 200)
	device := seen.members(t)["devices"].([]any)[0].(map[string]any)["id"].(string)
	fill := strings.NewReplacer("{id}", id, "{deviceId}", device, "{passkeyId}", "01JZ0000000000000000000001",
		"{providerId}", s.oidcID, "{code}", "payroll")
	s.admin.do(t, "POST", "/api/applications", map[string]any{
		"code": "payroll", "description": "Payroll", "type": "service", "audience": "https://payroll.example.com",
	}).expect(t, 201)
	admin := s.admin.do(t, "GET", "/api/me", nil).text(t, "accountId")

	ageSessions(t, s.system, admin, 4*time.Minute)
	// it gets so far
	s.admin.do(t, "DELETE", account+"/mfa/devices/01JZ0000000000000000000009", nil).expectProblem(t, 404, "notFound")
	ageSessions(t, s.system, admin, time.Minute+time.Second)
	routes := routesWantingProof(t, s.admin)
	for _, needed := range []string{
		"POST /api/accounts/{id}/mfa/remove", "POST /api/accounts/{id}/mfa/do-not-enforce",
		"DELETE /api/accounts/{id}/mfa/devices", "DELETE /api/accounts/{id}/mfa/devices/{deviceId}",
		"POST /api/me/mfa/remove", "POST /api/me/mfa/totp", "POST /api/me/mfa/recovery-codes", "DELETE /api/me/mfa/devices",
		"DELETE /api/me/mfa/devices/{deviceId}", "DELETE /api/me/mfa/passkeys/{passkeyId}",
	} {
		if !slices.Contains(routes, needed) {
			t.Errorf("%s wants no fresh proof", needed)
		}
	}
	samples := routeSamples(t)
	for _, key := range routes {
		if key == "PATCH /api/accounts/{id}" {
			continue // depends on what is changed: TestAStaleSessionTakesOverNothing
		}
		method, path, _ := strings.Cut(key, " ")
		body := any(nil)
		if sample := samples[key].Body; sample != "" && !strings.Contains(sample, `"password"`) {
			body = sample
		}
		if got := s.admin.do(t, method, fill.Replace(path), body); got.Status != 403 || got.text(t, "code") != "proofNeeded" {
			t.Errorf("%s from an old session: %d %s", key, got.Status, got.Body)
		}
	}
	if after := s.admin.do(t, "GET", account+"/mfa", nil).expect(t, 200); after.Body != seen.Body {
		t.Errorf("something was done:\n%s\n%s", seen.Body, after.Body)
	}
	proof := map[string]any{"password": adminPassword}
	kinds := map[string]int{"devicesForgotten": 2, "secondFactorNotEnforced": 1, "secondFactorRemoved": 1}
	s.admin.do(t, "DELETE", account+"/mfa/devices/"+device, proof).expect(t, 204)
	s.admin.do(t, "DELETE", account+"/mfa/devices", proof).expect(t, 204)
	s.admin.do(t, "POST", account+"/mfa/do-not-enforce", proof).expect(t, 200)
	s.admin.do(t, "POST", account+"/mfa/remove", proof).expect(t, 200)
	log := s.admin.do(t, "GET", account+"/log?limit=50", nil).expect(t, 200).Body
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		if n := strings.Count(log, `"kind":"`+kind+`"`); n != kinds[kind] {
			t.Errorf("%s stands %d times in the log, want %d: %s", kind, n, kinds[kind], log)
		}
	}
}

// V92: from a session that is older than the proof limit nobody changes their own email or an administrator's, sets
// passwords, makes keys or administrators, or settings that weaken sign-in. A proof in place lets the same request
// through, and the session stays the one that it was.
func TestAStaleSessionTakesOverNothing(t *testing.T) {
	t.Parallel()
	system, admin := start(t)
	me := admin.do(t, "GET", "/api/me", nil).expect(t, 200)
	own := "/api/accounts/" + me.text(t, "accountId")
	colleague := "/api/accounts/" +
		admin.createUser(t, "colleague", userPassword, map[string]any{"roles": []string{"ADMIN"}}).text(t, "id")
	junior := "/api/accounts/" + admin.createUser(t, "junior", userPassword, nil).text(t, "id")
	program := "/api/accounts/" + admin.createAPIClient(t, "nightly")
	ageSessions(t, system, me.text(t, "accountId"), 6*time.Minute)
	send := func(method, path string, body any) response {
		if method != "PATCH" {
			return admin.do(t, method, path, body)
		}
		return admin.do(t, method, path, body, ifMatch(admin.do(t, "GET", path, nil).expect(t, 200)))
	}
	acts := []struct {
		method, path string
		body         any
	}{
		{"PATCH", own, map[string]any{"email": "mine@example.com"}},
		{"PATCH", colleague, map[string]any{"email": "taken-over@example.com"}},
		{"PATCH", colleague, map[string]any{"username": "renamed"}},
		{"PATCH", junior, map[string]any{"roles": []string{"ADMIN"}}},
		{"POST", colleague + "/password", map[string]any{"password": "eleven quiet mountains"}},
		{"POST", colleague + "/auto-reset-password", nil},
		{"POST", program + "/keys", map[string]any{"description": "x"}},
		{"PATCH", "/api/settings", map[string]any{"passwordMinLength": 8}},
	}
	for _, a := range acts {
		send(a.method, a.path, a.body).expectProblem(t, 403, "proofNeeded")
	}
	send("PATCH", junior, map[string]any{"name": "No proof for a name"}).expect(t, 200)
	admin.do(t, "POST", "/api/me/proof", map[string]any{"password": "wrong"}).expectProblem(t, 422, "invalid", "password")
	admin.do(t, "POST", "/api/me/proof", map[string]any{}).expectProblem(t, 422, "invalid", "password")
	send("PATCH", own, map[string]any{"email": "mine@example.com"}).expectProblem(t, 403, "proofNeeded")
	admin.do(t, "POST", "/api/me/proof", map[string]any{"password": adminPassword}).expect(t, 200)
	for _, a := range acts {
		if got := send(a.method, a.path, a.body); got.Status/100 != 2 {
			t.Errorf("%s %s after a proof: %d %s", a.method, a.path, got.Status, got.Body)
		}
	}
	if after := admin.do(t, "GET", "/api/me", nil).text(t, "sessionId"); after != me.text(t, "sessionId") {
		t.Errorf("session %s, was %s", after, me.text(t, "sessionId"))
	}
}
