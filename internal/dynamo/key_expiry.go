package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/apikey"
	"useraccounts/internal/environment"
	"useraccounts/internal/field"
	"useraccounts/internal/mail"
	"useraccounts/internal/session"
)

// Reminders reads which keys expire soon, and notes who was told.
type Reminders struct {
	Accounts
	*Environments
}

var _ apikey.ReminderStore = Reminders{}

// keyExpiryItem is a key's place among those that expire. It is swept after the key's end.
func keyExpiryItem(env string, k session.APIKey) item {
	at := keyExpiryKey(env, field.FormatInstant(k.Expires), k.AccountID, k.ID)
	return item{
		"PK": str(at.pk), "SK": str(at.sk), "account": str(k.AccountID), "key": str(k.ID), "expires": timestamp(k.Expires),
		"ttl": num(k.Expires.Add(24 * time.Hour).Unix()),
	}
}

// Key implements apikey.ReminderStore.
func (s Reminders) Key(ctx context.Context, accountID, id string) (session.APIKey, error) {
	return APIKeys{Table: s.Accounts.Table}.Key(ctx, accountID, id)
}

// ExpiringKeys implements apikey.ReminderStore.
func (s Reminders) ExpiringKeys(ctx context.Context, env string, from, until time.Time, after string,
	limit int) ([]apikey.ExpiringKey, string, error) {
	in := &dynamodb.QueryInput{
		TableName: &s.Accounts.Name, ConsistentRead: aws.Bool(true), Limit: aws.Int32(int32(limit)),
		//nolint:gosec // limits are small
		KeyConditionExpression: aws.String("PK = :pk AND SK BETWEEN :from AND :until"),
		ExpressionAttributeValues: item{
			":pk": str(keyExpiryPK(env)), ":from": str(keyExpiryKey(env, field.FormatInstant(from), "", "").sk),
			":until": str(keyExpiryKey(env, field.FormatInstant(until), "~", "").sk),
		},
	}
	if after != "" {
		in.ExclusiveStartKey = key{keyExpiryPK(env), after}.attributes()
	}
	out, err := s.Accounts.Client.Query(ctx, in)
	if err != nil {
		return nil, "", storeError("read", err)
	}
	found := make([]apikey.ExpiringKey, len(out.Items))
	for i, it := range out.Items {
		found[i] = apikey.ExpiringKey{
			AccountID: text(it, "account"), KeyID: text(it, "key"), Expires: instant(it, "expires"),
			RemindedDaysBefore: number(it, "told"), Position: text(it, "SK"),
		}
	}
	if len(out.LastEvaluatedKey) == 0 || len(found) == 0 {
		return found, "", nil
	}
	return found, found[len(found)-1].Position, nil
}

// RecordReminder implements apikey.ReminderStore.
func (s Reminders) RecordReminder(ctx context.Context, env environment.Environment, e apikey.ExpiringKey, days int64,
	mails []mail.Message) error {
	p, err := s.Accounts.mailItems(mails)
	if err != nil {
		return err
	}
	p = append(p, op{types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Accounts.Name, Key: key{keyExpiryPK(env.ID), e.Position}.attributes(),
		UpdateExpression:          aws.String("SET told = :days"),
		ConditionExpression:       aws.String("attribute_exists(PK) AND (attribute_not_exists(told) OR told > :days)"),
		ExpressionAttributeValues: item{":days": num(days)},
	}}, concurrentChange})
	return s.Accounts.commit(ctx, p)
}
