package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"useraccounts/internal/local/services"
)

// standIn is a project with this template and samconfig.toml, and a SAM CLI that notes its arguments and answers with
// outputs.
func standIn(t *testing.T, outputs string) (d deployment, said *bytes.Buffer, calls func() []string) {
	t.Helper()
	root, err := services.Root()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for _, name := range []string{"template.yaml", "samconfig.toml"} {
		content, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	script := "#!/bin/sh\necho \"$*\" >>calls\nif [ \"$1\" = list ]; then cat <<'END'\n" + outputs + "\nEND\nfi\n"
	sam := filepath.Join(folder, "sam")
	if err := os.WriteFile(sam, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	said = &bytes.Buffer{}
	return deployment{root: folder, sam: sam, out: said}, said, func() []string {
		noted, err := os.ReadFile(filepath.Join(folder, "calls"))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSpace(string(noted)), "\n")
	}
}

const freshStack = `[{"OutputKey":"ApiUrl","OutputValue":"https://abc.execute-api.eu-central-1.amazonaws.com"},
 {"OutputKey":"PublicUrl","OutputValue":"https://not-set.invalid"},{"OutputKey":"TableName","OutputValue":"the-table"}]`

// Parameters given beside those of samconfig.toml drop none of them, and a first deployment ends with the stack's own
// address set.
func TestFirstDeploymentEndsWithItsAddress(t *testing.T) {
	d, said, calls := standIn(t, freshStack)
	if err := d.run("dev", "MailSender=no-reply@example.com", []string{"--disable-rollback"}); err != nil {
		t.Fatal(err)
	}
	const common = "deploy --config-env dev --parameter-overrides EnvironmentId=main LogRetentionDays=7 " +
		"MailSender=no-reply@example.com"
	want := []string{
		common + " --disable-rollback",
		"list stack-outputs --output json --stack-name useraccounts-dev --region eu-central-1",
		common + " PublicUrl=https://abc.execute-api.eu-central-1.amazonaws.com --disable-rollback" +
			" --no-confirm-changeset",
	}
	if got := calls(); !slices.Equal(got, want) {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
	for _, text := range []string{
		"People sign in at https://abc.execute-api.eu-central-1.amazonaws.com.",
		"make seed TABLE_NAME=the-table ENVIRONMENT_ID=main ADMIN_USERNAME=... ADMIN_EMAIL=...",
	} {
		if !strings.Contains(said.String(), text) {
			t.Errorf("it does not say %q: %s", text, said)
		}
	}
}

// A change set to look at first is no deployment yet, and a first one has no stack to ask.
func TestChangeSetAloneAsksNoStack(t *testing.T) {
	d, _, calls := standIn(t, "there is no such stack")
	if err := d.run("dev", "MailSender=no-reply@example.com", []string{"--no-execute-changeset"}); err != nil {
		t.Fatal(err)
	}
	if got := calls(); len(got) != 1 {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
}

// A stack that has its address is deployed once, and what is given counts before what samconfig.toml has.
func TestLaterDeploymentKeepsTheAddress(t *testing.T) {
	d, _, calls := standIn(t, strings.ReplaceAll(freshStack, "not-set.invalid", "accounts.example.com"))
	if err := d.run("prod", "MailSender=no-reply@example.com LogRetentionDays=731", nil); err != nil {
		t.Fatal(err)
	}
	if got := calls(); len(got) != 2 || got[0] != "deploy --config-env prod --parameter-overrides EnvironmentId=main "+
		"LogRetentionDays=731 MailSender=no-reply@example.com ThrottlingBurst=2000 ThrottlingRate=1000" {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
}

// What is wrong or missing is said before anything is created, all of it at once.
func TestWrongParametersCreateNothing(t *testing.T) {
	for given, wants := range map[string][]string{
		"": {"MailSender is missing", `PARAMETERS="MailSender=..."`},
		"MailSender=somebody PublicUrl=a.example.com/x":   {"MailSender=somebody: want", "PublicUrl=a.example.com/x: want"},
		"MailSender=a@example.com EnvironmentId=second#x": {"EnvironmentId=second#x: want"},
		"MailSender=a@example.com LogRetentionDays=8":     {"LogRetentionDays=8: want one of 1, 3, 5, 7"},
		"MailSender=a@example.com ThrottlingRate=0":       {"ThrottlingRate=0: want 1 or more"},
		"MailSender=a@example.com ThrottlingRate=many":    {"ThrottlingRate=many: want a whole number"},
		"MailSender=a@example.com Mail=b":                 {"Mail=b: want Name=value with a parameter of template.yaml"},
		"MailSender=a@example.com PublicUrl":              {"PublicUrl: want Name=value"},
	} {
		d, _, calls := standIn(t, freshStack)
		err := d.run("dev", given, nil)
		if err == nil {
			t.Errorf("%q is taken", given)
			continue
		}
		for _, want := range wants {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v; want %q", given, err, want)
			}
		}
		if got := calls(); got[0] != "" {
			t.Errorf("%q: sam was called: %v", given, got)
		}
	}
	d, _, _ := standIn(t, freshStack)
	if err := d.run("stage", "", nil); err == nil || !strings.Contains(err.Error(), "ENV=stage: samconfig.toml has the "+
		"environments dev, prod; make deploy ENV=dev") {
		t.Error(err)
	}
}
