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
	_ signin.OwnPasswords     = Passwords{}
	_ account.FormerPasswords = Passwords{}
)

// attrFormerHashes is the list on the item of former passwords.
const attrFormerHashes = "pws"

// Former implements account.FormerPasswords.
func (s Passwords) Former(ctx context.Context, accountID string) ([]string, error) {
	it, err := s.get(ctx, formerKey(accountID))
	if err != nil {
		return nil, err
	}
	return texts(it, attrFormerHashes), nil
}

// formerPart replaces an account's former passwords. It needs no condition of its own: whoever writes it sets the password in
// the same transaction, which depends on the account being as it was before the former ones were read.
func (t *Table) formerPart(accountID string, hashes []string) part {
	k := formerKey(accountID)
	if len(hashes) == 0 {
		return part{types.TransactWriteItem{Delete: &types.Delete{TableName: &t.Name, Key: k.attributes()}}, raced}
	}
	return part{types.TransactWriteItem{Put: &types.Put{TableName: &t.Name, Item: item{
		"PK": str(k.pk), "SK": str(k.sk), attrFormerHashes: list(hashes),
	}}}, raced}
}

// Account implements signin.OwnPasswords.
func (s Passwords) Account(ctx context.Context, env environment.Environment, id string) (account.Account, error) {
	return Accounts(s).Account(ctx, env, id)
}

// Rekey implements signin.OwnPasswords.
func (s Passwords) Rekey(ctx context.Context, env environment.Environment, w account.Write, old, opened session.Session) error {
	p, err := Accounts(s).plan(env.ID, w, 0)
	if err != nil {
		return err
	}
	// The write lifts a block by tries, but not one that came after the current password was verified (C07).
	row := p[0].write.Update
	row.ConditionExpression = aws.String(*row.ConditionExpression + " AND attribute_not_exists(blockedAt)")
	p = append(p, part{types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: sessionKey(old.AccountID, old.ID).attributes(),
		UpdateExpression:          aws.String("SET closed = :at, why = :why"),
		ConditionExpression:       aws.String("epoch = :epoch AND attribute_not_exists(closed)"),
		ExpressionAttributeValues: item{":at": when(opened.Start), ":why": str(string(session.ClosedByOwner)), ":epoch": num(old.Epoch)},
	}}, raced})
	p.put(s.Table, logged(env, opened), raced)
	return racedIfCancelled(s.transact(ctx, p.items()))
}

// ClearTries implements signin.OwnPasswords.
func (s Passwords) ClearTries(ctx context.Context, env environment.Environment, a account.Account, now time.Time) error {
	condition, values := sameEpoch(env, a, now)
	values[":none"] = num(0)
	return s.onRow(ctx, env, a, "SET tries = :none REMOVE blockedAt, tried", condition, values)
}

// Rehash implements signin.OwnPasswords: it replaces the hash that it was made of, and never a newer password (V08).
func (s Passwords) Rehash(ctx context.Context, env environment.Environment, a account.Account, hash string) error {
	return s.onRow(ctx, env, a, "SET pw = :pw", "id = :id AND pw = :was", item{
		":id": str(a.ID), ":pw": str(hash), ":was": str(a.PasswordHash),
	})
}

// onRow updates an account's row if the condition holds; that it does not is no fault, somebody else was first.
func (s Passwords) onRow(ctx context.Context, env environment.Environment, a account.Account, update, condition string, values item) error {
	_, err := s.updateUnlessConflicting(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: rowKey(env.ID, a.DirectoryKey()).attributes(), UpdateExpression: &update,
		ConditionExpression: &condition, ExpressionAttributeValues: values,
	})
	_, _, err = conditionHeld(err)
	return err
}
