package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"useraccounts/internal/environment"
	"useraccounts/internal/journal"
	"useraccounts/internal/mfa"
	"useraccounts/internal/signin"
)

// ChargeDevice implements signin.Accounts: the try is counted and the account read at the same time, in one round trip. The
// condition is the secret that was read, so a device whose secret was replaced by then, or that was forgotten, is not charged.
func (s Accounts) ChargeDevice(
	ctx context.Context, env environment.Environment, row, accountID string, d mfa.Device, limit int,
) (signin.Charged, error) {
	var got signin.Charged
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error {
		out, err := s.updateUnlessConflicting(ctx, &dynamodb.UpdateItemInput{
			TableName: &s.Name, Key: deviceKey(accountID, d.ID).attributes(), UpdateExpression: aws.String("ADD tries :one"),
			ConditionExpression:       aws.String("#hash = :hash AND (attribute_not_exists(tries) OR tries < :limit)"),
			ExpressionAttributeNames:  map[string]string{"#hash": "hash"},
			ExpressionAttributeValues: item{":one": num(1), ":hash": bin(d.Hash), ":limit": num(int64(limit))}, ReturnValues: types.ReturnValueAllNew,
		})
		charged, _, err := conditionHeld(err)
		if charged {
			got.Device, got.Charged = deviceOf(out.Attributes), true
		}
		return err
	})
	both.Go(func() error {
		it, err := s.get(ctx, rowKey(env.ID, row))
		if err != nil || it == nil {
			return err
		}
		got.Account, got.Found = accountOf(it, asSeen(env.Imports, it))
		return nil
	})
	if err := both.Wait(); err != nil {
		return signin.Charged{}, err
	}
	got.Charged = got.Charged && got.Found
	got.Account.TriesBlockedAt, got.Account.Stored.TriedApart = time.Time{}, true
	return got, nil
}

// forget writes the last failure of a trusted device and forgets it; account.ErrRaced if its tries began anew meanwhile, or it
// is gone.
func (s Accounts) forget(ctx context.Context, r signin.Refusal, failed journal.Event, limit int) error {
	it, err := eventItem(r.Account.ID, failed)
	if err != nil {
		return err
	}
	var p parts
	p.put(s.Table, it, raced)
	p = append(p, part{types.TransactWriteItem{Delete: &types.Delete{
		TableName: &s.Name, Key: deviceKey(r.Account.ID, r.Forgets.ID).attributes(), ConditionExpression: aws.String("tries >= :limit"),
		ExpressionAttributeValues: item{":limit": num(int64(limit))},
	}}, raced})
	return racedIfCancelled(s.transact(ctx, p.items()))
}
