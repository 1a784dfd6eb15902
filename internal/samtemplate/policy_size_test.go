package samtemplate

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"testing"
)

// A function's resource policy may have 20 kB, and SAM puts a statement into it for each route. A deployment that goes
// beyond fails halfway, so a function that comes near has to hand routes to another one first. Reckoned with the names
// that samconfig.toml gives, the longest region and SAM's own names of permissions.
func TestResourcePoliciesStayFarBelowTheLimit(t *testing.T) {
	template, err := Load(filepath.Join("..", "..", "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	const (
		limit, share = 20_480, 0.8
		stack        = "useraccounts-production"
		place        = "ap-southeast-1:123456789012:"
		suffix       = "-ABCDEFGHIJKL" // of CloudFormation
	)
	parameter := regexp.MustCompile(`\{[^}]*\}`)
	for _, f := range template.Functions {
		var statements []any
		for _, r := range f.Routes {
			method, path := r.Method, parameter.ReplaceAllString(r.Path, "*")
			if method == "" || method == "ANY" {
				method = "*"
			}
			statements = append(statements, map[string]any{
				"Sid": stack + "-" + f.LogicalID + r.LogicalID + "Permission" + suffix, "Effect": "Allow",
				"Principal": map[string]string{"Service": "apigateway.amazonaws.com"}, "Action": "lambda:InvokeFunction",
				"Resource": "arn:aws:lambda:" + place + "function:" + stack + "-" + f.LogicalID + suffix,
				"Condition": map[string]any{"ArnLike": map[string]string{
					"AWS:SourceArn": "arn:aws:execute-api:" + place + "abcdefghij/*/" + method + path,
				}},
			})
		}
		policy, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Id": "default", "Statement": statements})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d routes, %d bytes, %d %%", f.Name, len(f.Routes), len(policy), 100*len(policy)/limit)
		if float64(len(policy)) > share*limit {
			t.Errorf("%s has %d routes, whose policy of %d bytes is over %.0f %% of %d: give some to another function",
				f.Name, len(f.Routes), len(policy), 100*share, limit)
		}
	}
}
