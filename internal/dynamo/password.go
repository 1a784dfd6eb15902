package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/account"
	"useraccounts/internal/environment"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
)

// Passwords keeps what belongs to passwords besides the present one.
type Passwords struct {
	*Table
}

var (
	_ signin.OwnPasswordStore       = Passwords{}
	_ account.PasswordHistoryReader = Passwords{}
)

// attrPasswordHistory is the list on the item of former passwords.
const attrPasswordHistory = "pws"

// PreviousHashes implements account.PasswordHistoryReader.
func (s Passwords) PreviousHashes(ctx context.Context, accountID string) ([]string, error) {
	it, err := s.get(ctx, passwordHistoryKey(accountID))
	if err != nil {
		return nil, err
	}
	return texts(it, attrPasswordHistory), nil
}

// passwordHistoryItem replaces an account's former passwords. It needs no condition of its own: whoever writes it sets
// the password in the same transaction, which depends on the account being as it was before the former ones were read.
func (t *Table) passwordHistoryItem(accountID string, hashes []string) op {
	k := passwordHistoryKey(accountID)
	if len(hashes) == 0 {
		return op{types.TransactWriteItem{Delete: &types.Delete{TableName: &t.Name, Key: k.attributes()}}, concurrentChange}
	}
	return op{types.TransactWriteItem{Put: &types.Put{TableName: &t.Name, Item: item{
		"PK": str(k.pk), "SK": str(k.sk), attrPasswordHistory: list(hashes),
	}}}, concurrentChange}
}

// Account implements signin.OwnPasswordStore.
func (s Passwords) Account(ctx context.Context, env environment.Environment, id string) (account.Account, error) {
	return Accounts(s).Account(ctx, env, id)
}

// ReplacePassword implements signin.OwnPasswordStore.
func (s Passwords) ReplacePassword(ctx context.Context, env environment.Environment, w account.Write, old,
	opened session.Session) error {
	p, err := Accounts(s).transactionItems(env.ID, w, 0)
	if err != nil {
		return err
	}
	// The write lifts a block by tries, but not one that came after the current password was verified (C07).
	row := p[0].write.Update
	row.ConditionExpression = aws.String(*row.ConditionExpression + " AND attribute_not_exists(blockedAt)")
	p = append(p, op{types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: sessionKey(old.AccountID, old.ID).attributes(),
		UpdateExpression:    aws.String("SET closed = :at, why = :why"),
		ConditionExpression: aws.String("epoch = :epoch AND attribute_not_exists(closed)"),
		ExpressionAttributeValues: item{":at": timestamp(opened.Start), ":why": str(string(session.ClosedByOwner)),
			":epoch": num(old.Epoch)},
	}}, concurrentChange})
	p.put(s.Table, loggedSessionItem(env, opened), concurrentChange)
	return asConcurrentChange(s.transact(ctx, p.items()))
}

// ClearTries implements signin.OwnPasswordStore.
func (s Passwords) ClearTries(ctx context.Context, env environment.Environment, a account.Account,
	now time.Time) error {
	condition, values := signInCondition(env, a, now)
	values[":none"] = num(0)
	return s.updateRow(ctx, env, a, "SET tries = :none REMOVE blockedAt, tried", condition, values)
}

// Rehash implements signin.OwnPasswordStore: it replaces the hash that it was made of, and never a newer password
// (V08).
func (s Passwords) Rehash(ctx context.Context, env environment.Environment, a account.Account, hash string) error {
	return s.updateRow(ctx, env, a, "SET pw = :pw", "id = :id AND pw = :was", item{
		":id": str(a.ID), ":pw": str(hash), ":was": str(a.PasswordHash),
	})
}

// updateRow updates an account's row if the condition holds; that it does not is no fault, somebody else was first.
func (s Passwords) updateRow(ctx context.Context, env environment.Environment, a account.Account, update,
	condition string, values item) error {
	_, err := s.updateRetrying(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: rowKey(env.ID, a.DirectoryKey()).attributes(), UpdateExpression: &update,
		ConditionExpression: &condition, ExpressionAttributeValues: values,
	})
	_, _, err = conditionHeld(err)
	return err
}
