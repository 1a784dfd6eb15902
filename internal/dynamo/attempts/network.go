package attempts

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
	"useraccounts/internal/signin"
)

// ReserveNetworkAttempt implements signin.Accounts: one write, as ReserveAttempt.
func (s Store) ReserveNetworkAttempt(
	ctx context.Context, env environment.Environment, row, network string, rule signin.AttemptPolicy,
) (signin.Attempt, error) {
	out, err := s.UpdateRetrying(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: schema.RowKey(env.ID, row).Attributes(),
		UpdateExpression:         aws.String("SET nets.#net.tries = nets.#net.tries + :one"),
		ConditionExpression:      aws.String("nets.#net.#day >= :since AND nets.#net.tries < :limit"),
		ExpressionAttributeNames: map[string]string{"#net": network, "#day": "day"},
		ExpressionAttributeValues: table.Item{
			":one": table.N(1), ":limit": table.N(account.NetworkTryLimit(rule.Limit)),
			":since": table.S(string(account.NetworkKnownSince(rule.Now))),
		},
		ReturnValues: types.ReturnValueAllNew,
	})
	charged, _, err := table.ConditionHeld(err)
	if !charged {
		return signin.Attempt{}, err
	}
	a, ok := schema.AccountOf(out.Attributes, schema.VisibleAt(env.Imports, out.Attributes))
	a.TriesBlockedAt, a.Stored.SeparateTries, a.Stored.Network = time.Time{}, true, network
	return signin.Attempt{Account: a, Found: ok, Reserved: ok}, nil
}

// forgetNetwork writes the last failure from a known network and forgets the network, unless the right password came
// from there meanwhile. The account's login keys forget it beside that, so that no later attempt looks for it.
func (s Store) forgetNetwork(
	ctx context.Context, env environment.Environment, r signin.FailedAttempt, failed auditlog.Event,
) error {
	all, ctx := errgroup.WithContext(ctx)
	all.Go(func() error { return countEvent(ctx, s.Table, schema.EventKey(r.Account.ID, failed.ID), failed) })
	forget := func(k table.Key, condition string, values table.Item) {
		values[":id"] = table.S(r.Account.ID)
		all.Go(func() error {
			_, err := s.UpdateRetrying(ctx, &dynamodb.UpdateItemInput{
				TableName: &s.Name, Key: k.Attributes(), UpdateExpression: aws.String("REMOVE nets.#net"),
				ConditionExpression:      aws.String("id = :id AND attribute_exists(nets.#net)" + condition),
				ExpressionAttributeNames: map[string]string{"#net": r.ForgottenNetwork}, ExpressionAttributeValues: values,
			})
			_, _, err = table.ConditionHeld(err)
			return err
		})
	}
	forget(schema.RowKey(env.ID, r.Account.DirectoryKey()), " AND nets.#net.tries >= :limit",
		table.Item{":limit": table.N(account.NetworkTryLimit(env.Settings.TryLimit()))})
	for _, identifier := range r.Account.LoginKeys() {
		forget(schema.LoginKey(env.ID, identifier), "", table.Item{})
	}
	return all.Wait()
}
