// Command accounttabs is the Lambda function of what is behind the tabs of an account: its log, its contact and its
// delegations. It is apart from accounts because a function's resource policy, which grows with its routes, is limited.
package main

import (
	"time"

	"useraccounts/functions/accounttabs/api"
	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/boot"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/accountlog"
	"useraccounts/internal/dynamo/sessions"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/phone"
	"useraccounts/internal/signin"
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
	accounts := &account.Service{
		Rules: account.Rules{E164: phone.E164}, Store: dynamo.Accounts{Table: table}, Now: time.Now, NewID: token.NewIDString,
	}
	editor := account.Editor{Accounts: accounts, Now: time.Now, NewID: token.NewIDString}
	log, delegations := accountlog.Store{Table: table}, dynamo.Delegations{Table: table}
	httpapi.Serve(httpapi.Server{
		PublicURL: cfg.PublicURL,
		Routes: api.Routes(api.Services{
			Accounts: accounts, Log: &auditlog.Reader{Store: log, Now: time.Now},
			Notes:       &account.Notes{Editor: editor, Store: log},
			Contacts:    &account.Contacts{Editor: editor, Store: dynamo.Contacts{Table: table}},
			Delegations: &account.Delegations{Editor: editor, Store: delegations, Resources: delegations},
		}),
		Authenticate: gate.Authenticate, Idempotency: dynamo.Idempotency{Table: table}, Log: boot.Logger("accounttabs"),
	})
}
