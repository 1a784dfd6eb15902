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
	"useraccounts/internal/journal"
	"useraccounts/internal/signin"
)

var _ signin.Accounts = Accounts{}

// decoys is over how many items the tries of unknown users are spread.
const decoys = 16

// Find implements signin.Accounts: one round trip, whoever is asked for.
func (s Accounts) Find(ctx context.Context, env, identifier string) (environment.Environment, string, error) {
	leads := rowKey(env, identifier)
	byEmail := account.MayBeEmail(identifier)
	if byEmail {
		leads = loginKey(env, identifier)
	}
	items, err := s.getAll(ctx, []key{leads, headKey(env)})
	if err != nil {
		return environment.Environment{}, "", err
	}
	head, err := headOf(env, items[1])
	if err != nil || items[0] == nil {
		return head, "", err
	}
	seen := head.Imports.Sees(number(items[0], attrImport))
	if byEmail {
		return head, leadsTo(items[0], seen), nil
	}
	if _, ok := accountOf(items[0], seen); !ok {
		return head, "", nil
	}
	return head, identifier, nil
}

// leadsTo returns the directory key that a login key leads to. An import marks a key it takes with gone and a key it makes
// without; unseen, the first still leads and the second does not yet.
func leadsTo(it item, seen bool) string {
	if flag(it, attrGone) == seen && it[attrImport] != nil {
		return ""
	}
	return text(it, "row")
}

// Charge implements signin.Accounts: one round trip and one write, whoever is charged.
func (s Accounts) Charge(ctx context.Context, env environment.Environment, row string, limit int) (signin.Charged, error) {
	k := rowKey(env.ID, row)
	condition := "attribute_exists(PK) AND tries < :limit AND attribute_not_exists(blockedAt)"
	values := item{":one": num(1), ":limit": num(int64(limit))}
	if row == "" {
		k = decoyKey(env.ID, below(decoys))
		condition = "attribute_not_exists(blockedAt) OR tries < :limit"
	}
	out, err := s.updateUnlessConflicting(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: k.attributes(), UpdateExpression: aws.String("ADD tries :one"),
		ConditionExpression: &condition, ExpressionAttributeValues: values, ReturnValues: types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	charged, current, err := conditionHeld(err)
	if err != nil {
		return signin.Charged{}, err
	}
	if charged {
		current = out.Attributes
	}
	if row == "" || current == nil {
		return signin.Charged{}, nil
	}
	a, ok := accountOf(current, env.Imports.Sees(number(current, attrImport)))
	return signin.Charged{Account: a, Found: ok, Charged: charged && ok}, nil
}

// BlockByTries implements signin.Accounts. The block and the event that tells of it are one write; a second call, or one
// after somebody was let in, does nothing.
func (s Accounts) BlockByTries(ctx context.Context, env environment.Environment, a account.Account, at time.Time, eventID string) error {
	event, err := eventItem(a.ID, journal.Event{
		ID: eventID, At: at, Kind: journal.BlockedByTries, Keep: env.Settings.LogRetentionDays,
	})
	if err != nil {
		return err
	}
	var p parts
	p.put(s.Table, event, raced)
	p = append(p, part{types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: rowKey(env.ID, a.DirectoryKey()).attributes(),
		UpdateExpression:          aws.String("SET blockedAt = :at"),
		ConditionExpression:       aws.String("id = :id AND tries >= :limit AND attribute_not_exists(blockedAt)"),
		ExpressionAttributeValues: item{":at": when(at), ":id": str(a.ID), ":limit": num(int64(env.Settings.TryLimit()))},
	}}, raced})
	if err := racedIfCancelled(s.transact(ctx, p.items())); err != nil && !errors.Is(err, account.ErrRaced) {
		return err
	}
	return nil
}
