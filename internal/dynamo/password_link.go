package dynamo

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/account"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
)

// PasswordLinkUpdate replaces an account's password link. The times of earlier requests stay on the item.
func PasswordLinkUpdate(t *table.Table, env string, l account.PasswordLink) *types.Update {
	return &types.Update{
		TableName: &t.Name, Key: schema.PasswordLinkKey(l.AccountID).Attributes(),
		UpdateExpression: aws.String(
			"SET env = :env, #hash = :hash, purpose = :purpose, sent = :sent, ends = :ends, #to = :to, was = :was, #ttl = :ttl"),
		ExpressionAttributeNames: map[string]string{"#hash": "hash", "#to": "to", "#ttl": "ttl"},
		ExpressionAttributeValues: table.Item{
			":env": table.S(env), ":hash": table.B(l.Hash), ":purpose": table.S(string(l.Purpose)),
			":sent": table.Timestamp(l.Sent),
			":ends": table.Timestamp(l.Expires),
			":to":   table.S(l.To), ":was": table.B(l.PasswordDigest), ":ttl": table.N(l.Expires.Add(24 * time.Hour).Unix()),
		},
	}
}

// usedPasswordLinkItem removes the link with this hash. Of two that use it at once, one finds it gone (C31).
func usedPasswordLinkItem(t *table.Table, accountID string, hash []byte) table.Op {
	return table.Update(&types.Update{
		TableName: &t.Name, Key: schema.PasswordLinkKey(accountID).Attributes(), UpdateExpression: aws.String("REMOVE #hash"),
		ConditionExpression: aws.String("#hash = :hash"), ExpressionAttributeNames: map[string]string{"#hash": "hash"},
		ExpressionAttributeValues: table.Item{":hash": table.B(hash)},
	}, schema.ConcurrentChange)
}

// passwordItems returns what a write changes besides the account: its password link and its mails.
func (s Accounts) passwordItems(env string, w account.Write) (table.Transaction, error) {
	tx, err := schema.Mails(s.Table, w.Mails)
	if err != nil {
		return nil, err
	}
	if w.PasswordLink != nil {
		tx = append(tx, table.Update(PasswordLinkUpdate(s.Table, env, *w.PasswordLink), schema.ConcurrentChange))
	}
	if w.ConsumeLinkHash != nil {
		tx = append(tx, usedPasswordLinkItem(s.Table, w.After.ID, w.ConsumeLinkHash))
	}
	return tx, nil
}
