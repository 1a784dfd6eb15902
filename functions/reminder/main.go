// Command reminder is the Lambda function that notifies the owners of API keys that expire soon. It runs once a day.
package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"useraccounts/internal/apikey"
	"useraccounts/internal/boot"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/mail"
	"useraccounts/internal/token"
)

type config struct {
	boot.AWS
	Table       string `env:"TABLE_NAME"`
	Outbox      string `env:"OUTBOX_TABLE"`
	Environment string `env:"ENVIRONMENT_ID"`
}

type handler struct {
	env       string
	reminders *apikey.Reminders
	log       *slog.Logger
}

func main() {
	var cfg config
	boot.Load(&cfg)
	table := dynamo.Open(cfg.Config(boot.DynamoDB), cfg.Table).WithOutbox(cfg.Outbox)
	reminders := &apikey.Reminders{
		Store: dynamo.Reminders{Accounts: dynamo.Accounts{Table: table}, Environments: dynamo.NewEnvironments(table)},
		Mail:  &mail.Composer{NewID: token.NewIDString}, Now: time.Now,
	}
	lambda.Start(handler{env: cfg.Environment, reminders: reminders, log: boot.Logger("reminder")}.handle)
}

// handle writes one log line per run. After an error the next run continues with the reminders that were not sent.
func (h handler) handle(ctx context.Context) error {
	sent, err := h.reminders.Run(ctx, h.env)
	if err != nil {
		h.log.ErrorContext(ctx, "reminders failed", "sent", sent, "error", err.Error())
		return err
	}
	h.log.InfoContext(ctx, "reminders done", "sent", sent)
	return nil
}
