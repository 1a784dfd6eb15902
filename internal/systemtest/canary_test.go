package systemtest_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"useraccounts/internal/local/localtest"
)

// secretAnswers are the members of answers that hand a secret to its owner, besides those of secretMembers.
var secretAnswers = append(
	[]string{"accessToken", "refreshToken", "deviceToken", "secret", "uri", "qrCode", "recoveryCodes"}, secretMembers...)

// canary is a text that is sent wherever a secret is, and looked for everywhere afterwards. It could be a password.
const canary = "canary yellow 4711 xylophone"

// passwordHash is how the hash of a password begins, which is in the table alone.
const passwordHash = "$argon2"

// C50, V60, V82: every secret that goes through the running system, in or out, by the sample of every route, and a
// canary in the place of each, in bodies that are broken, in queries and in headers: none of it is in a log of any
// function or of the runner, in any item of either table, the log of events, the answers kept for repeats and the mails
// that wait among them, or in a file of the bucket, and none that was sent comes back in an answer.
func TestSecretsAreKeptNowhere(t *testing.T) {
	t.Parallel()
	system, admin, words := startSamples(t)
	secrets := map[string]string{"the canary": canary, "the administrator's token": admin.token,
		"the administrator's refresh token": admin.refresh}
	template := localtest.Template(t)
	send := func(event events.APIGatewayV2HTTPRequest) events.APIGatewayV2HTTPResponse {
		t.Helper()
		raw, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		out, err := system.Invoke(t.Context(), functionOf(template, event.RouteKey), raw)
		var got events.APIGatewayV2HTTPResponse
		if err != nil || json.Unmarshal(out, &got) != nil {
			t.Fatalf("%s: %s, %v", event.RouteKey, out, err)
		}
		return got
	}
	var samples []events.APIGatewayV2HTTPRequest
	for _, file := range sampleFiles(t) {
		var event events.APIGatewayV2HTTPRequest
		if filepath.Base(file) != "logout.json" && json.Unmarshal(fillSample(t, file, words), &event) == nil &&
			event.RouteKey != "" {
			samples = append(samples, event)
		}
	}
	damaged := 0
	for _, event := range samples {
		sent := secretsIn(event.RouteKey, event.Body, secretMembers)
		got := send(event)
		if bearer := strings.TrimPrefix(event.Headers["authorization"], "Bearer "); bearer != "" {
			sent["bearer"] = bearer
		}
		for name, text := range sent {
			secrets[event.RouteKey+" takes "+name] = text
			if strings.Contains(got.Body, text) && event.RouteKey != "POST /api/password/check" {
				t.Errorf("%s answers with what was sent as %s: %s", event.RouteKey, name, got.Body)
			}
		}
		if strings.Contains(got.Body, passwordHash) {
			t.Errorf("%s answers with the hash of a password", event.RouteKey)
		}
		for name, text := range secretsIn(event.RouteKey, got.Body, secretAnswers) {
			secrets[event.RouteKey+" gives "+name] = text
		}
		for _, bad := range malformedVariants(event) {
			damaged++
			if got := send(bad); strings.Contains(fmt.Sprint(got.Body, got.Headers, got.MultiValueHeaders, got.Cookies),
				canary) {
				t.Errorf("%s, sent %s %s, answers with it: %d %s", event.RouteKey, bad.Body, bad.RawQueryString, got.StatusCode,
					got.Body)
			}
		}
	}
	if len(secrets) < 60 || damaged < 300 {
		t.Errorf("only %d secrets and %d damaged requests", len(secrets), damaged)
	}
	places := readEverythingStored(t, system)
	if len(places) < 20 || !strings.Contains(strings.Join(slices.Sorted(maps.Keys(places)), " "), "login.log") {
		t.Errorf("only %d places were looked at", len(places))
	}
	for place, text := range places {
		if !strings.HasPrefix(place, "table ") && strings.Contains(text, passwordHash) {
			t.Errorf("%s holds the hash of a password", place)
		}
		for name, secret := range secrets {
			if strings.Contains(text, secret) {
				at := strings.Index(text, secret)
				t.Errorf("%s: what %s is there: …%s…", place, name, text[max(0, at-300):min(len(text), at+len(secret)+40)])
			}
		}
	}
}

// secretsIn returns the secrets in a body, by their members. What is short is found everywhere, and what a person chose
// as the code of a role is no secret.
func secretsIn(route, body string, members []string) map[string]string {
	out := map[string]string{}
	var all map[string]any
	if json.Unmarshal([]byte(body), &all) != nil || strings.Contains(route, "/access/") ||
		strings.Contains(route, "/reference/") || strings.Contains(route, "resource") ||
		strings.Contains(route, "/applications") && strings.Contains(body, `"code"`) { // codes there are no secrets
		return out
	}
	for name, value := range all {
		texts, _ := value.([]any)
		for i, one := range append(texts, value) {
			if text, ok := one.(string); ok && slices.Contains(members, name) && len(text) >= 10 {
				out[fmt.Sprint(name, i)] = text
			}
		}
	}
	return out
}

// malformedVariants returns a request with the canary in the place of each secret, and where nothing may be.
func malformedVariants(event events.APIGatewayV2HTTPRequest) []events.APIGatewayV2HTTPRequest {
	var out []events.APIGatewayV2HTTPRequest
	with := func(change func(*events.APIGatewayV2HTTPRequest)) {
		e := event
		e.Headers = maps.Clone(event.Headers)
		change(&e)
		out = append(out, e)
	}
	with(func(e *events.APIGatewayV2HTTPRequest) { e.Headers["authorization"] = "Bearer " + canary })
	with(func(e *events.APIGatewayV2HTTPRequest) { e.Headers["authorization"] = "Bearer uas_" + canary })
	with(func(e *events.APIGatewayV2HTTPRequest) {
		delete(e.Headers, "authorization")
		e.Cookies = []string{"__Host-access=" + canary, "__Host-refresh=" + canary, "__Host-device=" + canary,
			"__Host-sso-0=" + canary}
	})
	with(func(e *events.APIGatewayV2HTTPRequest) {
		e.RawQueryString, e.QueryStringParameters = "password="+strings.ReplaceAll(canary, " ", "+"),
			map[string]string{"password": canary}
	})
	if event.Body == "" {
		return out
	}
	var members map[string]any
	if json.Unmarshal([]byte(event.Body), &members) != nil {
		return out
	}
	for name, value := range members {
		if _, text := value.(string); text && slices.Contains(append([]string{"clientSecret"}, secretMembers...), name) &&
			name != "code" {
			changed := maps.Clone(members)
			changed[name] = canary
			raw, _ := json.Marshal(changed) //nolint:errchkjson // it was JSON
			with(func(e *events.APIGatewayV2HTTPRequest) { e.Body = string(raw) })
			with(func(e *events.APIGatewayV2HTTPRequest) {
				e.Body = string(raw[:strings.Index(string(raw), canary)+len(canary)])
			})
			with(func(e *events.APIGatewayV2HTTPRequest) { e.Body = string(raw) + canary })
			changed[name] = []string{canary}
			raw, _ = json.Marshal(changed) //nolint:errchkjson // it was JSON
			with(func(e *events.APIGatewayV2HTTPRequest) { e.Body = string(raw) })
		}
	}
	with(func(e *events.APIGatewayV2HTTPRequest) { e.Body = `{"passw0rd":"` + canary + `"}` })
	with(func(e *events.APIGatewayV2HTTPRequest) { e.Body = canary })
	return out
}

// readEverythingStored returns all that is stored or written down, by where it is: items as texts, with bytes also in
// base64, files of the bucket with what is packed in them, and logs.
func readEverythingStored(t *testing.T, system *localtest.RunningSystem) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, table := range system.Resources.Tables {
		pages := dynamodb.NewScanPaginator(system.Endpoints.DynamoDBClient(), &dynamodb.ScanInput{TableName: &table})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, it := range page.Items {
				out[fmt.Sprint("table ", attributeText(it["PK"]), attributeText(it["SK"]))] = attributeText(
					&types.AttributeValueMemberM{Value: it})
			}
		}
	}
	files := system.Endpoints.S3Client()
	for _, bucket := range system.Resources.Buckets {
		listed, err := files.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket})
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range listed.Contents {
			got, err := files.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: object.Key})
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(got.Body)
			if err != nil {
				t.Fatal(err)
			}
			out["bucket "+*object.Key] = unzip(content)
		}
	}
	logs, err := filepath.Glob(filepath.Join(system.Logs, "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range logs {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(name)] = string(content)
	}
	return out
}

func attributeText(v types.AttributeValue) string {
	var text strings.Builder
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		text.WriteString(v.Value)
	case *types.AttributeValueMemberB:
		fmt.Fprint(&text, string(v.Value), " ", base64.StdEncoding.EncodeToString(v.Value), " ",
			base64.RawURLEncoding.EncodeToString(v.Value))
	case *types.AttributeValueMemberSS:
		text.WriteString(strings.Join(v.Value, " "))
	case *types.AttributeValueMemberL:
		for _, one := range v.Value {
			text.WriteString(attributeText(one) + " ")
		}
	case *types.AttributeValueMemberM:
		for name, one := range v.Value {
			text.WriteString(name + "=" + attributeText(one) + " ")
		}
	}
	return text.String()
}

// unzip returns a file's content, that of a zip with its parts.
func unzip(content []byte) string {
	text := string(content)
	files, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return text
	}
	for _, f := range files.File {
		if r, err := f.Open(); err == nil {
			part, _ := io.ReadAll(io.LimitReader(r, 10<<20)) // what can be read is looked at
			text += string(part)
		}
	}
	return text
}
