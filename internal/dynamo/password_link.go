package dynamo

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/account"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/mail"
	"useraccounts/internal/recovery"
)

// PasswordLinks keeps the links to set a password, one for an account.
type PasswordLinks struct {
	*Table
}

var (
	_ recovery.ResetRequests = PasswordLinks{}
	_ recovery.LinkStore     = PasswordLinks{}
)

// passwordLinkUpdate replaces an account's link by a newer one. What is known of links asked for before stays beside
// it.
func (t *Table) passwordLinkUpdate(env string, l account.PasswordLink) *types.Update {
	return &types.Update{
		TableName: &t.Name, Key: passwordLinkKey(l.AccountID).attributes(),
		UpdateExpression: aws.String(
			"SET env = :env, #hash = :hash, purpose = :purpose, sent = :sent, ends = :ends, #to = :to, was = :was, #ttl = :ttl"),
		ExpressionAttributeNames: map[string]string{"#hash": "hash", "#to": "to", "#ttl": "ttl"},
		ExpressionAttributeValues: item{
			":env": str(env), ":hash": bin(l.Hash), ":purpose": str(string(l.Purpose)), ":sent": timestamp(l.Sent),
			":ends": timestamp(l.Expires),
			":to":   str(l.To), ":was": bin(l.PasswordDigest), ":ttl": num(l.Expires.Add(24 * time.Hour).Unix()),
		},
	}
}

// usedPasswordLinkItem takes the link away that has this hash. Of two who use it at once one finds it gone (C31).
func (t *Table) usedPasswordLinkItem(accountID string, hash []byte) op {
	return op{types.TransactWriteItem{Update: &types.Update{
		TableName: &t.Name, Key: passwordLinkKey(accountID).attributes(), UpdateExpression: aws.String("REMOVE #hash"),
		ConditionExpression: aws.String("#hash = :hash"), ExpressionAttributeNames: map[string]string{"#hash": "hash"},
		ExpressionAttributeValues: item{":hash": bin(hash)},
	}}, concurrentChange}
}

// passwordItems are what a write does beside the account: its link to set a password, and its mails.
func (s Accounts) passwordItems(env string, w account.Write) (transaction, error) {
	p, err := s.mailItems(w.Mails)
	if err != nil {
		return nil, err
	}
	if w.PasswordLink != nil {
		p = append(p, op{types.TransactWriteItem{Update: s.passwordLinkUpdate(env, *w.PasswordLink)}, concurrentChange})
	}
	if w.ConsumeLinkHash != nil {
		p = append(p, s.usedPasswordLinkItem(w.After.ID, w.ConsumeLinkHash))
	}
	return p, nil
}

// Find implements recovery.ResetRequests.
func (s PasswordLinks) Find(ctx context.Context, env, identifier string) (environment.Environment, string, error) {
	return Accounts(s).Find(ctx, env, identifier)
}

// CountResetRequest implements recovery.ResetRequests: one write, whoever is asked for.
func (s PasswordLinks) CountResetRequest(ctx context.Context, env, address string, now time.Time, limit int) (bool,
	error) {
	_, err := s.updateRetrying(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: resetRequestsKey(env, address, hourName(now)).attributes(),
		UpdateExpression:         aws.String("SET #ttl = :ttl ADD asked :one"),
		ConditionExpression:      aws.String("attribute_not_exists(asked) OR asked < :limit"),
		ExpressionAttributeNames: map[string]string{"#ttl": "ttl"},
		ExpressionAttributeValues: item{
			":one": num(1), ":limit": num(int64(limit)), ":ttl": num(now.Add(2 * time.Hour).Unix()),
		},
	})
	held, _, err := conditionHeld(err)
	return held, err
}

// ResetCandidate implements recovery.ResetRequests: two reads, of decoys where there is nobody. The account that got
// its links is told apart here and not by Offer's condition alone: a write that is refused takes another time than one
// that is made, and a fourth ask would tell who is known (V23).
func (s PasswordLinks) ResetCandidate(ctx context.Context, env environment.Environment, row string,
	now time.Time) (a account.Account, found, enough bool, err error) {
	k := rowKey(env.ID, row)
	if row == "" {
		k = decoyKey(env.ID, randomBelow(decoys))
	}
	it, err := s.get(ctx, k)
	if err != nil {
		return account.Account{}, false, false, err
	}
	if row != "" && it != nil {
		a, found = accountOf(it, visibleAt(env.Imports, it))
	}
	offered, err := s.get(ctx, passwordLinkKey(a.ID))
	enough = offered["t3"] != nil && number(offered, "t3") >= now.Add(-time.Hour).UnixMilli()
	return a, found, enough, err
}

// IssueLink implements recovery.ResetRequests: one transaction over three items in two tables, whoever it is for.
func (s PasswordLinks) IssueLink(ctx context.Context, env environment.Environment, l account.PasswordLink,
	m mail.Message) (bool, error) {
	update := s.passwordLinkUpdate(env.ID, l)
	*update.UpdateExpression += ", t1 = :t, t2 = if_not_exists(t1, :never), t3 = if_not_exists(t2, :never)"
	update.ConditionExpression = aws.String("attribute_not_exists(t3) OR t3 < :hour")
	update.ExpressionAttributeValues[":t"] = num(l.Sent.UnixMilli())
	update.ExpressionAttributeValues[":never"] = num(0)
	update.ExpressionAttributeValues[":hour"] = num(l.Sent.Add(-time.Hour).UnixMilli())
	p := transaction{{types.TransactWriteItem{Update: update}, concurrentChange}}
	mails, err := s.mailItems([]mail.Message{m})
	if err != nil {
		return false, err
	}
	return s.committed(s.transact(ctx, append(p, mails...).items()))
}

func (s PasswordLinks) committed(err error) (bool, error) {
	var cancelled *cancelledError
	if errors.As(err, &cancelled) {
		return false, nil
	}
	return err == nil, err
}

// IssueDecoyLink implements recovery.ResetRequests: what Offer does, to items that nobody reads and that are gone in an
// hour. The mailer passes over what is not of the outbox's own.
func (s PasswordLinks) IssueDecoyLink(ctx context.Context, env environment.Environment, l account.PasswordLink,
	m mail.Message) error {
	update := s.passwordLinkUpdate(env.ID, l)
	update.Key = passwordLinkDecoyKey(env.ID, m.ID).attributes()
	update.ExpressionAttributeValues[":ttl"] = num(m.At.Add(time.Hour).Unix())
	p := transaction{{types.TransactWriteItem{Update: update}, concurrentChange}}
	mails, err := s.mailItems([]mail.Message{m})
	if err != nil {
		return err
	}
	for i, sk := range []string{m.ID, m.ID + ".log"} {
		put := mails[i].write.Put
		k := passwordLinkDecoyKey(env.ID, sk)
		put.Item["PK"], put.Item["SK"], put.Item["ttl"] = str(k.pk), str(k.sk), num(m.At.Add(time.Hour).Unix())
	}
	_, err = s.committed(s.transact(ctx, append(p, mails...).items()))
	return err
}

// Link implements recovery.LinkStore.
func (s PasswordLinks) Link(ctx context.Context, env, accountID string) (recovery.LinkContext, error) {
	items, err := s.batchGet(ctx, []key{passwordLinkKey(accountID), headKey(env)})
	if err != nil {
		return recovery.LinkContext{}, err
	}
	it := items[0]
	if it == nil || text(it, "env") != env {
		return recovery.LinkContext{}, fault.New(fault.NotFound, "link", "There is no such link.")
	}
	head, err := headOf(env, items[1])
	if err != nil {
		return recovery.LinkContext{}, err
	}
	a, err := Accounts(s).Account(ctx, head, accountID)
	if err != nil {
		return recovery.LinkContext{}, err
	}
	return recovery.LinkContext{Env: head, Account: a, Link: account.PasswordLink{
		AccountID: accountID, Purpose: account.PasswordLinkPurpose(text(it, "purpose")), Hash: blob(it, "hash"),
		Sent:    instant(it, "sent"),
		Expires: instant(it, "ends"), To: text(it, "to"), PasswordDigest: blob(it, "was"),
	}}, nil
}

// Write implements recovery.LinkStore.
func (s PasswordLinks) Write(ctx context.Context, env environment.Environment, w account.Write) error {
	return Accounts(s).Write(ctx, env, w)
}
