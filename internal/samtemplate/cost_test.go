package samtemplate

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What a stack costs while nobody uses it stands in cost.md and is reckoned here from the template, in US dollars a
// month at the prices of us-east-1 and without free tiers: a resource that is paid by its being there is not added
// unseen.
func TestIdleCostsAreThoseOfThePage(t *testing.T) {
	root := filepath.Join("..", "..")
	source, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := parseYAML(source)
	if err != nil {
		t.Fatal(err)
	}
	entries, _, err := node{raw: raw}.child("Resources").entries()
	if err != nil {
		t.Fatal(err)
	}
	alarms, keys, queues := 0, 0, 0
	for _, entry := range entries {
		properties := entry.child("Properties")
		switch kind, _ := entry.child("Type").text(); kind {
		case "AWS::CloudWatch::Alarm": // each metric that it looks at is paid
			metrics, err := properties.child("Metrics").items()
			if err != nil {
				t.Fatal(err)
			}
			looked := 0
			for _, m := range metrics {
				if m.child("MetricStat").exists() {
					looked++
				}
			}
			alarms += max(looked, 1)
		case "AWS::KMS::Key":
			keys++
		case "AWS::Serverless::Function":
			events, _, err := properties.child("Events").entries()
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range events {
				if kind, _ := e.child("Type").text(); kind == "SQS" {
					queues++
				}
			}
		}
	}
	const clock = 0.03 // 43,200 runs of the mailer and a tenth of a second of each
	polls := 0.33 * float64(queues)
	total := 1*float64(keys) + 0.10*float64(alarms) + polls + clock
	page, err := os.ReadFile(filepath.Join(root, "internal", "docs", "cost.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		fmt.Sprintf("| alarms on %d metrics | %.2f |", alarms, 0.10*float64(alarms)),
		fmt.Sprintf("| together | %.2f |", total),
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("internal/docs/cost.md does not say %q", want)
		}
	}
	if total > 5 {
		t.Errorf("a stack costs %.2f a month while nobody uses it", total)
	}
}
