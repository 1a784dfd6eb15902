package dynamo

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/mail"
	"useraccounts/internal/mfa"
)

// mailedAtAttributes are when codes were mailed, newest first, as many as decide whether one more may be.
func mailedAtAttributes() [mfa.MailCodeLimit]string { return [...]string{"t1", "t2", "t3"} }

// SaveMailCode implements signin.MailCodeStore: the code and its mail, in place of any before, or neither.
func (s Factors) SaveMailCode(ctx context.Context, env, accountID string, c mfa.MailedCode, m mail.Message) (bool,
	error) {
	at := mailedAtAttributes()
	p := transaction{{types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: mailCodeKey(accountID).attributes(),
		UpdateExpression: aws.String("SET pw = :hash, ticket = :ticket, expires = :ends, tries = :none, #ttl = :ttl, " +
			at[0] + " = :now, " + at[1] + " = if_not_exists(" + at[0] + ", :none), " + at[2] + " = if_not_exists(" + at[1] +
			", :none)"),
		ConditionExpression: aws.String("(attribute_not_exists(" + at[2] + ") OR " + at[2] +
			" <= :window) AND (attribute_not_exists(streak) OR streak < :most)"),
		ExpressionAttributeNames: map[string]string{"#ttl": "ttl"},
		ExpressionAttributeValues: item{
			":hash": str(c.Hash), ":ticket": str(c.Ticket), ":ends": timestamp(c.Expires), ":none": num(0),
			":now": num(c.Sent.UnixMilli()),
			// The wrong goes in a row are remembered longer than the code.
			":ttl":    num(c.Sent.AddDate(1, 0, 0).Unix()),
			":window": num(c.Sent.Add(-mfa.MailCodeWindow).UnixMilli()), ":most": num(mfa.StreakLimit),
		},
	}}, concurrentChange}}
	mails, err := s.mailItems([]mail.Message{m})
	if err != nil {
		return false, err
	}
	err = s.commitWithAnchor(ctx, env, accountID, append(p, mails...))
	var cancelled *cancelledError
	if errors.As(err, &cancelled) {
		return false, nil
	}
	return err == nil, err
}

// ReserveMailCodeAttempt implements signin.MailCodeStore: one write counts the go before the code is looked at.
func (s Factors) ReserveMailCodeAttempt(ctx context.Context, accountID, ticket string, now time.Time) (mfa.MailedCode,
	bool, error) {
	out, err := s.updateRetrying(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: mailCodeKey(accountID).attributes(),
		UpdateExpression: aws.String("ADD tries :one, streak :one"),
		ConditionExpression: aws.String(
			"attribute_exists(pw) AND ticket = :ticket AND tries < :limit AND expires > :now AND " +
				"(attribute_not_exists(streak) OR streak < :most)"),
		ExpressionAttributeValues: item{
			":one": num(1), ":ticket": str(ticket), ":limit": num(mfa.MailCodeTryLimit), ":now": timestamp(now),
			":most": num(mfa.StreakLimit),
		}, ReturnValues: types.ReturnValueAllNew,
	})
	counted, _, err := conditionHeld(err)
	if err != nil || !counted {
		return mfa.MailedCode{}, false, err
	}
	it := out.Attributes
	return mfa.MailedCode{
		Ticket: text(it, "ticket"), Hash: text(it, attrHash), Expires: instant(it, attrExpires),
		Tries: number(it, attrTries), Streak: number(it, attrStreak),
	}, true, nil
}

// commitWithAnchor writes what belongs to an account. Its anchor counts the write, so that a deletion sees it.
func (s Factors) commitWithAnchor(ctx context.Context, env, accountID string, p transaction) error {
	p = append(p, op{types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: anchorKey(accountID).attributes(), UpdateExpression: aws.String("ADD tabs :one"),
		ConditionExpression: aws.String("env = :env"), ExpressionAttributeValues: item{":one": num(1), ":env": str(env)},
	}}, concurrentChange})
	return s.transact(ctx, p.items())
}
