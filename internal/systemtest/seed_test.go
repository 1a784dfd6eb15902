package systemtest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"useraccounts/internal/local/localtest"
)

// seedRun runs the command with what is typed, arguments and variables, and returns what it says.
type seedRun func(input string, arguments []string, variables ...string) string

// seedCommand is the command of make seed and make recover-admin against the table of a system.
func seedCommand(t *testing.T, system *localtest.RunningSystem) seedRun {
	t.Helper()
	program := filepath.Join(t.TempDir(), "seed")
	if out, err := exec.Command("go", "build", "-o", program, "../local/seed").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return func(input string, arguments []string, variables ...string) string {
		t.Helper()
		run := exec.Command(program, arguments...)
		run.Stdin = strings.NewReader(input)
		run.Env = append(os.Environ(), append([]string{
			"TABLE_NAME=" + system.TableName, "AWS_ENDPOINT_URL_DYNAMODB=" + localtest.Services(t).DynamoDB,
			"AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=x", "AWS_SESSION_TOKEN=",
		}, variables...)...)
		out, err := run.CombinedOutput()
		if err != nil {
			return "failed: " + string(out)
		}
		return string(out)
	}
}

// A first administrator is who the operator says, with a password by the product's rules. An administrator whom
// everything keeps out is let in again.
func TestSeedAndRecoverAdministrator(t *testing.T) {
	t.Parallel()
	system, admin := start(t)
	seed := seedCommand(t, system)
	who := []string{"ENVIRONMENT_ID=" + system.EnvironmentID, "ADMIN_USERNAME=operator", "ADMIN_EMAIL=op@example.com"}
	for input, want := range map[string]string{
		"":            "no password: give ADMIN_PASSWORD",
		"short\n":     "password: ",
		"operator1\n": "password: ",
	} {
		if got := seed(input, nil, who...); !strings.HasPrefix(got, "failed: ") || !strings.Contains(got, want) {
			t.Errorf("password %q: %s; want %q", input, got, want)
		}
	}
	if got := seed("seven green bicycles\n", nil, who[:2]...); !strings.Contains(got, "ADMIN_EMAIL is missing") {
		t.Error(got)
	}
	const made = "administrator operator: made\n"
	if got := seed("seven green bicycles\n", nil, who...); !strings.HasSuffix(got, made) {
		t.Fatal(got)
	}
	if got := seed("eleven quiet mountains\n", nil, who...); !strings.Contains(got, "is there already, left as it is") {
		t.Error(got)
	}
	admin.signedInAs(t, "operator", "seven green bicycles")

	fresh := append([]string{"NEW=1", "ENVIRONMENT_ID=fresh"}, who[1:]...)
	if got := seed("seven green bicycles\n", nil, fresh...); !strings.HasSuffix(got, made) {
		t.Fatal(got)
	}
	account := findAccount(t, admin, "operator")
	path := "/api/accounts/" + account["id"].(string)
	current := admin.do(t, "GET", path, nil)
	admin.do(t, "PATCH", path, map[string]any{"dateFrom": "2020-01-01", "dateTo": "2020-01-02",
		"roles": []string{"VIEWER"}}, ifMatch(current)).expect(t, 200)
	admin.do(t, "POST", path+"/block", map[string]any{"reason": "Left"}).expect(t, 200)
	admin.do(t, "POST", path+"/lock", nil).expect(t, 200)

	here, recovers := "ENVIRONMENT_ID="+system.EnvironmentID, []string{"recover"}
	got := seed("a whole new secret\n", recovers, here, "ADMIN_USERNAME=nobody")
	if !strings.Contains(got, "there is no account nobody") {
		t.Error(got)
	}
	got = seed("a whole new secret\n", recovers, here, "ADMIN_USERNAME=operator", "REMOVE_FACTORS=1")
	if !strings.Contains(got, "operator can sign in with the new password") {
		t.Fatal(got)
	}
	again := admin.signedInAs(t, "operator", "a whole new secret")
	again.do(t, "GET", "/api/settings", nil).expect(t, 200) // as only an administrator may
}
