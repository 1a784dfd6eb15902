// Package accountlog keeps the logs of accounts: it reads events and sign-ins, and writes notes.
package accountlog

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/sessions"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
	"useraccounts/internal/session"
)

// Store reads the logs of accounts and writes notes into them.
type Store struct {
	*table.Table
}

var (
	_ auditlog.Store    = Store{}
	_ account.NoteStore = Store{}
)

// Events implements auditlog.Store.
func (s Store) Events(
	ctx context.Context, env environment.Environment, accountID, before string, limit int,
) ([]auditlog.Event, string, error) {
	p := table.Query{PK: schema.AccountPK(accountID), Prefix: schema.EventSK, Backwards: true, Limit: limit}
	if before != "" {
		p.After = schema.EventSK + before
	}
	items, more, err := s.Query(ctx, p)
	if err != nil {
		return nil, "", err
	}
	out, down := make([]auditlog.Event, 0, len(items)), ""
	for _, it := range items {
		e := schema.EventOf(it)
		down = e.ID
		if env.Imports.Sees(table.Int(it, schema.AttrImportID)) {
			out = append(out, e)
		}
	}
	if !more {
		down = ""
	}
	return out, down, nil
}

// Sessions implements auditlog.Store.
func (s Store) Sessions(ctx context.Context, accountID, before string, limit int) ([]session.Session, string, error) {
	return sessions.Store(s).Sessions(ctx, accountID, before, limit)
}

// CreationEvent implements auditlog.Store. An anchor with an import but without a previous image was created by that
// import.
func (s Store) CreationEvent(
	ctx context.Context, env environment.Environment, accountID string,
) (auditlog.Event, bool, error) {
	it, err := s.Get(ctx, schema.AnchorKey(accountID))
	if err != nil {
		return auditlog.Event{}, false, err
	}
	born := table.Map(it, schema.AttrCreation)
	if born == nil || table.String(it, "env") != env.ID || table.Map(it, schema.AttrPrevious) == nil &&
		!env.Imports.Sees(table.Int(it, schema.AttrImportID)) {
		return auditlog.Event{}, false, nil
	}
	e := schema.EventOf(born)
	if e.ID == "" {
		e.ID = accountID
	}
	return e, true, nil
}

// Note implements account.NoteStore.
func (s Store) Note(ctx context.Context, env environment.Environment, accountID string, e auditlog.Event) error {
	event, err := schema.Event(accountID, e)
	if err != nil {
		return err
	}
	var tx table.Transaction
	tx.Put(s.Table, event, schema.ConcurrentChange)
	tx = append(tx, table.Check(&types.ConditionCheck{
		TableName: &s.Name, Key: schema.AnchorKey(accountID).Attributes(), ConditionExpression: aws.String("env = :env"),
		ExpressionAttributeValues: table.Item{":env": table.S(env.ID)},
	}, func(table.Item) error { return dynamo.AccountNotFound() }))
	return s.Commit(ctx, tx)
}
