package attempts

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"useraccounts/internal/auditlog"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
	"useraccounts/internal/mfa"
	"useraccounts/internal/signin"
)

// ReserveDeviceAttempt implements signin.Accounts. The attempt is counted and the account read in parallel, which is
// one round trip. The condition is the secret that was read: a device whose secret was replaced meanwhile, or that is
// no longer trusted, is not charged.
func (s Store) ReserveDeviceAttempt(
	ctx context.Context, env environment.Environment, row, accountID string, d mfa.TrustedDevice, limit int,
) (signin.Attempt, error) {
	var got signin.Attempt
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error {
		out, err := s.UpdateRetrying(ctx, &dynamodb.UpdateItemInput{
			TableName: &s.Name, Key: schema.TrustedDeviceKey(accountID, d.ID).Attributes(),
			UpdateExpression:          aws.String("ADD tries :one"),
			ConditionExpression:       aws.String("#hash = :hash AND (attribute_not_exists(tries) OR tries < :limit)"),
			ExpressionAttributeNames:  map[string]string{"#hash": "hash"},
			ExpressionAttributeValues: table.Item{":one": table.N(1), ":hash": table.B(d.Hash), ":limit": table.N(int64(limit))},
			ReturnValues:              types.ReturnValueAllNew,
		})
		charged, _, err := table.ConditionHeld(err)
		if charged {
			got.Device, got.Reserved = schema.TrustedDeviceOf(out.Attributes), true
		}
		return err
	})
	both.Go(func() error {
		it, err := s.Get(ctx, schema.RowKey(env.ID, row))
		if err != nil || it == nil {
			return err
		}
		got.Account, got.Found = schema.AccountOf(it, schema.VisibleAt(env.Imports, it))
		return nil
	})
	if err := both.Wait(); err != nil {
		return signin.Attempt{}, err
	}
	got.Reserved = got.Reserved && got.Found
	got.Account.TriesBlockedAt, got.Account.Stored.SeparateTries = time.Time{}, true
	return got, nil
}

// forgetDevice writes the last failure of a trusted device and removes the device; account.ErrConcurrentChange if its
// tries were reset meanwhile, or it is gone.
func (s Store) forgetDevice(ctx context.Context, r signin.FailedAttempt, failed auditlog.Event, limit int) error {
	it, err := schema.Event(r.Account.ID, failed)
	if err != nil {
		return err
	}
	var tx table.Transaction
	tx.Put(s.Table, it, schema.ConcurrentChange)
	tx = append(tx, table.Delete(&types.Delete{
		TableName: &s.Name, Key: schema.TrustedDeviceKey(r.Account.ID, r.RevokedDevice.ID).Attributes(),
		ConditionExpression:       aws.String("tries >= :limit"),
		ExpressionAttributeValues: table.Item{":limit": table.N(int64(limit))},
	}, schema.ConcurrentChange))
	return schema.AsConcurrentChange(s.Transact(ctx, tx.Items()))
}
