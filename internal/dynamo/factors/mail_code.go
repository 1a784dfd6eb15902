package factors

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/mail"
	"useraccounts/internal/mfa"
)

// mailedAtAttributes are the times of the last codes, newest first: as many as decide whether another may be sent.
func mailedAtAttributes() [mfa.MailCodeLimit]string { return [...]string{"t1", "t2", "t3"} }

// SaveMailCode implements signin.MailCodeStore: the code and its mail in one transaction. It replaces an earlier
// code.
func (s Store) SaveMailCode(
	ctx context.Context, env, accountID string, c mfa.MailedCode, m mail.Message,
) (bool, error) {
	at := mailedAtAttributes()
	tx := table.Transaction{table.Update(&types.Update{
		TableName: &s.Name, Key: schema.MailCodeKey(accountID).Attributes(),
		UpdateExpression: aws.String("SET pw = :hash, ticket = :ticket, expires = :ends, tries = :none, #ttl = :ttl, " +
			at[0] + " = :now, " + at[1] + " = if_not_exists(" + at[0] + ", :none), " + at[2] + " = if_not_exists(" + at[1] +
			", :none)"),
		ConditionExpression: aws.String("(attribute_not_exists(" + at[2] + ") OR " + at[2] +
			" <= :window) AND (attribute_not_exists(streak) OR streak < :most)"),
		ExpressionAttributeNames: map[string]string{"#ttl": "ttl"},
		ExpressionAttributeValues: table.Item{
			":hash": table.S(c.Hash), ":ticket": table.S(c.Ticket), ":ends": table.Timestamp(c.Expires), ":none": table.N(0),
			":now": table.N(c.Sent.UnixMilli()),
			// The count of wrong codes in a row is kept longer than the code.
			":ttl":    table.N(c.Sent.AddDate(1, 0, 0).Unix()),
			":window": table.N(c.Sent.Add(-mfa.MailCodeWindow).UnixMilli()), ":most": table.N(mfa.StreakLimit),
		},
	}, schema.ConcurrentChange)}
	mails, err := schema.Mails(s.Table, []mail.Message{m})
	if err != nil {
		return false, err
	}
	err = s.commitWithAnchor(ctx, env, accountID, append(tx, mails...))
	var cancelled *table.CancelledError
	if errors.As(err, &cancelled) {
		return false, nil
	}
	return err == nil, err
}

// ReserveMailCodeAttempt implements signin.MailCodeStore: one write counts the attempt before the code is compared.
func (s Store) ReserveMailCodeAttempt(
	ctx context.Context, accountID, ticket string, now time.Time,
) (mfa.MailedCode, bool, error) {
	out, err := s.UpdateRetrying(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: schema.MailCodeKey(accountID).Attributes(),
		UpdateExpression: aws.String("ADD tries :one, streak :one"),
		ConditionExpression: aws.String(
			"attribute_exists(pw) AND ticket = :ticket AND tries < :limit AND expires > :now AND " +
				"(attribute_not_exists(streak) OR streak < :most)"),
		ExpressionAttributeValues: table.Item{
			":one": table.N(1), ":ticket": table.S(ticket), ":limit": table.N(mfa.MailCodeTryLimit),
			":now":  table.Timestamp(now),
			":most": table.N(mfa.StreakLimit),
		}, ReturnValues: types.ReturnValueAllNew,
	})
	counted, _, err := table.ConditionHeld(err)
	if err != nil || !counted {
		return mfa.MailedCode{}, false, err
	}
	it := out.Attributes
	return mfa.MailedCode{
		Ticket: table.String(it, "ticket"), Hash: table.String(it, schema.AttrHash),
		Expires: table.Time(it, schema.AttrExpires),
		Tries:   table.Int(it, schema.AttrTries), Streak: table.Int(it, attrStreak),
	}, true, nil
}

// commitWithAnchor writes items of an account. Its anchor counts the write, so that a deletion notices it.
func (s Store) commitWithAnchor(ctx context.Context, env, accountID string, tx table.Transaction) error {
	tx = append(tx, table.Update(&types.Update{
		TableName: &s.Name, Key: schema.AnchorKey(accountID).Attributes(), UpdateExpression: aws.String("ADD tabs :one"),
		ConditionExpression:       aws.String("env = :env"),
		ExpressionAttributeValues: table.Item{":one": table.N(1), ":env": table.S(env)},
	}, schema.ConcurrentChange))
	return s.Transact(ctx, tx.Items())
}
