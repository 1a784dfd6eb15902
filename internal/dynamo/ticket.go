package dynamo

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/environment"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
)

func ticketItem(env string, t session.Ticket) item {
	k := ticketKey(t.AccountID, t.ID)
	proved := make([]string, len(t.Proved))
	for i, p := range t.Proved {
		proved[i] = string(p)
	}
	return item{
		"PK": str(k.pk), "SK": str(k.sk), attrID: str(t.ID), "hash": bin(t.Hash), "step": str(string(t.Step)),
		"proved": list(proved),
		"epoch":  num(t.Epoch), "client": str(t.Client), "expires": timestamp(t.Expires), "ttl": num(t.Expires.Unix()),
		"env": str(env),
	}
}

func ticketOf(accountID string, it item) session.Ticket {
	t := session.Ticket{
		AccountID: accountID, ID: text(it, attrID), Hash: blob(it, "hash"), Step: session.Step(text(it, "step")),
		Epoch: number(it, "epoch"), Client: text(it, "client"), Expires: instant(it, "expires"),
	}
	for _, p := range texts(it, "proved") {
		t.Proved = append(t.Proved, session.Proof(p))
	}
	return t
}

// CompleteStep implements signin.Sessions: the ticket of the step is used up in the transaction that writes what the
// step did and what comes next, so that of two who answer it at once one gets on (C31).
func (s Sessions) CompleteStep(ctx context.Context, env environment.Environment, m signin.StepTransition) error {
	p, err := s.stepItems(env, m)
	if err != nil {
		return err
	}
	p = append(p, op{types.TransactWriteItem{Delete: &types.Delete{
		TableName: &s.Name, Key: ticketKey(m.Ticket.AccountID, m.Ticket.ID).attributes(),
		ConditionExpression: aws.String("attribute_exists(PK)"),
	}}, concurrentChange})
	if m.NextTicket != nil {
		p.put(s.Table, ticketItem(env.ID, *m.NextTicket), concurrentChange)
	}
	if m.Session != nil {
		p.put(s.Table, loggedSessionItem(env, *m.Session), concurrentChange)
	}
	if m.Factors != nil {
		if err := s.addFactorChange(&p, m.Account.ID, *m.Factors); err != nil {
			return err
		}
	}
	return asConcurrentChange(s.transact(ctx, p.items()))
}

// stepItems is the account's own part in a step: its change, and the sign-in where that is at its end. It holds only
// while the account is as the step read it, and was not blocked by tries since (C07).
func (s Sessions) stepItems(env environment.Environment, m signin.StepTransition) (transaction, error) {
	if m.Write == nil {
		at := m.Ticket.Expires.Add(-session.TicketLife)
		if m.Session != nil {
			at = m.Session.Start
		}
		a := m.Account
		if !slices.Contains(m.Ticket.Proved, session.ByPassword) {
			a.PasswordHash = "" // it came without
		}
		condition, values := signInCondition(env, a, at)
		key := rowKey(env.ID, m.Account.DirectoryKey()).attributes()
		if m.Session == nil {
			return transaction{{types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
				TableName: &s.Name, Key: key, ConditionExpression: &condition, ExpressionAttributeValues: values,
			}}, concurrentChange}}, nil
		}
		values[":now"] = timestamp(at)
		return transaction{{types.TransactWriteItem{Update: &types.Update{
			TableName: &s.Name, Key: key, ConditionExpression: &condition, ExpressionAttributeValues: values,
			UpdateExpression: aws.String("SET lastLogin = :now"),
		}}, concurrentChange}}, nil
	}
	w := *m.Write
	if m.Session != nil {
		w.After.LastLogin = m.Session.Start
	}
	p, err := Accounts(s).transactionItems(env.ID, w, 0)
	if err != nil {
		return nil, err
	}
	row := p[0].write.Update
	if m.Session != nil {
		row.UpdateExpression = aws.String("SET lastLogin = :now, " + (*row.UpdateExpression)[len("SET "):])
		row.ExpressionAttributeValues[":now"] = timestamp(m.Session.Start)
	}
	if !m.Account.Stored.DeviceAttempt {
		row.ConditionExpression = aws.String(*row.ConditionExpression + " AND attribute_not_exists(blockedAt)")
	}
	return p, nil
}
