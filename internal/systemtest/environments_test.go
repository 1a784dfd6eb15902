package systemtest_test

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/apikey"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/attempts"
	"useraccounts/internal/dynamo/sessions"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/local/localtest"
	"useraccounts/internal/password"
	"useraccounts/internal/phone"
	"useraccounts/internal/reference"
	"useraccounts/internal/resource"
	"useraccounts/internal/sets"
	"useraccounts/internal/setup"
	"useraccounts/internal/signin"
	"useraccounts/internal/sso"
	"useraccounts/internal/token"
	"useraccounts/internal/transfer"
)

// otherEnvironment is another environment in the same table, with one of each thing that has an id or a code.
type otherEnvironment struct {
	// bearers are a session of its administrator and a key of its API client.
	bearers map[string]string
	account string
	// ids are what the parameters of paths are called there, codes what its reference data and resources are.
	ids  map[string]string
	code string
	// stillSignedIn says whether the session there is still open.
	stillSignedIn func() error
}

const otherEnvironmentID = "elsewhere"

// createOtherEnvironment makes the other environment in the system's table.
func createOtherEnvironment(t *testing.T, system *localtest.RunningSystem) otherEnvironment {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%v %+v", err, cmp.Or(fault.As(err), &fault.Error{}).Fields)
		}
	}
	table := &dynamo.Table{Client: localtest.Services(t).DynamoDBClient(), Name: system.TableName}
	environments, store := dynamo.NewEnvironments(table), dynamo.Accounts{Table: table}
	accounts := &account.Service{
		Rules: account.Rules{E164: phone.E164}, Store: store, Deleter: store, Seats: store,
		Passwords: password.Argon2id{}, Generator: password.Argon2id{}, Now: time.Now, NewID: token.NewIDString,
	}
	s := setup.Setup{Environments: environments, Upgrades: dynamo.Upgrades{Table: table}, Accounts: accounts}
	_, err := s.CreateEnvironment(t.Context(), otherEnvironmentID, true)
	must(err)
	_, err = s.CreateAdministrator(t.Context(), otherEnvironmentID, setup.TryOutAdministrator("seven green bicycles"))
	must(err)
	sc := access.Scope{Caller: access.Caller{
		Username: "admin", Permissions: access.Set{}, AuthenticatedAt: time.Now(),
	}}
	for p := range access.All() {
		sc.Caller.Permissions[p] = struct{}{}
	}
	sc.Env, err = environments.Environment(t.Context(), otherEnvironmentID)
	must(err)
	sc.Catalogue, err = environments.Catalogue(t.Context(), sc.Env)
	must(err)
	all, _, err := store.Page(t.Context(), sc.Env, "", 1)
	must(err)
	sc.Caller.AccountID, sc.Caller.Epoch = all[0].ID, all[0].Epoch

	authenticator := &signin.TokenAuthenticator{
		EnvID:       otherEnvironmentID,
		Credentials: sessions.NewCredentials(table),
		Now:         time.Now,
	}
	signIns := signin.PasswordService{
		Steps: &signin.Steps{
			Attempts: &signin.Attempts{
				TokenAuthenticator: authenticator,
				Accounts:           attempts.Store{Table: table},
				NewID:              token.NewID,
				Sleep:              signin.Sleep,
			},
			Sessions: sessions.Store{Table: table},
			Random:   rand.Reader,
		},
		Passwords: account.PasswordSetter{Passwords: password.Argon2id{}, Verifier: password.Argon2id{}},
	}
	person, err := accounts.Create(t.Context(), sc,
		field.Patch{"username": "other", "name": "Other", "email": "other@example.org", "userType": "FULL",
			"roles": []string{"ADMIN"}})
	must(err)
	_, err = accounts.SetPassword(t.Context(), sc, person.ID, 0,
		account.NewPasswordRequest{Password: "seven green bicycles", Unlock: true})
	must(err)
	opened, err := signIns.Login(t.Context(), "other", "seven green bicycles", signin.ClientInfo{})
	must(err)
	client, err := accounts.Create(t.Context(), sc,
		field.Patch{"username": "program", "name": "Program", "userType": "API", "roles": []string{"ADMIN"}})
	must(err)
	_, err = accounts.Allow(t.Context(), sc, client.ID, 0)
	must(err)
	keys := apikey.Service{Store: dynamo.APIKeys{Table: table}, Accounts: accounts, Now: time.Now, NewID: token.NewID,
		Random: rand.Reader}
	key, secret, err := keys.Create(t.Context(), sc, client.ID, apikey.CreateParams{Description: "x", ValidDays: 9})
	must(err)
	delegations := dynamo.Delegations{Table: table}
	delegation, err := (&account.Delegations{
		Editor: account.Editor{Accounts: accounts, Now: time.Now, NewID: token.NewIDString}, Store: delegations,
		Resources: delegations,
	}).Add(t.Context(), sc, person.ID, account.TargetResourceGroup, "STAFF", true)
	must(err)
	made, err := (&resource.Service{Store: dynamo.Resources{Table: table}, Now: time.Now, NewID: token.NewIDString}).
		Create(t.Context(), sc, field.Patch{"code": "ELSEWHERE", "description": "Elsewhere", "resourceGroup": "STAFF"})
	must(err)
	entries := &reference.Service{Store: dynamo.NewReference(table), Now: time.Now, NewID: token.NewIDString}
	for _, kind := range []catalogue.Kind{catalogue.Role, catalogue.Group, catalogue.Department, catalogue.Licence} {
		_, err := entries.Create(t.Context(), sc, kind, field.Patch{"code": made.Code})
		must(err)
	}
	name := "Elsewhere"
	columns, grid, shared := []sets.Column{{Field: "username"}}, "accounts", true
	set, err := (&sets.Service{Store: dynamo.Sets{Table: table}, Now: time.Now, NewID: token.NewIDString}).
		Create(t.Context(), sc, sets.Patch{Name: &name, Grid: &grid, Columns: &columns, Shared: &shared})
	must(err)
	provider, err := (&sso.Providers{Store: dynamo.NewSSO(table), Now: time.Now, NewID: token.NewIDString}).
		Create(t.Context(), sc,
			sso.Draft{Patch: field.Patch{"name": "Elsewhere", "kind": "google", "clientId": "x", "enabled": true}})
	must(err)
	job := transfer.Job{ID: token.NewIDString(), Env: otherEnvironmentID, Kind: transfer.Export, State: transfer.Done,
		By: "other", ByID: person.ID, Created: time.Now(), Files: 1, HasReport: true}
	must(dynamo.Jobs{Table: table}.Create(t.Context(), job))
	return otherEnvironment{
		stillSignedIn: func() error {
			_, err := signIns.Authenticate(t.Context(), opened.Access.Reveal())
			return err
		},
		bearers: map[string]string{"session": opened.Access.Reveal(), "key": secret.Reveal()}, account: person.ID,
		code: made.Code,
		ids: map[string]string{
			"accounts": person.ID, "jobs": job.ID, "imports": job.ID, "sets": set.ID,
			"sessionId": opened.Session.ID, "keyId": key.ID, "delegationId": delegation.ID, "code": made.Code,
			"sso-providers": provider.ID, "sso": provider.ID, "providerId": provider.ID,
			"credentialId": token.NewIDString(), // credentials hang on an application; this one is nobody's
			"fileId":       token.NewIDString(), // files of links hang on who posted them; this one is nobody's
			"passkeyId":    token.NewIDString(), // so do passkeys
			"deviceId":     token.NewIDString(), // devices hang on an account, as sessions do; this one is nobody's here
		},
	}
}

// foreignParameters returns the parameters of a path with one of them another environment's, for each that names
// something, by its name. A path whose parameter is not known here fails the test: a new one has to say what of
// elsewhere it could name.
func (e otherEnvironment) foreignParameters(t *testing.T,
	event events.APIGatewayV2HTTPRequest) map[string]map[string]string {
	t.Helper()
	out := map[string]map[string]string{}
	for name := range event.PathParameters {
		of := name
		switch name {
		case "kind", "provider", "method", "proxy", "page": // a word of ours, nobody's thing
			continue
		case "id":
			of = strings.Split(event.RawPath, "/")[2]
		}
		id, known := e.ids[of]
		if !known {
			t.Errorf("%s: say what {%s} is in another environment", event.RouteKey, name)
			continue
		}
		changed := maps.Clone(event.PathParameters)
		changed[name] = id
		out[name] = changed
	}
	return out
}

// V58, V57: whatever is another environment's, in the same table, is not there: each id of each route, one by one,
// answers 404, whoever asks; and nobody of there is let in here, by a session or a key.
func TestAnotherEnvironmentIsNotThere(t *testing.T) {
	t.Parallel()
	system, admin, values := startSamples(t)
	there := createOtherEnvironment(t, system)
	template := localtest.Template(t)
	tried := 0
	for _, file := range sampleFiles(t) {
		var event events.APIGatewayV2HTTPRequest
		if filepath.Base(file) == "logout.json" || json.Unmarshal(fillSample(t, file, values), &event) != nil ||
			event.RouteKey == "" {
			continue
		}
		function := system.Function(functionOf(template, event.RouteKey))
		send := func(e events.APIGatewayV2HTTPRequest) events.APIGatewayV2HTTPResponse {
			t.Helper()
			raw, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			out, err := function.Invoke(t.Context(), raw)
			var got events.APIGatewayV2HTTPResponse
			if err != nil || json.Unmarshal(out, &got) != nil {
				t.Fatalf("%s: %s, %v", e.RouteKey, out, err)
			}
			return got
		}
		for name, changed := range there.foreignParameters(t, event) {
			e := event
			e.PathParameters = changed
			e.RawPath = strings.Replace(event.RawPath, event.PathParameters[name], changed[name], 1)
			tried++
			want := 404
			if name == "sessionId" || name == "providerId" &&
				(event.RouteKey[:6] == "DELETE" || strings.HasSuffix(event.RawPath, "/remove")) {
				want = 204 // ending what is over, or never was, is done already; nothing there is touched by it
			}
			if got := send(e); got.StatusCode != want {
				t.Errorf("%s with another environment's %s: %d %s", event.RouteKey, name, got.StatusCode, got.Body)
			}
		}
		_, signedIn := event.Headers["authorization"]
		if !signedIn {
			continue
		}
		for who, bearer := range there.bearers {
			e := event
			e.Headers = maps.Clone(event.Headers)
			e.Headers["authorization"] = "Bearer " + bearer
			if got := send(e); got.StatusCode != 401 {
				t.Errorf("%s by another environment's %s: %d %s", event.RouteKey, who, got.StatusCode, got.Body)
			}
		}
	}
	if err := there.stillSignedIn(); err != nil {
		t.Errorf("another environment's session was closed from here: %v", err)
	}
	if tried < 40 {
		t.Errorf("only %d ids were tried", tried)
	}
	// Ids in bodies.
	mine := values["accountId"]
	admin.do(t, "POST", "/api/accounts/"+mine+"/copy-from",
		map[string]any{"from": there.account, "preview": true}).expectProblem(t, 422, "invalid", "from")
	bulk := admin.do(t, "POST", "/api/accounts/bulk",
		map[string]any{"action": "lock", "ids": []string{there.account}}).expect(t, 200).members(t)
	if items := bulk["items"].([]any); bulk["problems"] != float64(1) || items[0].(map[string]any)["code"] != "notFound" {
		t.Errorf("%v", bulk)
	}
	for _, query := range []string{"/api/accounts?active=any&limit=200", "/api/resources?limit=200",
		"/api/sets?grid=accounts", "/api/jobs?limit=100", "/api/settings/log?limit=200", "/api/access/roles"} {
		if got := admin.do(t, "GET", query, nil).expect(t,
			200); slices.ContainsFunc([]string{there.account, there.code, there.ids["jobs"], there.ids["sets"]},
			func(of string) bool { return strings.Contains(got.Body, fmt.Sprintf("%q", of)) }) {
			t.Errorf("%s lists another environment's: %s", query, got.Body)
		}
	}
}
