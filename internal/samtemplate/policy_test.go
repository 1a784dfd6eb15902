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
