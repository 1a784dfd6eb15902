// Command mailer is the Lambda function that sends the mails of the outbox: new ones at once, from its stream, and
// postponed ones every minute.
package main

import (
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"useraccounts/internal/boot"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/mail"
	"useraccounts/internal/mailsend"
	"useraccounts/internal/seal"
)

type config struct {
	boot.AWS
	Outbox      string `env:"OUTBOX_TABLE"`
	Environment string `env:"ENVIRONMENT_ID"`
	PublicURL   string `env:"PUBLIC_URL"`
	Sender      string `env:"MAIL_SENDER"`
	SealKey     string `env:"SEAL_KEY"`
}

func main() {
	var cfg config
	boot.Load(&cfg)
	log := boot.Logger("mailer")
	dispatcher := &mail.Dispatcher{
		Outbox:   dynamo.NewOutbox(dynamo.Open(cfg.Config(boot.DynamoDB), "").WithOutbox(cfg.Outbox)),
		Opener:   seal.New(cfg.Config(boot.KMS), cfg.SealKey, cfg.Local(), time.Now),
		Renderer: mail.Renderer{PublicURL: cfg.PublicURL, Sender: cfg.Sender},
		Service:  mailsend.Open(cfg.Config(boot.SES)),
		Log:      log, Now: time.Now,
	}
	lambda.Start(handler{env: cfg.Environment, dispatcher: dispatcher, log: log}.handle)
}
