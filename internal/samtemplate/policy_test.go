package samtemplate

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// V87: TestRolesAreNarrow holds the permissions of every role to named actions on resources of this template.
func TestRolesAreNarrow(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("..", "..", "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := parseYAML(source)
	if err != nil {
		t.Fatal(err)
	}
	resources, ids, err := node{raw: raw}.child("Resources").entries()
	if err != nil {
		t.Fatal(err)
	}
	users := map[string][]string{}
	for i, resource := range resources {
		properties := resource.child("Properties")
		switch kind, _ := resource.child("Type").text(); kind {
		case "AWS::Serverless::Function":
			if properties.child("Policies").exists() {
				t.Errorf("%s: SAM's own role allows logging to every group", properties.path)
			}
			role, err := properties.child("Role").value()
			if err != nil {
				t.Fatal(err)
			}
			name, ok := role.RefersTo()
			if !ok {
				t.Errorf("%s names no role of this template", properties.path)
			}
			users[name] = append(users[name], ids[i])
		case "AWS::IAM::Role":
			if properties.child("ManagedPolicyArns").exists() {
				t.Errorf("%s: a managed policy names no resources of ours", properties.path)
			}
			narrow(t, properties)
		}
	}
	for role, functions := range users {
		if len(functions) != 1 {
			t.Errorf("%s is shared by %v", role, functions)
		}
	}
}

func narrow(t *testing.T, role node) {
	t.Helper()
	policies, err := role.child("Policies").items()
	if err != nil || len(policies) == 0 {
		t.Fatalf("%s: %v", role.path, err)
	}
	for _, policy := range policies {
		statements, err := policy.child("PolicyDocument").child("Statement").items()
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range statements {
			for _, action := range oneOrMore(t, statement.child("Action")) {
				text, err := action.text()
				if service, name,
					ok := strings.Cut(text, ":"); err != nil || !ok || service == "" || name == "" || strings.Contains(text, "*") {
					t.Errorf("%s allows %q, %v", action.path, text, err)
				}
			}
			for _, resource := range oneOrMore(t, statement.child("Resource")) {
				v, err := resource.value()
				if err != nil {
					t.Fatal(err)
				}
				// An identity of SES is not of this template; the address that it may send from is.
				mails := strings.Contains(fmt.Sprint(v.parts), ":ses:") &&
					statement.child("Condition").child("StringEquals").child("ses:FromAddress").exists()
				if !mails && !strings.Contains(fmt.Sprint(v.parts), "Arn") {
					t.Errorf("%s names no resource of this template", resource.path)
				}
			}
		}
	}
}

func oneOrMore(t *testing.T, n node) []node {
	t.Helper()
	if _, several := n.raw.([]any); !several {
		return []node{n}
	}
	items, err := n.items()
	if err != nil {
		t.Fatal(err)
	}
	return items
}

// V87: a role allows what it names, on what it names. Each mutant, an action taken away or a foreign resource, is
// refused, so that make iam can find what a role leaves out.
func TestARoleRefusesWhatItDoesNotName(t *testing.T) {
	template, err := Load(filepath.Join("..", "..", "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	f, _ := template.Function("transferworker")
	values := Values{Attributes: map[string]string{
		"Table.Arn": "arn:aws:dynamodb:x:1:table/t", "Files.Arn": "arn:aws:s3:::files", "TransferQueue.Arn": "arn:q",
		"TransferDeadLetters.Arn": "arn:d",
	}}
	allows := func(action, arn string) bool {
		t.Helper()
		allowed, err := template.Allows(f, values, action, arn)
		if err != nil {
			t.Fatal(err)
		}
		return allowed
	}
	for arn, want := range map[string]bool{
		"arn:aws:s3:::files/reports/a": true, "arn:aws:s3:::files/imports/a": false, "arn:aws:s3:::others/reports/a": false,
		"arn:aws:s3:::files": false, "arn:aws:s3:::files/sso/reports/a": false,
	} {
		if allows("s3:PutObject", arn) != want {
			t.Errorf("PutObject on %s: %t", arn, !want)
		}
	}
	role, _ := f.Role.RefersTo()
	for i, statement := range template.Roles[role] {
		for j, action := range statement.Actions {
			if !strings.HasPrefix(action, "dynamodb:") {
				continue
			}
			if !allows(action, "arn:aws:dynamodb:x:1:table/t") || allows(action, "arn:aws:dynamodb:x:1:table/other") {
				t.Errorf("%s is allowed elsewhere or not here", action)
			}
			statement.Actions[j] = "dynamodb:None"
			if allows(action, "arn:aws:dynamodb:x:1:table/t") {
				t.Errorf("%s is allowed without statement %d", action, i)
			}
			statement.Actions[j] = action
		}
	}
}
