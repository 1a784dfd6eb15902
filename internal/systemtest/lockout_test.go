package systemtest_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/field"
)

// secretMembers are the members of bodies by which somebody proves who they are.
var secretMembers = []string{"password", "current", "code", "credential", "key", "token", "refreshToken", "ticket",
	"device", "state", "browser", "directory"}

// otherSecretRoutes are the routes with such a member that no wrong password is tried on here, and what holds guesses
// at them.
var otherSecretRoutes = map[string]string{
	"POST /api/login":          "tried here, by itself",
	"POST /api/login/password": "a ticket of 256 bits; the password is a new one",
	"POST /api/login/second-factor": "codes pause after five wrong ones: TestTheSecondFactor, " +
		"TestTriesAreCountedBeforeCodesAreLookedAt, TestACodeByMail",
	"POST /api/login/second-factor/set-up":  "a ticket of 256 bits",
	"POST /api/login/second-factor/confirm": "a ticket of 256 bits; the code is of a seed that was just shown",
	"POST /api/login/second-factor/passkey": "a ticket of 256 bits",
	"POST /api/login/second-factor/mail":    "a ticket of 256 bits",
	"POST /api/login/passkey":               "a signature over a challenge that is good once",
	"POST /api/login/refresh":               "a token of 512 bits",
	"POST /api/applications":                "the code of an application is no secret",
	"POST /api/login/key":                   "a key of 256 bits: wrong ones lock nothing, TestAPIKeys",
	"POST /api/password/set":                "a token of 256 bits; the password is a new one",
	"POST /api/password/check":              "judges a password that is to be set, of nobody",
	"POST /api/accounts/{id}/password":      "a new password",
	"POST /api/me/mfa/totp/confirm":         "a code of a seed that was just shown",
	"POST /api/me/mfa/passkeys/confirm":     "a signature over a challenge that is good once",
	"POST /api/sso/return":                  "a state of 256 bits, good once",
	"POST /api/me/links/return":             "a state of 256 bits, good once",
	"POST /api/sso/directory/return":        "a state of 256 bits, good once",
	"POST /api/sso/directory/people":        "sealed, for one session",
	"POST /api/access/{kind}":               "the code of a role or group",
	"POST /api/reference/{kind}":            "the code of a department or the like",
	"POST /api/resources":                   "the code of a resource",
	"POST /api/accounts/{id}/resource":      "the code of a resource",
}

// routesTakingSecrets returns the routes of the reference whose body has one of the members, with their members.
func routesTakingSecrets(t *testing.T, c *client) map[string][]string {
	t.Helper()
	document := c.do(t, "GET", "/api/openapi.json", nil).expect(t, 200).members(t)
	var resolve func(v any) map[string]any
	resolve = func(v any) map[string]any {
		m, _ := v.(map[string]any)
		if at, ok := m["$ref"].(string); ok {
			var found any = document
			for part := range strings.SplitSeq(strings.TrimPrefix(at, "#/"), "/") {
				found = found.(map[string]any)[part]
			}
			return resolve(found)
		}
		return m
	}
	out := map[string][]string{}
	for path, operations := range resolve(document["paths"]) {
		for method, operation := range resolve(operations) {
			content := resolve(resolve(resolve(operation)["requestBody"])["content"])
			for name := range resolve(resolve(resolve(content["application/json"])["schema"])["properties"]) {
				if slices.Contains(secretMembers, name) {
					key := strings.ToUpper(method) + " " + path
					out[key] = append(out[key], name)
				}
			}
		}
	}
	return out
}

// C06, C04, V07: every route that verifies a password counts the wrong ones, on the account, whatever the route is for:
// after five the account is blocked and the right password opens nothing. Which those are is read from the reference,
// so a new one is tried here or says what holds guesses at it. C15, V35: without the password each of them wants a
// sign-in that is not older than five minutes, an administrator's as well.
func TestEveryRouteThatVerifiesAPasswordLocks(t *testing.T) {
	t.Parallel()
	s := startSSO(t)
	routes := routesTakingSecrets(t, s.admin)
	target := s.admin.createUser(t, "target", userPassword, nil).text(t, "id")
	fill := strings.NewReplacer("{providerId}", s.oidcID, "{id}", target, "{deviceId}", "01JZ0000000000000000000001",
		"{passkeyId}", "01JZ0000000000000000000001", "{code}", "payroll")
	s.admin.do(t, "POST", "/api/applications", map[string]any{"code": "payroll", "type": "service"}).expect(t, 201)
	tried := 0
	for i, key := range slices.Sorted(maps.Keys(routes)) {
		if otherSecretRoutes[key] != "" {
			continue
		}
		member := "password"
		if slices.Contains(routes[key], "current") {
			member = "current"
		} else if !slices.Contains(routes[key], "password") {
			t.Errorf("%s takes %v: nothing says what holds guesses at it", key, routes[key])
			continue
		}
		tried++
		who := fmt.Sprintf("guessed%d", i)
		id := s.admin.createUser(t, who, userPassword, map[string]any{"roles": []string{"ADMIN"}}).text(t, "id")
		own := s.admin.signedInAs(t, who, userPassword)
		own.from = elsewhere // where the account's own count holds
		method, path, _ := strings.Cut(key, " ")
		s.ageSession(t, id, own, 5*time.Minute+time.Second)
		if got := own.do(t, method, fill.Replace(path), map[string]any{}); key == "POST /api/me/proof" {
			got.expectProblem(t, 422, "invalid", "password") // it is the proof itself
		} else if member == "password" {
			got.expectProblem(t, 403, "proofNeeded")
		}
		for n := range 5 {
			body := map[string]any{member: fmt.Sprintf("wrong %d", n)}
			if member == "current" {
				body["password"] = "eleven quiet mountains"
			}
			if got := own.do(t, method, fill.Replace(path), body); got.Status != 422 && (n < 4 || got.Status != 401) {
				t.Errorf("%s, wrong password %d: %d %s", key, n+1, got.Status, got.Body)
			}
		}
		s.admin.attemptSignIns(t, who, userPassword, 1).expectProblem(t, 401, "signInRefused")
		if is := s.admin.do(t, "GET", "/api/accounts/"+id, nil).expect(t, 200).members(t); is["failedTries"] != 5.0 &&
			is["accessLocked"] != true {
			t.Errorf("%s: %v", key, is["failedTries"])
		}
	}
	if tried < 10 {
		t.Errorf("only %d routes were tried", tried)
	}
	for key := range otherSecretRoutes {
		if routes[key] == nil {
			t.Errorf("%s is excused, and takes no secret", key)
		}
	}
	s.admin.createUser(t, "guessed", userPassword, nil)
	for range 5 {
		s.admin.attemptSignIns(t, "guessed", "wrong", 1).expectProblem(t, 401, "signInRefused")
	}
	s.admin.attemptSignIns(t, "guessed@example.com", userPassword, 1).expectProblem(t, 401, "signInRefused")
}

// ageSession makes a session as old as if so much time had passed.
func (s *ssoSystem) ageSession(t *testing.T, accountID string, c *client, by time.Duration) {
	t.Helper()
	key := map[string]types.AttributeValue{
		"PK": &types.AttributeValueMemberS{Value: "U#" + accountID},
		"SK": &types.AttributeValueMemberS{Value: "S#" + c.do(t, "GET", "/api/me", nil).expect(t, 200).text(t, "sessionId")},
	}
	name, condition := "SET #start = :start", "attribute_exists(PK)"
	_, err := s.system.Endpoints.DynamoDBClient().UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: &s.system.TableName, Key: key, UpdateExpression: &name, ConditionExpression: &condition,
		ExpressionAttributeNames: map[string]string{"#start": "start"},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":start": &types.AttributeValueMemberS{Value: field.FormatInstant(time.Now().Add(-by))}},
	})
	if err != nil {
		t.Fatal(err)
	}
}
