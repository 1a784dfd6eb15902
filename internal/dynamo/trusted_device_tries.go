package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"useraccounts/internal/auditlog"
	"useraccounts/internal/environment"
	"useraccounts/internal/mfa"
	"useraccounts/internal/signin"
)

// ReserveDeviceAttempt implements signin.Accounts: the try is counted and the account read at the same time, in one
// round trip. The condition is the secret that was read, so a device whose secret was replaced by then, or that was
// forgotten, is not charged.
func (s Accounts) ReserveDeviceAttempt(
	ctx context.Context, env environment.Environment, row, accountID string, d mfa.TrustedDevice, limit int,
) (signin.Attempt, error) {
	var got signin.Attempt
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error {
		out, err := s.updateRetrying(ctx, &dynamodb.UpdateItemInput{
			TableName: &s.Name, Key: trustedDeviceKey(accountID, d.ID).attributes(),
			UpdateExpression:          aws.String("ADD tries :one"),
			ConditionExpression:       aws.String("#hash = :hash AND (attribute_not_exists(tries) OR tries < :limit)"),
			ExpressionAttributeNames:  map[string]string{"#hash": "hash"},
			ExpressionAttributeValues: item{":one": num(1), ":hash": bin(d.Hash), ":limit": num(int64(limit))},
			ReturnValues:              types.ReturnValueAllNew,
		})
		charged, _, err := conditionHeld(err)
		if charged {
			got.Device, got.Reserved = trustedDeviceOf(out.Attributes), true
		}
		return err
	})
	both.Go(func() error {
		it, err := s.get(ctx, rowKey(env.ID, row))
		if err != nil || it == nil {
			return err
		}
		got.Account, got.Found = accountOf(it, visibleAt(env.Imports, it))
		return nil
	})
	if err := both.Wait(); err != nil {
		return signin.Attempt{}, err
	}
	got.Reserved = got.Reserved && got.Found
	got.Account.TriesBlockedAt, got.Account.Stored.DeviceAttempt = time.Time{}, true
	return got, nil
}

// forgetDevice writes the last failure of a trusted device and forgets it; account.ErrConcurrentChange if its tries
// began anew meanwhile, or it is gone.
func (s Accounts) forgetDevice(ctx context.Context, r signin.FailedAttempt, failed auditlog.Event, limit int) error {
	it, err := eventItem(r.Account.ID, failed)
	if err != nil {
		return err
	}
	var p transaction
	p.put(s.Table, it, concurrentChange)
	p = append(p, op{types.TransactWriteItem{Delete: &types.Delete{
		TableName: &s.Name, Key: trustedDeviceKey(r.Account.ID, r.RevokedDevice.ID).attributes(),
		ConditionExpression:       aws.String("tries >= :limit"),
		ExpressionAttributeValues: item{":limit": num(int64(limit))},
	}}, concurrentChange})
	return asConcurrentChange(s.transact(ctx, p.items()))
}
