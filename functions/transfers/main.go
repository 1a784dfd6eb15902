// Command transfers is the Lambda function with which people start and follow imports and exports.
package main

import (
	"time"

	"useraccounts/functions/transfers/api"
	"useraccounts/internal/boot"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/sessions"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/objectstore"
	"useraccounts/internal/queue"
	"useraccounts/internal/sets"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
	"useraccounts/internal/transfer"
)

type config struct {
	boot.AWS
	Table       string `env:"TABLE_NAME"`
	Environment string `env:"ENVIRONMENT_ID"`
	PublicURL   string `env:"PUBLIC_URL"`
	Bucket      string `env:"FILES_BUCKET"`
	QueueURL    string `env:"TRANSFER_QUEUE_URL"`
}

func main() {
	var cfg config
	boot.Load(&cfg)
	table := dynamo.Open(cfg.Config(boot.DynamoDB), cfg.Table)
	gate := &signin.TokenAuthenticator{EnvID: cfg.Environment, Credentials: sessions.NewCredentials(table), Now: time.Now}
	jobs := dynamo.Jobs{Table: table}
	directory := dynamo.Directory{Accounts: dynamo.Accounts{Table: table}, Environments: dynamo.NewEnvironments(table),
		Now: time.Now}
	transfers := &transfer.Service{
		Accounts: directory,
		UndoJobs: jobs,
		Jobs:     jobs, Uploads: objectstore.Open(cfg.Config(boot.S3), cfg.Bucket),
		Scheduler: transfer.Scheduler{Jobs: jobs, Messages: queue.Open(cfg.Config(boot.SQS), cfg.QueueURL), Now: time.Now},
		Now:       time.Now, NewID: token.NewIDString,
	}
	views := &sets.Service{Store: dynamo.Sets{Table: table}, Now: time.Now, NewID: token.NewIDString}
	httpapi.Serve(httpapi.Server{PublicURL: cfg.PublicURL,
		Routes: api.Routes(transfers, views), Authenticate: gate.Authenticate, Idempotency: dynamo.Idempotency{Table: table},
		Log: boot.Logger("transfers"),
	})
}
