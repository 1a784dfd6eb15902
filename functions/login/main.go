// Command login is the Lambda function that lets people in and out.
package main

import (
	"crypto/rand"
	"time"

	"useraccounts/functions/login/api"
	"useraccounts/internal/boot"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/password"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

type config struct {
	boot.AWS
	Table       string `env:"TABLE_NAME"`
	Environment string `env:"ENVIRONMENT_ID"`
}

func main() {
	var cfg config
	boot.Load(&cfg)
	table := dynamo.Open(cfg.Config(boot.DynamoDB), cfg.Table)
	gate := &signin.Gate{EnvID: cfg.Environment, Checks: dynamo.NewChecks(table), Now: time.Now}
	service := &signin.Service{
		Gate: gate, Accounts: dynamo.Accounts{Table: table}, Sessions: dynamo.Sessions{Table: table},
		Hasher: password.Argon2id{}, Passwords: password.Argon2id{}, Random: rand.Reader, NewID: token.NewID, Sleep: signin.Sleep,
		ByKey: dynamo.Keys{Table: table},
	}
	httpapi.Serve(httpapi.Server{
		Routes: api.Routes(service), Authenticate: gate.Authenticate, Log: boot.Logger("login"),
	})
}
