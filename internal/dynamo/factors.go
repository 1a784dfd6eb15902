package dynamo

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/account"
	"useraccounts/internal/environment"
	"useraccounts/internal/factor"
	"useraccounts/internal/fault"
	"useraccounts/internal/journal"
	"useraccounts/internal/mail"
	"useraccounts/internal/mfa"
	"useraccounts/internal/signin"
)

// Factors keeps second factors and remembered devices.
type Factors struct {
	*Table
}

var (
	_ signin.Factors = Factors{}
	_ mfa.Store      = Factors{}
	_ factor.Store   = Factors{}

	_ signin.Passkeys  = Factors{}
	_ signin.MailCodes = Factors{}
	_ factor.Passkeys  = Factors{}
)

// Attributes of the item of an account's second factor, of a pending one and of the recovery codes.
const (
	attrSeed    = "seed"
	attrCounter = "counter"
	attrSince   = "since"
	attrTried   = "tried"
	attrStreak  = "streak"
	attrExpires = "expires"
	attrCodes   = "codes"
)

func factorsOf(it item) mfa.Factors {
	return mfa.Factors{
		Seed: blob(it, attrSeed), Counter: number(it, attrCounter), Since: instant(it, attrSince),
		Tries: number(it, attrTries), TriedAt: instant(it, attrTried), Streak: number(it, attrStreak), Passkeys: passkeysOf(it),
	}
}

// Recall implements signin.Factors: one round trip.
func (s Factors) Recall(ctx context.Context, accountID, device string) (mfa.Factors, error) {
	keys := []key{factorKey(accountID)}
	if device != "" {
		keys = append(keys, deviceKey(accountID, device))
	}
	items, err := s.getAll(ctx, keys)
	if err != nil {
		return mfa.Factors{}, err
	}
	found := factorsOf(items[0])
	if device != "" {
		found.Device = deviceOf(items[1])
	}
	return found, nil
}

// Try implements signin.Factors. One write counts the code; where a pause has run out a second one begins the count anew. The
// pause needs no write of its own: it is how long the last of too many tries is ago.
func (s Factors) Try(ctx context.Context, accountID string, now time.Time) (mfa.Factors, bool, error) {
	in := &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: factorKey(accountID).attributes(), UpdateExpression: aws.String("SET tried = :now ADD tries :one, streak :one"),
		ConditionExpression: aws.String("attribute_exists(PK) AND (attribute_not_exists(tries) OR tries < :limit) AND (attribute_not_exists(streak) OR streak < :most)"),
		ExpressionAttributeValues: item{
			":now": when(now), ":one": num(1), ":limit": num(mfa.TryLimit), ":most": num(mfa.StreakLimit),
		},
		ReturnValues: types.ReturnValueAllNew, ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	for range 2 {
		out, err := s.updateUnlessConflicting(ctx, in)
		counted, current, err := conditionHeld(err)
		if err != nil {
			return mfa.Factors{}, false, err
		}
		if counted {
			return factorsOf(out.Attributes), true, nil
		}
		found := factorsOf(current)
		if current == nil || found.Ended() || !found.PausedUntil(now).IsZero() {
			return found, false, nil
		}
		// The condition is the pause as read: of many after it one begins the count, and the rest are counted on it or see it.
		in.UpdateExpression = aws.String("SET tried = :now, tries = :one ADD streak :one")
		in.ConditionExpression = aws.String("tries = :seen AND tried = :at")
		in.ExpressionAttributeValues = item{
			":now": when(now), ":one": num(1), ":seen": current[attrTries], ":at": current[attrTried],
		}
	}
	return mfa.Factors{TriedAt: now, Tries: mfa.TryLimit}, false, nil
}

// Codes implements signin.Factors.
func (s Factors) Codes(ctx context.Context, accountID string) (map[string]string, error) {
	it, err := s.get(ctx, recoveryKey(accountID))
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for lookup := range within(it, attrCodes) {
		out[lookup] = text(within(it, attrCodes), lookup)
	}
	return out, nil
}

// Note implements signin.Factors.
func (s Factors) Note(ctx context.Context, accountID string, e journal.Event) error {
	it, err := eventItem(accountID, e)
	if err != nil {
		return err
	}
	_, err = s.Client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.Name, Item: it})
	return store("write", err)
}

// Begin implements mfa.Store. The account's anchor counts the write, so that a deletion sees it.
func (s Factors) Begin(ctx context.Context, env, accountID string, p mfa.Pending) error {
	k := pendingKey(accountID)
	err := s.writtenWithAnchor(ctx, env, accountID, parts{{types.TransactWriteItem{Put: &types.Put{TableName: &s.Name, Item: item{
		"PK": str(k.pk), "SK": str(k.sk), attrID: str(p.ID), attrSeed: bin(p.Seed), attrTries: num(0),
		attrExpires: when(p.Expires), "ttl": num(p.Expires.Unix()),
	}}}, raced}})
	var cancelled *errCancelled
	if errors.As(err, &cancelled) {
		return notFound()
	}
	return err
}

// TryPending implements mfa.Store.
func (s Factors) TryPending(ctx context.Context, accountID string, now time.Time) (mfa.Pending, bool, error) {
	out, err := s.updateUnlessConflicting(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: pendingKey(accountID).attributes(), UpdateExpression: aws.String("ADD tries :one"),
		ConditionExpression:       aws.String("attribute_exists(PK) AND tries < :limit AND expires > :now"),
		ExpressionAttributeValues: item{":one": num(1), ":limit": num(mfa.TryLimit), ":now": when(now)}, ReturnValues: types.ReturnValueAllNew,
	})
	counted, _, err := conditionHeld(err)
	if err != nil || !counted {
		return mfa.Pending{}, false, err
	}
	it := out.Attributes
	return mfa.Pending{ID: text(it, attrID), Seed: blob(it, attrSeed), Expires: instant(it, attrExpires), Tries: number(it, attrTries)}, true, nil
}

// planFactors is what a change of the second factor writes.
func (s Table) planFactors(p *parts, accountID string, c mfa.Change) error {
	update := func(k key, expression, condition string, values item) {
		*p = append(*p, part{types.TransactWriteItem{Update: &types.Update{
			TableName: &s.Name, Key: k.attributes(), UpdateExpression: &expression, ConditionExpression: &condition,
			ExpressionAttributeValues: values, ExpressionAttributeNames: counterName(expression + condition),
		}}, raced})
	}
	remove := func(k key, condition string, values item) {
		d := &types.Delete{TableName: &s.Name, Key: k.attributes(), ExpressionAttributeValues: values}
		if condition != "" {
			d.ConditionExpression = &condition
		}
		*p = append(*p, part{types.TransactWriteItem{Delete: d}, raced})
	}
	switch {
	case c.Drop:
		for _, k := range []key{factorKey(accountID), recoveryKey(accountID), pendingKey(accountID), passkeyPendingKey(accountID), mailCodeKey(accountID)} {
			remove(k, "", nil)
		}
	case c.Confirmed != nil:
		remove(pendingKey(accountID), "id = :id", item{":id": str(c.Confirmed.ID)})
		it := item{attrSeed: bin(c.Confirmed.Seed), attrCounter: num(c.Counter), attrSince: when(c.Since), attrTries: num(0), attrStreak: num(0)}
		s.putFactor(p, accountID, c.Anew, it)
	case c.Passkey != nil, c.NoPasskey != "", c.PasskeyUsed != nil:
		s.planPasskey(p, accountID, c)
	case c.MailCode != nil:
		// Of two with the one code the second finds it gone (C31).
		update(mailCodeKey(accountID), "SET tries = :none, streak = :none REMOVE pw", "pw = :hash AND ticket = :ticket",
			item{":none": num(0), ":hash": str(c.MailCode.Hash), ":ticket": str(c.MailCode.Ticket)})
	case c.Counter != 0:
		// The code is used up by its time step: an equal or later one was accepted by nobody (V28, C11).
		update(factorKey(accountID), "SET #counter = :step, tries = :none, streak = :none", "#counter < :step AND seed = :seed",
			item{":step": num(c.Counter), ":none": num(0), ":seed": bin(c.Seed)})
	case c.UsedCode != "":
		update(factorKey(accountID), "SET tries = :none, streak = :none", "attribute_exists(PK)", item{":none": num(0)})
		*p = append(*p, part{types.TransactWriteItem{Update: &types.Update{
			TableName: &s.Name, Key: recoveryKey(accountID).attributes(), UpdateExpression: aws.String("REMOVE codes.#lookup"),
			ConditionExpression: aws.String("attribute_exists(codes.#lookup)"), ExpressionAttributeNames: map[string]string{"#lookup": c.UsedCode},
		}}, raced})
	}
	if c.Codes != nil {
		k, codes := recoveryKey(accountID), item{}
		for _, lookup := range slices.Sorted(maps.Keys(c.Codes)) {
			codes[lookup] = str(c.Codes[lookup])
		}
		*p = append(*p, part{types.TransactWriteItem{Put: &types.Put{TableName: &s.Name, Item: item{
			"PK": str(k.pk), "SK": str(k.sk), attrCodes: nested(codes),
		}}}, raced})
	}
	if c.Remember != nil {
		p.put(&s, deviceItem(accountID, *c.Remember), raced)
	}
	if c.Event != nil {
		event, err := eventItem(accountID, *c.Event)
		if err != nil {
			return err
		}
		p.put(&s, event, raced)
	}
	return nil
}

// counterName returns the names of an expression that stand in for reserved words.
func counterName(expression string) map[string]string {
	if slices.Contains([]byte(expression), '#') {
		return map[string]string{"#counter": attrCounter}
	}
	return nil
}

// WriteFactors does a change of the account and one of its second factor, or neither.
func (s Factors) WriteFactors(ctx context.Context, env environment.Environment, w account.Write, c mfa.Change) error {
	p, err := Accounts(s).plan(env.ID, w, 0)
	if err != nil {
		return err
	}
	if err := s.planFactors(&p, w.After.ID, c); err != nil {
		return err
	}
	return racedIfCancelled(s.transact(ctx, p.items()))
}

// Forget forgets one device and writes the event and the mails, or nothing of it; NotFound if there is none.
func (s Factors) Forget(ctx context.Context, accountID, device string, e journal.Event, mails []mail.Message) error {
	event, err := eventItem(accountID, e)
	if err != nil {
		return err
	}
	p, err := s.mailParts(mails)
	if err != nil {
		return err
	}
	p.put(s.Table, event, raced)
	p = append(p, part{types.TransactWriteItem{Delete: &types.Delete{
		TableName: &s.Name, Key: deviceKey(accountID, device).attributes(), ConditionExpression: aws.String("attribute_exists(PK)"),
	}}, raced})
	if err := racedIfCancelled(s.transact(ctx, p.items())); errors.Is(err, account.ErrRaced) {
		return fault.New(fault.NotFound, "notFound", "There is no such remembered device.")
	} else if err != nil {
		return err
	}
	return nil
}
