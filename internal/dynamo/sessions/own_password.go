package sessions

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/account"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
)

// OwnPasswords changes the password of whoever is signed in.
type OwnPasswords struct {
	*table.Table
}

var (
	_ signin.TriesStore       = OwnPasswords{}
	_ signin.PasswordReplacer = OwnPasswords{}
	_ signin.Rehasher         = OwnPasswords{}
)

// Account implements signin.AccountReader.
func (s OwnPasswords) Account(ctx context.Context, env environment.Environment, id string) (account.Account, error) {
	return dynamo.Accounts(s).Account(ctx, env, id)
}

// ReplacePassword implements signin.PasswordReplacer.
func (s OwnPasswords) ReplacePassword(
	ctx context.Context, env environment.Environment, w account.Write, old, opened session.Session,
) error {
	tx, err := dynamo.Accounts(s).TransactionItems(env.ID, w, 0)
	if err != nil {
		return err
	}
	// The write lifts a block by tries, but not one that came after the current password was verified (C07).
	row := tx[0].Write.Update
	if !w.Before.Stored.SeparateTries {
		row.ConditionExpression = aws.String(*row.ConditionExpression + " AND attribute_not_exists(blockedAt)")
	}
	tx = append(tx, table.Update(&types.Update{
		TableName: &s.Name, Key: schema.SessionKey(old.AccountID, old.ID).Attributes(),
		UpdateExpression:    aws.String("SET closed = :at, why = :why"),
		ConditionExpression: aws.String("epoch = :epoch AND attribute_not_exists(closed)"),
		ExpressionAttributeValues: table.Item{":at": table.Timestamp(opened.Start),
			":why":   table.S(string(session.ClosedByOwner)),
			":epoch": table.N(old.Epoch)},
	}, schema.ConcurrentChange))
	tx.Put(s.Table, schema.LoggedSession(env, opened), schema.ConcurrentChange)
	return schema.AsConcurrentChange(s.Transact(ctx, tx.Items()))
}

// ClearTries implements signin.TriesStore.
func (s OwnPasswords) ClearTries(
	ctx context.Context, env environment.Environment, a account.Account, now time.Time,
) error {
	condition, values := signInCondition(env, a, now)
	u := rowUpdate{values: values}
	u.clearTries(a)
	return s.updateRow(ctx, env, a, u.expression(), condition, u.names, values)
}

// Rehash implements signin.Rehasher. It replaces the hash that the new one was computed from, and never a
// newer password (V08).
func (s OwnPasswords) Rehash(ctx context.Context, env environment.Environment, a account.Account, hash string) error {
	return s.updateRow(ctx, env, a, "SET pw = :pw", "id = :id AND pw = :was", nil, table.Item{
		":id": table.S(a.ID), ":pw": table.S(hash), ":was": table.S(a.PasswordHash),
	})
}

// updateRow updates an account's row if the condition holds. If not, somebody else changed the row first, which is no
// error.
func (s OwnPasswords) updateRow(
	ctx context.Context, env environment.Environment, a account.Account, update, condition string,
	names map[string]string, values table.Item,
) error {
	_, err := s.UpdateRetrying(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: schema.RowKey(env.ID, a.DirectoryKey()).Attributes(), UpdateExpression: &update,
		ConditionExpression: &condition, ExpressionAttributeNames: names, ExpressionAttributeValues: values,
	})
	_, _, err = table.ConditionHeld(err)
	return err
}
