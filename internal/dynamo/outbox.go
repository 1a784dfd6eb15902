package dynamo

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/auditlog"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/mail"
)

// Outbox keeps mails: those that wait to be sent, and the log of the others. Its Name is that of the outbox table.
type Outbox struct {
	*table.Table
}

var (
	_ mail.Outbox   = Outbox{}
	_ mail.LogStore = Outbox{}
)

// NewOutbox returns the outbox of a table that has one.
func NewOutbox(t *table.Table) Outbox { return Outbox{&table.Table{Client: t.Client, Name: t.Outbox}} }

// Claim implements mail.Outbox.
func (o Outbox) Claim(ctx context.Context, env, id string, now, lease time.Time) (mail.ClaimedMessage, bool, error) {
	out, err := o.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &o.Name, Key: schema.QueuedMailKey(env, id).Attributes(), ReturnValues: types.ReturnValueAllNew,
		UpdateExpression: aws.String("SET #state = :sending, due = :lease, attempt = attempt + :one"),
		// A claimed mail is due again when its lease ends.
		ConditionExpression:      aws.String("attribute_exists(PK) AND due <= :now"),
		ExpressionAttributeNames: map[string]string{"#state": "state"},
		ExpressionAttributeValues: table.Item{":sending": table.S(string(mail.Sending)), ":lease": table.Timestamp(lease),
			":now": table.Timestamp(now), ":one": table.N(1)},
	})
	held, _, err := table.ConditionHeld(err)
	if err != nil || !held {
		return mail.ClaimedMessage{}, false, err
	}
	return mail.ClaimedMessage{Message: schema.QueuedMailOf(env, out.Attributes),
			Attempt: table.Int(out.Attributes, "attempt")},
		true, nil
}

// Finish implements mail.Outbox: one transaction moves the mail from the outbox to the log, without its secret. It
// changes nothing if the lease has ended and another attempt followed: that one records the outcome.
func (o Outbox) Finish(ctx context.Context, c mail.ClaimedMessage, end mail.DeliveryResult) error {
	k := schema.MailLogKey(c.Env, c.ID)
	it := schema.QueuedMail(c.Message)
	it["PK"], it["SK"], it["state"], it["ended"] = table.S(k.PK), table.S(k.SK), table.S(string(end.State)),
		table.Timestamp(end.At)
	it["attempt"], it["ttl"] = table.N(c.Attempt), table.N(c.At.Add(auditlog.Retention(c.RetentionDays)).Unix())
	for _, name := range []string{"sealed", "due", "keep", "sender", "name"} {
		delete(it, name)
	}
	for name, value := range map[string]string{"messageId": end.MessageID, "why": end.Reason} {
		if value != "" {
			it[name] = table.S(value)
		}
	}
	var tx table.Transaction
	tx = append(tx, table.Delete(&types.Delete{
		TableName: &o.Name, Key: schema.QueuedMailKey(c.Env, c.ID).Attributes(),
		ConditionExpression:       aws.String("attempt = :mine"),
		ExpressionAttributeValues: table.Item{":mine": table.N(c.Attempt)},
	}, schema.ConcurrentChange))
	tx = append(tx, table.Put(&types.Put{TableName: &o.Name, Item: it}, schema.ConcurrentChange))
	err := o.Transact(ctx, tx.Items())
	var cancelled *table.CancelledError
	if errors.As(err, &cancelled) {
		return nil
	}
	return err
}

// Postpone implements mail.Outbox.
func (o Outbox) Postpone(ctx context.Context, c mail.ClaimedMessage, due time.Time, why string) error {
	_, err := o.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &o.Name, Key: schema.QueuedMailKey(c.Env, c.ID).Attributes(),
		UpdateExpression:         aws.String("SET #state = :queued, due = :due, why = :why"),
		ConditionExpression:      aws.String("attempt = :mine"),
		ExpressionAttributeNames: map[string]string{"#state": "state"},
		ExpressionAttributeValues: table.Item{
			":queued": table.S(string(mail.Queued)), ":due": table.Timestamp(due), ":mine": table.N(c.Attempt),
			":why": table.S(why),
		},
	})
	_, _, err = table.ConditionHeld(err)
	return err
}

// Due implements mail.Outbox. The partition has the waiting mails only, so its size is that of the backlog.
func (o Outbox) Due(ctx context.Context, env string, now time.Time, limit int) ([]string, error) {
	var out []string
	p := table.Query{PK: schema.QueuedMailPK(env), Limit: 200}
	for {
		items, more, err := o.Query(ctx, p)
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			if due := table.Time(it, "due"); !due.After(now) && len(out) < limit {
				out = append(out, table.String(it, "SK"))
			}
			p.After = table.String(it, "SK")
		}
		if !more || len(out) >= limit {
			return out, nil
		}
	}
}

// LogEntries implements mail.LogStore.
func (o Outbox) LogEntries(
	ctx context.Context, env, before string, ended bool, limit int,
) ([]mail.LogEntry, bool, error) {
	p := table.Query{PK: schema.QueuedMailPK(env), After: before, Backwards: true, Limit: limit}
	if ended {
		p.PK = schema.MailLogPK(env)
	}
	items, more, err := o.Query(ctx, p)
	if err != nil {
		return nil, false, err
	}
	out := make([]mail.LogEntry, len(items))
	for i, it := range items {
		m := schema.QueuedMailOf(env, it)
		out[i] = mail.LogEntry{
			ID: m.ID, Kind: m.Kind, State: mail.State(table.String(it, "state")), To: m.To, AccountID: m.AccountID,
			Username: m.Username, At: m.At,
			Attempts: table.Int(it, "attempt"), Ended: table.Time(it, "ended"), MessageID: table.String(it, "messageId"),
			Reason: table.String(it, "why"),
		}
	}
	return out, more, nil
}
