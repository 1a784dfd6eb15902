package sessions

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/factors"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
)

func ticketItem(env string, t session.Ticket) table.Item {
	k := schema.TicketKey(t.AccountID, t.ID)
	proved := make([]string, len(t.Proved))
	for i, p := range t.Proved {
		proved[i] = string(p)
	}
	return table.Item{
		"PK": table.S(k.PK), "SK": table.S(k.SK), schema.AttrID: table.S(t.ID), "hash": table.B(t.Hash),
		"step":   table.S(string(t.Step)),
		"proved": table.L(proved),
		"epoch":  table.N(t.Epoch), "client": table.S(t.Client), "expires": table.Timestamp(t.Expires),
		"ttl": table.N(t.Expires.Unix()),
		"env": table.S(env), "separate": table.BOOL(t.SeparateTries),
	}
}

func ticketOf(accountID string, it table.Item) session.Ticket {
	t := session.Ticket{
		AccountID: accountID, ID: table.String(it, schema.AttrID), Hash: table.Bytes(it, "hash"),
		Step:  session.Step(table.String(it, "step")),
		Epoch: table.Int(it, "epoch"), Client: table.String(it, "client"), Expires: table.Time(it, "expires"),
		SeparateTries: table.Bool(it, "separate"),
	}
	for _, p := range table.Strings(it, "proved") {
		t.Proved = append(t.Proved, session.Proof(p))
	}
	return t
}

// CompleteStep implements signin.Sessions. One transaction uses up the ticket of the step and writes what the step
// did and what comes next. So of two that complete a step at once only one gets on (C31).
func (s Store) CompleteStep(ctx context.Context, env environment.Environment, m signin.StepTransition) error {
	tx, err := s.stepItems(env, m)
	if err != nil {
		return err
	}
	tx = append(tx, table.Delete(&types.Delete{
		TableName: &s.Name, Key: schema.TicketKey(m.Ticket.AccountID, m.Ticket.ID).Attributes(),
		ConditionExpression: aws.String("attribute_exists(PK)"),
	}, schema.ConcurrentChange))
	if m.NextTicket != nil {
		tx.Put(s.Table, ticketItem(env.ID, *m.NextTicket), schema.ConcurrentChange)
	}
	if m.Session != nil {
		tx.Put(s.Table, schema.LoggedSession(env, *m.Session), schema.ConcurrentChange)
	}
	if m.Factors != nil {
		if err := factors.AddChange(s.Table, &tx, m.Account.ID, *m.Factors); err != nil {
			return err
		}
	}
	write := func() error { return schema.AsConcurrentChange(s.Transact(ctx, tx.Items())) }
	if m.Session == nil {
		return write()
	}
	return s.withNetworks(ctx, env, m.Account, *m.Session, write)
}

// stepItems returns the items of the account in a step: its change and, in the last step, the sign-in. They depend on
// the account being as the step read it and not blocked by tries since (C07).
func (s Store) stepItems(env environment.Environment, m signin.StepTransition) (table.Transaction, error) {
	if m.Write == nil {
		at := m.Ticket.Expires.Add(-session.TicketLife)
		if m.Session != nil {
			at = m.Session.Start
		}
		a := m.Account
		if !slices.Contains(m.Ticket.Proved, session.ByPassword) {
			a.PasswordHash = "" // the person came without one
		}
		condition, values := signInCondition(env, a, at)
		key := schema.RowKey(env.ID, m.Account.DirectoryKey()).Attributes()
		if m.Session == nil {
			return table.Transaction{table.Check(&types.ConditionCheck{
				TableName: &s.Name, Key: key, ConditionExpression: &condition, ExpressionAttributeValues: values,
			}, schema.ConcurrentChange)}, nil
		}
		values[":now"] = table.Timestamp(at)
		u := rowUpdate{set: []string{"lastLogin = :now"}, values: values}
		u.signedInFrom(m.Account, *m.Session)
		return table.Transaction{{Conflict: schema.ConcurrentChange, Write: update(u, types.Update{
			TableName: &s.Name, Key: key, ConditionExpression: &condition,
		})}}, nil
	}
	w := *m.Write
	if m.Session != nil {
		w.After.LastLogin = m.Session.Start
	}
	tx, err := dynamo.Accounts(s).TransactionItems(env.ID, w, 0)
	if err != nil {
		return nil, err
	}
	row := tx[0].Write.Update
	if m.Session != nil {
		u := rowUpdate{set: []string{"lastLogin = :now"}, values: row.ExpressionAttributeValues}
		u.values[":now"] = table.Timestamp(m.Session.Start)
		u.signedInFrom(m.Account, *m.Session)
		more := ""
		if len(u.remove) > 0 { // the update ends with what it removes
			more = ", " + strings.Join(u.remove, ", ")
		}
		row.UpdateExpression = aws.String("SET " + strings.Join(u.set, ", ") + ", " +
			strings.TrimPrefix(*row.UpdateExpression, "SET ") + more)
		row.ExpressionAttributeNames = u.names
	}
	if !m.Account.Stored.SeparateTries {
		row.ConditionExpression = aws.String(*row.ConditionExpression + " AND attribute_not_exists(blockedAt)")
	}
	return tx, nil
}
