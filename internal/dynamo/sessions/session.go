// Package sessions keeps sessions and the tickets that lead to them, and reads what a request's credentials open.
package sessions

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/account"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
)

// Store keeps sessions and tickets.
type Store struct {
	*table.Table
}

var (
	_ signin.Sessions        = Store{}
	_ signin.TokenRotator    = Store{}
	_ signin.ProofStore      = Store{}
	_ signin.CredentialStore = Credentials{}
)

// signInCondition is the condition of a sign-in on the account's row: it has the epoch that was read, in the image
// that counted then, was not blocked by tries since, and its temporary password has not expired (V09), unless the
// person came without a password.
func signInCondition(env environment.Environment, a account.Account, now time.Time) (string, table.Item) {
	image := schema.AttrImage
	if !env.Imports.Sees(a.Stored.Import) {
		image = schema.AttrPrevious
	}
	condition := "id = :id AND " + image + ".epoch = :epoch AND "
	values := table.Item{":id": table.S(a.ID), ":epoch": table.N(a.Epoch)}
	if a.PasswordHash != "" {
		condition += "(attribute_not_exists(pwEnds) OR pwEnds > :now) AND "
		values[":now"] = table.Timestamp(now)
	}
	if a.Stored.SeparateTries {
		return strings.TrimSuffix(condition, " AND "), values
	}
	// the timed release allowed this attempt, and there is no other block
	if a.TriesBlockedAt.IsZero() && !a.Stored.BlockedAt.IsZero() {
		values[":blocked"] = table.Timestamp(a.Stored.BlockedAt)
		return condition + "blockedAt = :blocked", values
	}
	return condition + "attribute_not_exists(blockedAt)", values
}

// Open implements signin.Sessions.
func (s Store) Open(ctx context.Context, env environment.Environment, a account.Account, opened session.Session) error {
	condition, values := signInCondition(env, a, opened.Start)
	values[":now"] = table.Timestamp(opened.Start)
	u := rowUpdate{set: []string{"lastLogin = :now"}, values: values}
	u.clearTries(a)
	u.signedInFrom(a, opened)
	return s.withNetworks(ctx, env, a, opened, func() error {
		return s.putWithRow(ctx, schema.LoggedSession(env, opened), update(u, types.Update{
			TableName: &s.Name, Key: schema.RowKey(env.ID, a.DirectoryKey()).Attributes(), ConditionExpression: &condition,
		}))
	})
}

// IssueTicket implements signin.Sessions.
func (s Store) IssueTicket(
	ctx context.Context, env environment.Environment, a account.Account, t session.Ticket,
) error {
	condition, values := signInCondition(env, a, t.Expires.Add(-session.TicketLife))
	key := schema.RowKey(env.ID, a.DirectoryKey()).Attributes()
	u := rowUpdate{values: values}
	u.clearTries(a)
	if !a.PasswordExpires.IsZero() {
		u.set = append(u.set, "pwEnds = :ends")
		values[":ends"] = table.Timestamp(a.PasswordExpires)
	}
	if len(u.set) == 0 {
		return s.putWithRow(ctx, ticketItem(env.ID, t), types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
			TableName: &s.Name, Key: key, ConditionExpression: &condition, ExpressionAttributeValues: values,
		}})
	}
	return s.putWithRow(ctx, ticketItem(env.ID, t), update(u, types.Update{
		TableName: &s.Name, Key: key, ConditionExpression: &condition,
	}))
}

// putWithRow writes a new item and updates the account's row, in one transaction.
func (s Store) putWithRow(ctx context.Context, created table.Item, row types.TransactWriteItem) error {
	var tx table.Transaction
	tx.Put(s.Table, created, schema.ConcurrentChange)
	tx = append(tx, table.Op{Write: row, Conflict: schema.ConcurrentChange})
	return schema.AsConcurrentChange(s.Transact(ctx, tx.Items()))
}

// Ticket implements signin.Sessions.
func (s Store) Ticket(ctx context.Context, env, accountID, id string) (signin.TicketContext, error) {
	items, err := s.BatchGet(ctx, []table.Key{schema.TicketKey(accountID, id), schema.HeadKey(env)})
	if err != nil {
		return signin.TicketContext{}, err
	}
	it := items[0]
	if it == nil || table.String(it, "env") != env {
		return signin.TicketContext{}, fault.New(fault.NotFound, "ticket", "There is no such ticket.")
	}
	head, err := schema.EnvironmentOf(env, items[1])
	if err != nil {
		return signin.TicketContext{}, err
	}
	a, err := dynamo.Accounts(s).Account(ctx, head, accountID)
	if err != nil {
		return signin.TicketContext{}, err
	}
	return signin.TicketContext{Account: a, Env: head, Ticket: ticketOf(accountID, it)}, nil
}

// Renew implements signin.TokenRotator.
func (s Store) Renew(ctx context.Context, old, renewed session.Session) error {
	_, err := s.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: schema.SessionKey(old.AccountID, old.ID).Attributes(),
		UpdateExpression: aws.String(
			"SET #access = :access, refresh = :refresh, used = :used, due = :due, renewed = :now"),
		ConditionExpression:      aws.String("refresh = :was AND attribute_not_exists(closed)"),
		ExpressionAttributeNames: map[string]string{"#access": "access"},
		ExpressionAttributeValues: table.Item{
			":access": table.B(renewed.AccessHash), ":refresh": table.B(renewed.RefreshHash),
			":used": table.B(renewed.UsedRefreshHash),
			":due":  table.Timestamp(renewed.RefreshDue), ":now": table.Timestamp(renewed.Renewed),
			":was": table.B(old.RefreshHash),
		},
	})
	held, _, err := table.ConditionHeld(err)
	if err == nil && !held {
		return account.ErrConcurrentChange
	}
	return err
}

// RecordProof implements signin.ProofStore.
func (s Store) RecordProof(ctx context.Context, accountID, sessionID string, at time.Time) error {
	_, err := s.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: schema.SessionKey(accountID, sessionID).Attributes(),
		UpdateExpression:          aws.String("SET proved = :now"),
		ConditionExpression:       aws.String("attribute_exists(PK) AND attribute_not_exists(closed)"),
		ExpressionAttributeValues: table.Item{":now": table.Timestamp(at)},
	})
	held, _, err := table.ConditionHeld(err)
	if err == nil && !held {
		return fault.New(fault.NotFound, "session", "There is no such session.")
	}
	return err
}

// Close closes a session if it is open, and reports whether it was.
func (s Store) Close(ctx context.Context, accountID, sessionID string, end session.End) (bool, error) {
	update, values := "SET closed = :at, why = :why",
		table.Item{":at": table.Timestamp(end.At), ":why": table.S(string(end.Reason))}
	names := map[string]string{}
	for name, value := range map[string]string{"by": end.By, "byId": end.ByID, "from": end.FromAddress} {
		if value != "" {
			update += ", #" + name + " = :" + name
			names["#"+name], values[":"+name] = name, table.S(value)
		}
	}
	in := &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: schema.SessionKey(accountID, sessionID).Attributes(), UpdateExpression: &update,
		ConditionExpression:       aws.String("attribute_exists(PK) AND attribute_not_exists(closed)"),
		ExpressionAttributeValues: values,
	}
	if len(names) > 0 {
		in.ExpressionAttributeNames = names
	}
	_, err := s.Client.UpdateItem(ctx, in)
	closed, _, err := table.ConditionHeld(err)
	return closed, err
}

// Sessions returns up to limit sessions of an account, newest first, after the given id, and the id to go on from.
func (s Store) Sessions(ctx context.Context, accountID, after string, limit int) ([]session.Session, string, error) {
	p := table.Query{PK: schema.AccountPK(accountID), Prefix: schema.SessionSK, Backwards: true, Limit: limit}
	if after != "" {
		p.After = schema.SessionSK + after
	}
	items, more, err := s.Query(ctx, p)
	if err != nil {
		return nil, "", err
	}
	out := make([]session.Session, len(items))
	for i, it := range items {
		out[i] = schema.SessionOf(accountID, it)
	}
	if !more || len(out) == 0 {
		return out, "", nil
	}
	return out, out[len(out)-1].ID, nil
}
