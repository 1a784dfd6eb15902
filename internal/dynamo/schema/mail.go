package schema

import (
	"errors"

	"useraccounts/internal/auditlog"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/mail"
)

// errNoOutbox says that a function writes mails and was not given the outbox. It fails, so that no mail is lost.
var errNoOutbox = errors.New("no outbox: the table of mails is not configured")

// Mails returns the items of the mails of a change: each in the outbox, and as an event in the account's log.
func Mails(t *table.Table, mails []mail.Message) (table.Transaction, error) {
	var tx table.Transaction
	for _, m := range mails {
		if t.Outbox == "" {
			return nil, errNoOutbox
		}
		tx.Put(&table.Table{Name: t.Outbox}, QueuedMail(m), ConcurrentChange)
		event, err := Event(m.AccountID, auditlog.Event{
			ID: m.ID, At: m.At, Kind: auditlog.MailSent, Subject: "mail", Note: mail.Subject(m.Kind) + ", to " + m.To,
			RetentionDays: m.RetentionDays,
		})
		if err != nil {
			return nil, err
		}
		tx.Put(t, event, ConcurrentChange)
	}
	return tx, nil
}

// QueuedMail is a mail that waits in the outbox.
func QueuedMail(m mail.Message) table.Item {
	k := QueuedMailKey(m.Env, m.ID)
	it := table.Item{
		"PK": table.S(k.PK), "SK": table.S(k.SK), "state": table.S(string(mail.Queued)), "due": table.Timestamp(m.At),
		"kind":    table.S(string(m.Kind)),
		"account": table.S(m.AccountID), "username": table.S(m.Username), "to": table.S(m.To), "at": table.Timestamp(m.At),
		"keep":    table.N(int64(m.RetentionDays)),
		"attempt": table.N(0),
	}
	for name, value := range map[string]string{"name": m.Name, "sender": m.Sender, "detail": m.Detail} {
		if value != "" {
			it[name] = table.S(value)
		}
	}
	if !m.Expires.IsZero() {
		it["expires"] = table.Timestamp(m.Expires)
	}
	if len(m.Sealed) > 0 {
		it["sealed"] = table.B(m.Sealed)
	}
	return it
}

// QueuedMailOf reads a mail of the outbox, or of the log of mails that were sent.
func QueuedMailOf(env string, it table.Item) mail.Message {
	return mail.Message{
		ID: table.String(it, "SK"), Env: env, Kind: mail.Kind(table.String(it, "kind")),
		AccountID: table.String(it, "account"),
		Username:  table.String(it, "username"),
		To:        table.String(it, "to"), Name: table.String(it, "name"), Sender: table.String(it, "sender"),
		At:      table.Time(it, "at"),
		Detail:  table.String(it, "detail"),
		Expires: table.Time(it, "expires"), Sealed: table.Bytes(it, "sealed"), RetentionDays: int(table.Int(it, "keep")),
	}
}
