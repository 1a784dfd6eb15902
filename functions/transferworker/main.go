// Command transferworker is the Lambda function that runs imports and exports, one message at a time.
package main

import (
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"useraccounts/internal/account"
	"useraccounts/internal/boot"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/objectstore"
	"useraccounts/internal/phone"
	"useraccounts/internal/queue"
	"useraccounts/internal/token"
	"useraccounts/internal/transfer"
)

type config struct {
	boot.AWS
	Table       string `env:"TABLE_NAME"`
	Bucket      string `env:"FILES_BUCKET"`
	QueueURL    string `env:"TRANSFER_QUEUE_URL"`
	DeadLetters string `env:"TRANSFER_DEAD_LETTERS_ARN"`
}

func main() {
	var cfg config
	boot.Load(&cfg)
	log := boot.Logger("transferworker")
	table := dynamo.Open(cfg.Config(boot.DynamoDB), cfg.Table)
	environments, accounts := dynamo.NewEnvironments(table), dynamo.Accounts{Table: table}
	jobs := dynamo.Jobs{Table: table}
	imports := dynamo.Imports{Jobs: jobs, Accounts: accounts, Environments: environments}
	messages := queue.Open(cfg.Config(boot.SQS), cfg.QueueURL)
	worker := &transfer.Worker{
		Jobs: jobs, Staging: imports, Resources: imports, UndoStore: imports,
		Directory: dynamo.Directory{Accounts: accounts, Environments: environments, Now: time.Now},
		Files:     objectstore.Open(cfg.Config(boot.S3), cfg.Bucket),
		Rules:     account.Rules{E164: phone.E164},
		Log:       log, Now: time.Now, NewID: token.NewIDString,
		Scheduler: transfer.Scheduler{Jobs: jobs, Messages: messages, Now: time.Now},
		Sleep:     transfer.Sleep,
	}
	lambda.Start(handler{worker: worker, queue: messages, deadLetters: cfg.DeadLetters, log: log}.handle)
}
