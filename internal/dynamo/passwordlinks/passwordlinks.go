// Package passwordlinks keeps the links to set a password, and how many were requested.
package passwordlinks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"useraccounts/internal/account"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/attempts"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/mail"
	"useraccounts/internal/recovery"
)

// Store keeps password links, one for each account.
type Store struct {
	*table.Table
}

var (
	_ recovery.ResetRequests = Store{}
	_ recovery.LinkStore     = Store{}
)

// Find implements recovery.ResetRequests.
func (s Store) Find(ctx context.Context, env, identifier string) (environment.Environment, string, error) {
	return attempts.Store(s).Find(ctx, env, identifier)
}

// CountResetRequest implements recovery.ResetRequests: one write, whether the identifier is known or not.
func (s Store) CountResetRequest(ctx context.Context, env, address string, now time.Time, limit int) (bool, error) {
	_, err := s.UpdateRetrying(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: schema.ResetRequestsKey(env, address, hourName(now)).Attributes(),
		UpdateExpression:         aws.String("SET #ttl = :ttl ADD asked :one"),
		ConditionExpression:      aws.String("attribute_not_exists(asked) OR asked < :limit"),
		ExpressionAttributeNames: map[string]string{"#ttl": "ttl"},
		ExpressionAttributeValues: table.Item{
			":one": table.N(1), ":limit": table.N(int64(limit)), ":ttl": table.N(now.Add(2 * time.Hour).Unix()),
		},
	})
	held, _, err := table.ConditionHeld(err)
	return held, err
}

// ResetCandidate implements recovery.ResetRequests: two reads, of decoys if there is no account. An account that had
// its links is recognised here and not by the condition of IssueLink alone: a write that fails takes another time
// than one that succeeds, so that a fourth request would show who is known (V23).
func (s Store) ResetCandidate(
	ctx context.Context, env environment.Environment, row string, now time.Time,
) (a account.Account, found, enough bool, err error) {
	k := schema.RowKey(env.ID, row)
	if row == "" {
		k = schema.DecoyKey(env.ID, table.RandomBelow(schema.Decoys))
	}
	it, err := s.Get(ctx, k)
	if err != nil {
		return account.Account{}, false, false, err
	}
	if row != "" && it != nil {
		a, found = schema.AccountOf(it, schema.VisibleAt(env.Imports, it))
	}
	offered, err := s.Get(ctx, schema.PasswordLinkKey(a.ID))
	enough = offered["t3"] != nil && table.Int(offered, "t3") >= now.Add(-time.Hour).UnixMilli()
	return a, found, enough, err
}

// IssueLink implements recovery.ResetRequests: one transaction of three items in two tables, as for a decoy.
func (s Store) IssueLink(
	ctx context.Context, env environment.Environment, l account.PasswordLink, m mail.Message,
) (bool, error) {
	update := dynamo.PasswordLinkUpdate(s.Table, env.ID, l)
	*update.UpdateExpression += ", t1 = :t, t2 = if_not_exists(t1, :never), t3 = if_not_exists(t2, :never)"
	update.ConditionExpression = aws.String("attribute_not_exists(t3) OR t3 < :hour")
	update.ExpressionAttributeValues[":t"] = table.N(l.Sent.UnixMilli())
	update.ExpressionAttributeValues[":never"] = table.N(0)
	update.ExpressionAttributeValues[":hour"] = table.N(l.Sent.Add(-time.Hour).UnixMilli())
	tx := table.Transaction{table.Update(update, schema.ConcurrentChange)}
	mails, err := schema.Mails(s.Table, []mail.Message{m})
	if err != nil {
		return false, err
	}
	return s.committed(s.Transact(ctx, append(tx, mails...).Items()))
}

func (s Store) committed(err error) (bool, error) {
	var cancelled *table.CancelledError
	if errors.As(err, &cancelled) {
		return false, nil
	}
	return err == nil, err
}

// IssueDecoyLink implements recovery.ResetRequests. It writes what IssueLink writes, to items that nobody reads and
// that expire in an hour. The mailer skips what is not a queued mail.
func (s Store) IssueDecoyLink(
	ctx context.Context, env environment.Environment, l account.PasswordLink, m mail.Message,
) error {
	update := dynamo.PasswordLinkUpdate(s.Table, env.ID, l)
	update.Key = schema.PasswordLinkDecoyKey(env.ID, m.ID).Attributes()
	update.ExpressionAttributeValues[":ttl"] = table.N(m.At.Add(time.Hour).Unix())
	tx := table.Transaction{table.Update(update, schema.ConcurrentChange)}
	mails, err := schema.Mails(s.Table, []mail.Message{m})
	if err != nil {
		return err
	}
	for i, sk := range []string{m.ID, m.ID + ".log"} {
		put := mails[i].Write.Put
		k := schema.PasswordLinkDecoyKey(env.ID, sk)
		put.Item["PK"], put.Item["SK"], put.Item["ttl"] = table.S(k.PK), table.S(k.SK), table.N(m.At.Add(time.Hour).Unix())
	}
	_, err = s.committed(s.Transact(ctx, append(tx, mails...).Items()))
	return err
}

// Link implements recovery.LinkStore.
func (s Store) Link(ctx context.Context, env, accountID string) (recovery.LinkContext, error) {
	items, err := s.BatchGet(ctx, []table.Key{schema.PasswordLinkKey(accountID), schema.HeadKey(env)})
	if err != nil {
		return recovery.LinkContext{}, err
	}
	it := items[0]
	if it == nil || table.String(it, "env") != env {
		return recovery.LinkContext{}, fault.New(fault.NotFound, "link", "There is no such link.")
	}
	head, err := schema.EnvironmentOf(env, items[1])
	if err != nil {
		return recovery.LinkContext{}, err
	}
	a, err := dynamo.Accounts(s).Account(ctx, head, accountID)
	if err != nil {
		return recovery.LinkContext{}, err
	}
	return recovery.LinkContext{Env: head, Account: a, Link: account.PasswordLink{
		AccountID: accountID, Purpose: account.PasswordLinkPurpose(table.String(it, "purpose")),
		Hash:    table.Bytes(it, "hash"),
		Sent:    table.Time(it, "sent"),
		Expires: table.Time(it, "ends"), To: table.String(it, "to"), PasswordDigest: table.Bytes(it, "was"),
	}}, nil
}

// Write implements recovery.LinkStore.
func (s Store) Write(ctx context.Context, env environment.Environment, w account.Write) error {
	return dynamo.Accounts(s).Write(ctx, env, w)
}

// hourName is the name of an hour.
func hourName(t time.Time) string {
	t = t.UTC()
	return fmt.Sprintf("%04d%02d%02d%02d", t.Year(), t.Month(), t.Day(), t.Hour())
}
