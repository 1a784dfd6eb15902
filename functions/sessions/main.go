// Command sessions is the Lambda function of sessions: the caller's account and sessions, and those of others.
package main

import (
	"time"

	"useraccounts/functions/sessions/api"
	"useraccounts/internal/account"
	"useraccounts/internal/boot"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/sessions"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/signin"
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
	authenticator := &signin.TokenAuthenticator{
		EnvID:       cfg.Environment,
		Credentials: sessions.NewCredentials(table),
		Now:         time.Now,
	}
	accounts := &account.Service{Store: dynamo.Accounts{Table: table}}
	httpapi.Serve(httpapi.Server{
		PublicURL:    cfg.PublicURL,
		Routes:       api.Routes(sessions.Store{Table: table}, accounts, time.Now),
		Authenticate: authenticator.Authenticate,
		Log:          boot.Logger("sessions"),
	})
}
