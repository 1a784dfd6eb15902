// Command resources is the Lambda function of resources: people as staff, and Create resource from an account.
package main

import (
	"time"

	"useraccounts/functions/resources/api"
	"useraccounts/internal/account"
	"useraccounts/internal/boot"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/sessions"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/resource"
	"useraccounts/internal/signin"
	"useraccounts/internal/staffing"
	"useraccounts/internal/token"
)

type config struct {
	boot.AWS
	Table       string `env:"TABLE_NAME"`
	Environment string `env:"ENVIRONMENT_ID"`
	PublicURL   string `env:"PUBLIC_URL"`
}

func main() {
	var cfg config
	boot.Load(&cfg)
	table := dynamo.Open(cfg.Config(boot.DynamoDB), cfg.Table)
	gate := &signin.TokenAuthenticator{EnvID: cfg.Environment, Credentials: sessions.NewCredentials(table), Now: time.Now}
	store := dynamo.Resources{Table: table}
	resources := &resource.Service{
		Store: store, UsageFinders: []resource.UsageFinder{dynamo.Delegations{Table: table}, store}, Now: time.Now,
		NewID: token.NewIDString,
	}
	staff := &staffing.Service{
		Accounts: &account.Service{Store: dynamo.Accounts{Table: table}}, Rules: resources.Rules(), Store: store,
		Now: time.Now, NewID: token.NewIDString,
	}
	httpapi.Serve(httpapi.Server{PublicURL: cfg.PublicURL,
		Routes: api.Routes(resources, staff), Authenticate: gate.Authenticate, Idempotency: dynamo.Idempotency{Table: table},
		Log: boot.Logger("resources"),
	})
}
