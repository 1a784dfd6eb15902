// Command settings is the Lambda function of the environment's defaults and its log.
package main

import (
	"time"

	"useraccounts/functions/settings/api"
	"useraccounts/internal/boot"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/settings"
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
	defaults := &settings.Service{Store: dynamo.NewSettings(table), Now: time.Now, NewID: token.NewIDText}
	httpapi.Serve(httpapi.Server{
		Routes: api.Routes(defaults), Authenticate: gate.Authenticate, Log: boot.Logger("settings"),
	})
}
