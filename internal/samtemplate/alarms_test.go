package samtemplate

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Whoever is woken by an alarm reads in its text which page of the runbook to open, and is told when it is over.
func TestEveryAlarmNamesItsPageAndTellsItsEnd(t *testing.T) {
	root := filepath.Join("..", "..")
	source, err := os.ReadFile(filepath.Join(root, "template.yaml"))
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
	page := regexp.MustCompile(`See (internal/docs/runbook/[a-z-]+\.md)\.$`)
	alarms := 0
	for i, r := range resources {
		if kind, _ := r.child("Type").text(); kind != "AWS::CloudWatch::Alarm" {
			continue
		}
		alarms++
		text, err := r.child("Properties").child("AlarmDescription").required()
		named := page.FindStringSubmatch(strings.TrimSpace(text))
		if err != nil || named == nil {
			t.Errorf("%s says %q and names no page of the runbook", ids[i], text)
			continue
		}
		content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(named[1])))
		if err != nil {
			t.Errorf("%s: %v", ids[i], err)
		}
		if !strings.Contains(string(content), ids[i]) {
			t.Errorf("%s does not say what to do about %s", named[1], ids[i])
		}
		for _, actions := range []string{"AlarmActions", "OKActions"} {
			if list, err := r.child("Properties").child(actions).items(); err != nil || len(list) != 1 {
				t.Errorf("%s has no %s: %v %v", ids[i], actions, fmt.Sprint(list), err)
			}
		}
	}
	if alarms < 10 {
		t.Errorf("only %d alarms", alarms)
	}
}
