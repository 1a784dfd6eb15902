package main

import (
	"crypto/rand"
	"time"

	"useraccounts/functions/accounts/api"
	"useraccounts/internal/account"
	"useraccounts/internal/boot"
	"useraccounts/internal/breach"
	"useraccounts/internal/bulk"
	"useraccounts/internal/directory"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/mail"
	"useraccounts/internal/overview"
	"useraccounts/internal/password"
	"useraccounts/internal/phone"
	"useraccounts/internal/seal"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

// services joins what the handlers call to the table, the outbox and the keys.
func services(cfg config, table *dynamo.Table) api.Services {
	store := dynamo.Accounts{Table: table}
	accounts := &account.Service{
		Rules: account.Rules{E164: phone.E164}, Store: store, Deleter: store, Seats: store,
		Passwords: password.Argon2id{}, Generator: password.Argon2id{}, PasswordHistory: dynamo.PasswordHistory{Table: table},
		Breaches: breach.MustNew(cfg.BreachRanges, boot.Logger("accounts")),
		Mail: &mail.Composer{NewID: token.NewIDString,
			Sealer: seal.New(cfg.Config(boot.KMS), cfg.SealKey, cfg.Local(), time.Now)},
		LinkIssuer: &account.PasswordLinkIssuer{Random: rand.Reader, NewID: token.NewID},
		Now:        time.Now, NewID: token.NewIDString,
	}
	lists, statistics := &directory.Service{Store: store, Now: time.Now}, dynamo.Statistics{Table: table}
	return api.Services{
		Accounts: accounts, Directory: lists, Bulk: &bulk.Service{Accounts: accounts, Directory: lists},
		Overview: &overview.Service{Directory: store, Seats: accounts, Cache: statistics, Live: statistics, Now: time.Now,
			Sleep: signin.Sleep},
	}
}
