package dynamo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/auditlog"
	"useraccounts/internal/mail"
)

// Outbox keeps mails: those that wait to be sent, and the log of those that ended. Its Name is the outbox's.
type Outbox struct {
	*Table
}

var (
	_ mail.Outbox   = Outbox{}
	_ mail.LogStore = Outbox{}
)

// NewOutbox returns the outbox of a table that has one.
func NewOutbox(t *Table) Outbox { return Outbox{&Table{Client: t.Client, Name: t.Outbox}} }

// errNoOutbox is a function that causes mails and was not given the outbox: a mail must not be lost unseen.
var errNoOutbox = errors.New("no outbox: the table of mails is not configured")

// mailItems are the mails of a change, each with its line in the account's log.
func (t *Table) mailItems(mails []mail.Message) (transaction, error) {
	var p transaction
	for _, m := range mails {
		if t.Outbox == "" {
			return nil, errNoOutbox
		}
		p.put(&Table{Name: t.Outbox}, queuedMailItem(m), concurrentChange)
		event, err := eventItem(m.AccountID, auditlog.Event{
			ID: m.ID, At: m.At, Kind: auditlog.MailSent, Subject: "mail", Note: mail.Subject(m.Kind) + ", to " + m.To,
			RetentionDays: m.RetentionDays,
		})
		if err != nil {
			return nil, err
		}
		p.put(t, event, concurrentChange)
	}
	return p, nil
}

func queuedMailItem(m mail.Message) item {
	k := queuedMailKey(m.Env, m.ID)
	it := item{
		"PK": str(k.pk), "SK": str(k.sk), "state": str(string(mail.Queued)), "due": timestamp(m.At),
		"kind":    str(string(m.Kind)),
		"account": str(m.AccountID), "username": str(m.Username), "to": str(m.To), "at": timestamp(m.At),
		"keep":    num(int64(m.RetentionDays)),
		"attempt": num(0),
	}
	for name, value := range map[string]string{"name": m.Name, "sender": m.Sender, "detail": m.Detail} {
		if value != "" {
			it[name] = str(value)
		}
	}
	if !m.Expires.IsZero() {
		it["expires"] = timestamp(m.Expires)
	}
	if len(m.Sealed) > 0 {
		it["sealed"] = bin(m.Sealed)
	}
	return it
}

func queuedMailOf(env string, it item) mail.Message {
	return mail.Message{
		ID: text(it, "SK"), Env: env, Kind: mail.Kind(text(it, "kind")), AccountID: text(it, "account"),
		Username: text(it, "username"),
		To:       text(it, "to"), Name: text(it, "name"), Sender: text(it, "sender"), At: instant(it, "at"),
		Detail:  text(it, "detail"),
		Expires: instant(it, "expires"), Sealed: blob(it, "sealed"), RetentionDays: int(number(it, "keep")),
	}
}

// Claim implements mail.Outbox.
func (o Outbox) Claim(ctx context.Context, env, id string, now, lease time.Time) (mail.ClaimedMessage, bool, error) {
	out, err := o.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &o.Name, Key: queuedMailKey(env, id).attributes(), ReturnValues: types.ReturnValueAllNew,
		UpdateExpression: aws.String("SET #state = :sending, due = :lease, attempt = attempt + :one"),
		// A claimed mail is due again when the lease is over.
		ConditionExpression:      aws.String("attribute_exists(PK) AND due <= :now"),
		ExpressionAttributeNames: map[string]string{"#state": "state"},
		ExpressionAttributeValues: item{":sending": str(string(mail.Sending)), ":lease": timestamp(lease),
			":now": timestamp(now), ":one": num(1)},
	})
	held, _, err := conditionHeld(err)
	if err != nil || !held {
		return mail.ClaimedMessage{}, false, err
	}
	return mail.ClaimedMessage{Message: queuedMailOf(env, out.Attributes), Attempt: number(out.Attributes, "attempt")},
		true, nil
}

// Finish implements mail.Outbox: the mail leaves the outbox and appears in the log, or neither. Its secret is not in
// the log. An attempt whose lease is over and that another followed changes nothing: the later one says how it ended.
func (o Outbox) Finish(ctx context.Context, c mail.ClaimedMessage, end mail.DeliveryResult) error {
	k := mailLogKey(c.Env, c.ID)
	it := queuedMailItem(c.Message)
	it["PK"], it["SK"], it["state"], it["ended"] = str(k.pk), str(k.sk), str(string(end.State)), timestamp(end.At)
	it["attempt"], it["ttl"] = num(c.Attempt), num(c.At.Add(auditlog.Retention(c.RetentionDays)).Unix())
	for _, name := range []string{"sealed", "due", "keep", "sender", "name"} {
		delete(it, name)
	}
	for name, value := range map[string]string{"messageId": end.MessageID, "why": end.Reason} {
		if value != "" {
			it[name] = str(value)
		}
	}
	var p transaction
	p = append(p, op{types.TransactWriteItem{Delete: &types.Delete{
		TableName: &o.Name, Key: queuedMailKey(c.Env, c.ID).attributes(), ConditionExpression: aws.String("attempt = :mine"),
		ExpressionAttributeValues: item{":mine": num(c.Attempt)},
	}}, concurrentChange})
	p = append(p, op{types.TransactWriteItem{Put: &types.Put{TableName: &o.Name, Item: it}}, concurrentChange})
	err := o.transact(ctx, p.items())
	var cancelled *cancelledError
	if errors.As(err, &cancelled) {
		return nil
	}
	return err
}

// Postpone implements mail.Outbox.
func (o Outbox) Postpone(ctx context.Context, c mail.ClaimedMessage, due time.Time, why string) error {
	_, err := o.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &o.Name, Key: queuedMailKey(c.Env, c.ID).attributes(),
		UpdateExpression:         aws.String("SET #state = :queued, due = :due, why = :why"),
		ConditionExpression:      aws.String("attempt = :mine"),
		ExpressionAttributeNames: map[string]string{"#state": "state"},
		ExpressionAttributeValues: item{
			":queued": str(string(mail.Queued)), ":due": timestamp(due), ":mine": num(c.Attempt), ":why": str(why),
		},
	})
	_, _, err = conditionHeld(err)
	return err
}

// Due implements mail.Outbox. Only what waits is in the partition, so its size is that of the backlog.
func (o Outbox) Due(ctx context.Context, env string, now time.Time, limit int) ([]string, error) {
	var out []string
	p := pageQuery{pk: queuedMailPK(env), limit: 200}
	for {
		items, more, err := o.query(ctx, p)
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			if due := instant(it, "due"); !due.After(now) && len(out) < limit {
				out = append(out, text(it, "SK"))
			}
			p.after = text(it, "SK")
		}
		if !more || len(out) >= limit {
			return out, nil
		}
	}
}

// LogEntries implements mail.LogStore.
func (o Outbox) LogEntries(ctx context.Context, env, before string, ended bool, limit int) ([]mail.LogEntry, bool,
	error) {
	p := pageQuery{pk: queuedMailPK(env), after: before, backwards: true,
		limit: int32(limit)} //nolint:gosec // limits are small
	if ended {
		p.pk = mailLogPK(env)
	}
	items, more, err := o.query(ctx, p)
	if err != nil {
		return nil, false, err
	}
	out := make([]mail.LogEntry, len(items))
	for i, it := range items {
		m := queuedMailOf(env, it)
		out[i] = mail.LogEntry{
			ID: m.ID, Kind: m.Kind, State: mail.State(text(it, "state")), To: m.To, AccountID: m.AccountID,
			Username: m.Username, At: m.At,
			Attempts: number(it, "attempt"), Ended: instant(it, "ended"), MessageID: text(it, "messageId"),
			Reason: text(it, "why"),
		}
	}
	return out, more, nil
}

// ParseMailKey tells from the keys of a stream record which mail it is of; false for a record of something else.
func ParseMailKey(pk, sk string) (env, id string, ok bool) {
	if len(pk) < len("W#") || pk != queuedMailPK(pk[len("W#"):]) || sk == "" {
		return "", "", false
	}
	return pk[len("W#"):], sk, true
}

// hourName names an hour.
func hourName(t time.Time) string {
	t = t.UTC()
	return fmt.Sprintf("%04d%02d%02d%02d", t.Year(), t.Month(), t.Day(), t.Hour())
}
