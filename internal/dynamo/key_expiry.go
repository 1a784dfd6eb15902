package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/apikey"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
	"useraccounts/internal/field"
	"useraccounts/internal/mail"
	"useraccounts/internal/session"
)

// Reminders reads which keys expire soon, and records which reminders were sent.
type Reminders struct {
	Accounts
	*Environments
}

var _ apikey.ReminderStore = Reminders{}

// keyExpiryItem is a key's entry among those that expire. It expires itself a day after the key.
func keyExpiryItem(env string, k session.APIKey) table.Item {
	at := schema.KeyExpiryKey(env, field.FormatInstant(k.Expires), k.AccountID, k.ID)
	return table.Item{
		"PK": table.S(at.PK), "SK": table.S(at.SK), "account": table.S(k.AccountID), "key": table.S(k.ID),
		"expires": table.Timestamp(k.Expires),
		"ttl":     table.N(k.Expires.Add(24 * time.Hour).Unix()),
	}
}

// Key implements apikey.ReminderStore.
func (s Reminders) Key(ctx context.Context, accountID, id string) (session.APIKey, error) {
	return APIKeys{Table: s.Accounts.Table}.Key(ctx, accountID, id)
}

// ExpiringKeys implements apikey.ReminderStore.
func (s Reminders) ExpiringKeys(
	ctx context.Context, env string, from, until time.Time, after string, limit int,
) ([]apikey.ExpiringKey, string, error) {
	in := &dynamodb.QueryInput{
		TableName: &s.Accounts.Name, ConsistentRead: aws.Bool(true),
		Limit:                  aws.Int32(int32(limit)), //nolint:gosec // limits are small
		KeyConditionExpression: aws.String("PK = :pk AND SK BETWEEN :from AND :until"),
		ExpressionAttributeValues: table.Item{
			":pk":    table.S(schema.KeyExpiryPK(env)),
			":from":  table.S(schema.KeyExpiryKey(env, field.FormatInstant(from), "", "").SK),
			":until": table.S(schema.KeyExpiryKey(env, field.FormatInstant(until), "~", "").SK),
		},
	}
	if after != "" {
		in.ExclusiveStartKey = table.NewKey(schema.KeyExpiryPK(env), after).Attributes()
	}
	out, err := s.Accounts.Client.Query(ctx, in)
	if err != nil {
		return nil, "", table.WrapError("read", err)
	}
	found := make([]apikey.ExpiringKey, len(out.Items))
	for i, it := range out.Items {
		found[i] = apikey.ExpiringKey{
			AccountID: table.String(it, "account"), KeyID: table.String(it, "key"), Expires: table.Time(it, "expires"),
			RemindedDaysBefore: table.Int(it, "told"), Position: table.String(it, "SK"),
		}
	}
	if len(out.LastEvaluatedKey) == 0 || len(found) == 0 {
		return found, "", nil
	}
	return found, found[len(found)-1].Position, nil
}

// RecordReminder implements apikey.ReminderStore.
func (s Reminders) RecordReminder(
	ctx context.Context, env environment.Environment, e apikey.ExpiringKey, days int64, mails []mail.Message,
) error {
	tx, err := schema.Mails(s.Accounts.Table, mails)
	if err != nil {
		return err
	}
	tx = append(tx, table.Update(&types.Update{
		TableName: &s.Accounts.Name, Key: table.NewKey(schema.KeyExpiryPK(env.ID), e.Position).Attributes(),
		UpdateExpression:          aws.String("SET told = :days"),
		ConditionExpression:       aws.String("attribute_exists(PK) AND (attribute_not_exists(told) OR told > :days)"),
		ExpressionAttributeValues: table.Item{":days": table.N(days)},
	}, schema.ConcurrentChange))
	return s.Accounts.Commit(ctx, tx)
}
