package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/local"
	"useraccounts/internal/local/provision"
	"useraccounts/internal/local/services"
)

// setVariables sets the variables of a run, the others empty.
func setVariables(t *testing.T, values map[string]string) {
	t.Helper()
	for _, name := range []string{"PORT", "DATA", "ENVIRONMENT", "ADMIN_PASSWORD", "PUBLIC_URL", "AZURE_URL", "GRAPH_URL",
		"VERBOSE", "LOCAL_RETRY_SECONDS", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_SQS",
		"AWS_ENDPOINT_URL_SESV2"} {
		t.Setenv(name, values[name])
	}
}

func TestOptionsOfARun(t *testing.T) {
	setVariables(t, nil)
	o, err := options()
	if err != nil || o.Port != 3000 || o.Data != "" || o.Retry != 5*time.Second {
		t.Errorf("%+v, %v", o, err)
	}
	// A name and no address: passkeys work there without a word more.
	if got := o.Parameters["PublicUrl"]; got != "http://localhost:3000" {
		t.Errorf("the default address is %s", got)
	}
	setVariables(t, map[string]string{"PORT": "3001", "DATA": "some data", "ENVIRONMENT": "clone"})
	if o, err = options(); err != nil {
		t.Fatal(err)
	}
	if o.Port != 3001 || o.Data != "some data" || o.Parameters["EnvironmentId"] != "clone" ||
		o.Parameters["PublicUrl"] != "http://localhost:3001" || filepath.Base(o.Logs) != "3001" {
		t.Errorf("%+v", o)
	}
	for _, port := range []string{"0", "65536", "x", "3000 "} {
		setVariables(t, map[string]string{"PORT": port})
		if _, err := options(); err == nil || !strings.Contains(err.Error(), "PORT="+port) {
			t.Errorf("PORT=%s: %v", port, err)
		}
	}
}

// sam local starts the same functions at the same address, so that a passkey made in one run works in the other.
func TestSAMConfigNamesTheAddressOfARun(t *testing.T) {
	setVariables(t, nil)
	o, err := options()
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(filepath.Join(o.Root, "samconfig.toml"))
	if err != nil {
		t.Fatal(err)
	}
	local := 0
	for section := range strings.SplitSeq(string(file), "\n[") {
		if !strings.HasPrefix(section, "default.local_") {
			continue
		}
		local++
		if want := `"PublicUrl=` + o.Parameters["PublicUrl"] + `"`; !strings.Contains(section, want) {
			t.Errorf("make run has %s; samconfig.toml has [%s", want, section)
		}
		if want := fmt.Sprintf("\nport = %d\n", o.Port); strings.Contains(section, "\nport") &&
			!strings.Contains(section, want) {
			t.Errorf("make run has%s; samconfig.toml has [%s", want, section)
		}
	}
	if local == 0 {
		t.Error("samconfig.toml has no [default.local_...]")
	}
}

// The block says which servers are used, where the data is and whether mails leave.
func TestWelcomeSaysWhatIsUsed(t *testing.T) {
	own := services.Endpoints{DynamoDB: "http://127.0.0.1:1", S3: "http://127.0.0.1:2", SQS: "http://127.0.0.1:3",
		Mail: "http://127.0.0.1:4"}
	given := map[string]string{
		"AWS_ENDPOINT_URL_DYNAMODB": own.DynamoDB, "AWS_ENDPOINT_URL_S3": own.S3, "AWS_ENDPOINT_URL_SQS": own.SQS,
	}
	for name, test := range map[string]struct {
		variables map[string]string
		mail      string
		data      string
		says      []string
		silent    []string
	}{
		"everything is its own": {nil, own.Mail, "", []string{
			"Address        http://localhost:3000", "Mailbox        " + own.Mail, "Data           in memory", "DATA=dir",
		}, []string{"given", "Key "}},
		"with a folder": {nil, own.Mail, "/some data", []string{"Data           /some data"}, []string{"in memory", "Key "}},
		"with given services": {given, "", "", []string{
			"DynamoDB       " + own.DynamoDB + " (given): tables local-table, local-outbox",
			"S3             " + own.S3 + " (given): bucket local-files",
			"SQS            " + own.SQS + " (given): queue local-queue",
			"Key            /root/.build/seal-key.json",
			"Mails          wait in the outbox: AWS_ENDPOINT_URL_SESV2 names no mail service",
		}, []string{"in memory", "Mailbox"}},
		"with one given service": {map[string]string{"AWS_ENDPOINT_URL_S3": own.S3}, own.Mail, "", []string{
			"S3             " + own.S3 + " (given)", "Data           in memory", "Mailbox",
		}, []string{"DynamoDB"}},
		"with a mail service": {map[string]string{"AWS_ENDPOINT_URL_SESV2": own.Mail}, own.Mail, "", []string{
			"Mails          are sent through " + own.Mail,
		}, []string{"Mailbox"}},
	} {
		t.Run(name, func(t *testing.T) {
			setVariables(t, test.variables)
			used := own
			used.Mail = test.mail
			got := welcome(&local.System{
				Endpoints: used, Resources: provision.Resources{
					Tables:  map[string]string{"Table": "local-table", "Outbox": "local-outbox"},
					Buckets: map[string]string{"Files": "local-files"}, Queues: map[string]string{"TransferQueue": "local-queue"},
				},
			}, local.Options{
				Root: "/root", Data: test.data, Parameters: map[string]string{"PublicUrl": "http://localhost:3000"},
			}, time.Second)
			for _, text := range test.says {
				if !strings.Contains(got, text) {
					t.Errorf("no %q in %s", text, got)
				}
			}
			for _, text := range test.silent {
				if strings.Contains(got, text) {
					t.Errorf("%q in %s", text, got)
				}
			}
		})
	}
}
