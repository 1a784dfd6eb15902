// Package factors keeps second factors: authenticators, passkeys, recovery codes, codes by mail, and the devices that
// need none.
package factors

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
	"useraccounts/internal/auditlog"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
	"useraccounts/internal/factor"
	"useraccounts/internal/fault"
	"useraccounts/internal/mail"
	"useraccounts/internal/mfa"
	"useraccounts/internal/signin"
)

// Store keeps second factors and trusted devices.
type Store struct {
	*table.Table
}

var (
	_ signin.FactorStore = Store{}
	_ signin.DeviceStore = Store{}
	_ mfa.EnrolmentStore = Store{}
	_ factor.Store       = Store{}

	_ signin.ChallengeStore = Store{}
	_ signin.MailCodeStore  = Store{}
	_ factor.ChallengeStore = Store{}
)

// Attributes of a second factor, of a pending one, and of the recovery codes.
const (
	attrSeed    = "seed"
	attrCounter = "counter"
	attrSince   = "since"
	attrStreak  = "streak"
	attrCodes   = "codes"
)

func factorsOf(it table.Item) mfa.Factors {
	return mfa.Factors{
		Seed: table.Bytes(it, attrSeed), Counter: table.Int(it, attrCounter), Since: table.Time(it, attrSince),
		Tries: table.Int(it, schema.AttrTries), TriedAt: table.Time(it, schema.AttrLastTry),
		Streak:   table.Int(it, attrStreak),
		Passkeys: passkeysOf(it),
	}
}

// LoadFactors implements signin.DeviceStore: one round trip.
func (s Store) LoadFactors(ctx context.Context, accountID, device string) (mfa.Factors, error) {
	keys := []table.Key{schema.FactorKey(accountID)}
	if device != "" {
		keys = append(keys, schema.TrustedDeviceKey(accountID, device))
	}
	items, err := s.BatchGet(ctx, keys)
	if err != nil {
		return mfa.Factors{}, err
	}
	found := factorsOf(items[0])
	if device != "" {
		found.Device = schema.TrustedDeviceOf(items[1])
	}
	return found, nil
}

// ReserveCodeAttempt implements signin.FactorStore. One write counts the code. If a pause has ended, a second write
// starts the count again. The pause itself is not written: it follows from the time of the last of too many tries.
func (s Store) ReserveCodeAttempt(ctx context.Context, accountID string, now time.Time) (mfa.Factors, bool, error) {
	in := &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: schema.FactorKey(accountID).Attributes(),
		UpdateExpression: aws.String("SET tried = :now ADD tries :one, streak :one"),
		ConditionExpression: aws.String(
			"attribute_exists(PK) AND (attribute_not_exists(tries) OR tries < :limit) AND (attribute_not_exists(streak) OR " +
				"streak < :most)"),
		ExpressionAttributeValues: table.Item{
			":now": table.Timestamp(now), ":one": table.N(1), ":limit": table.N(mfa.TryLimit), ":most": table.N(mfa.StreakLimit),
		},
		ReturnValues:                        types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	for range 2 {
		out, err := s.UpdateRetrying(ctx, in)
		counted, current, err := table.ConditionHeld(err)
		if err != nil {
			return mfa.Factors{}, false, err
		}
		if counted {
			return factorsOf(out.Attributes), true, nil
		}
		found := factorsOf(current)
		if current == nil || found.LockedOut() || !found.PausedUntil(now).IsZero() {
			return found, false, nil
		}
		// The condition is the pause as it was read. Of many codes after it one restarts the count, and the others
		// are counted on top of it or see it.
		in.UpdateExpression = aws.String("SET tried = :now, tries = :one ADD streak :one")
		in.ConditionExpression = aws.String("tries = :seen AND tried = :at")
		in.ExpressionAttributeValues = table.Item{
			":now": table.Timestamp(now), ":one": table.N(1), ":seen": current[schema.AttrTries],
			":at": current[schema.AttrLastTry],
		}
	}
	return mfa.Factors{TriedAt: now, Tries: mfa.TryLimit}, false, nil
}

// RecoveryCodes implements signin.FactorStore.
func (s Store) RecoveryCodes(ctx context.Context, accountID string) (map[string]string, error) {
	it, err := s.Get(ctx, schema.RecoveryCodesKey(accountID))
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for lookup := range table.Map(it, attrCodes) {
		out[lookup] = table.String(table.Map(it, attrCodes), lookup)
	}
	return out, nil
}

// LogEvent implements signin.FactorStore.
func (s Store) LogEvent(ctx context.Context, accountID string, e auditlog.Event) error {
	it, err := schema.Event(accountID, e)
	if err != nil {
		return err
	}
	_, err = s.Client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.Name, Item: it})
	return table.WrapError("write", err)
}

// SavePendingTOTP implements mfa.EnrolmentStore. The account's anchor counts the write, so that a deletion notices
// it.
func (s Store) SavePendingTOTP(ctx context.Context, env, accountID string, p mfa.PendingTOTP) error {
	k := schema.PendingTOTPKey(accountID)
	err := s.commitWithAnchor(ctx, env, accountID,
		table.Transaction{table.Put(&types.Put{TableName: &s.Name, Item: table.Item{
			"PK": table.S(k.PK), "SK": table.S(k.SK), schema.AttrID: table.S(p.ID), attrSeed: table.B(p.Seed),
			schema.AttrTries:   table.N(0),
			schema.AttrExpires: table.Timestamp(p.Expires), "ttl": table.N(p.Expires.Unix()),
		}}, schema.ConcurrentChange)})
	var cancelled *table.CancelledError
	if errors.As(err, &cancelled) {
		return dynamo.AccountNotFound()
	}
	return err
}

// ReserveEnrolmentAttempt implements mfa.EnrolmentStore.
func (s Store) ReserveEnrolmentAttempt(
	ctx context.Context, accountID string, now time.Time,
) (mfa.PendingTOTP, bool, error) {
	out, err := s.UpdateRetrying(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: schema.PendingTOTPKey(accountID).Attributes(),
		UpdateExpression:    aws.String("ADD tries :one"),
		ConditionExpression: aws.String("attribute_exists(PK) AND tries < :limit AND expires > :now"),
		ExpressionAttributeValues: table.Item{":one": table.N(1), ":limit": table.N(mfa.TryLimit),
			":now": table.Timestamp(now)},
		ReturnValues: types.ReturnValueAllNew,
	})
	counted, _, err := table.ConditionHeld(err)
	if err != nil || !counted {
		return mfa.PendingTOTP{}, false, err
	}
	it := out.Attributes
	return mfa.PendingTOTP{ID: table.String(it, schema.AttrID), Seed: table.Bytes(it, attrSeed),
		Expires: table.Time(it, schema.AttrExpires),
		Tries:   table.Int(it, schema.AttrTries)}, true, nil
}

// AddChange adds the items of a change of the second factor to a transaction.
func AddChange(t *table.Table, tx *table.Transaction, accountID string, c mfa.Change) error {
	update := func(k table.Key, expression, condition string, values table.Item) {
		*tx = append(*tx, table.Update(&types.Update{
			TableName: &t.Name, Key: k.Attributes(), UpdateExpression: &expression, ConditionExpression: &condition,
			ExpressionAttributeValues: values, ExpressionAttributeNames: counterName(expression + condition),
		}, schema.ConcurrentChange))
	}
	remove := func(k table.Key, condition string, values table.Item) {
		*tx = append(*tx, table.Delete(&types.Delete{
			TableName: &t.Name, Key: k.Attributes(), ConditionExpression: &condition, ExpressionAttributeValues: values,
		}, schema.ConcurrentChange))
	}
	switch {
	case c.ConfirmedTOTP != nil:
		remove(schema.PendingTOTPKey(accountID), "id = :id", table.Item{":id": table.S(c.ConfirmedTOTP.ID)})
		it := table.Item{attrSeed: table.B(c.ConfirmedTOTP.Seed), attrCounter: table.N(c.Counter),
			attrSince:        table.Timestamp(c.Since),
			schema.AttrTries: table.N(0), attrStreak: table.N(0)}
		putFactor(t, tx, accountID, c.FirstFactor, it)
	case c.NewPasskey != nil, c.RemovedPasskey != "", c.ChangedPasskey != nil:
		addPasskeyChange(t, tx, accountID, c)
	case c.MailCode != nil:
		// Of two that use the code at once, the second finds it gone (C31).
		update(schema.MailCodeKey(accountID), "SET tries = :none, streak = :none REMOVE pw",
			"pw = :hash AND ticket = :ticket",
			table.Item{":none": table.N(0), ":hash": table.S(c.MailCode.Hash), ":ticket": table.S(c.MailCode.Ticket)})
	case c.Counter != 0:
		// The time step is used up: nobody can use an equal or earlier one afterwards (V28, C11).
		update(schema.FactorKey(accountID), "SET #counter = :step, tries = :none, streak = :none",
			"#counter < :step AND seed = :seed",
			table.Item{":step": table.N(c.Counter), ":none": table.N(0), ":seed": table.B(c.Seed)})
	case c.UsedCode != "":
		update(schema.FactorKey(accountID), "SET tries = :none, streak = :none", "attribute_exists(PK)",
			table.Item{":none": table.N(0)})
		*tx = append(*tx, table.Update(&types.Update{
			TableName: &t.Name, Key: schema.RecoveryCodesKey(accountID).Attributes(),
			UpdateExpression:         aws.String("REMOVE codes.#lookup"),
			ConditionExpression:      aws.String("attribute_exists(codes.#lookup)"),
			ExpressionAttributeNames: map[string]string{"#lookup": c.UsedCode},
		}, schema.ConcurrentChange))
	}
	if c.Codes != nil {
		k, codes := schema.RecoveryCodesKey(accountID), table.Item{}
		for _, lookup := range slices.Sorted(maps.Keys(c.Codes)) {
			codes[lookup] = table.S(c.Codes[lookup])
		}
		*tx = append(*tx, table.Put(&types.Put{TableName: &t.Name, Item: table.Item{
			"PK": table.S(k.PK), "SK": table.S(k.SK), attrCodes: table.M(codes),
		}}, schema.ConcurrentChange))
	}
	if c.NewDevice != nil {
		tx.Put(t, schema.TrustedDevice(accountID, *c.NewDevice), schema.ConcurrentChange)
	}
	if c.Event != nil {
		event, err := schema.Event(accountID, *c.Event)
		if err != nil {
			return err
		}
		tx.Put(t, event, schema.ConcurrentChange)
	}
	return nil
}

// counterName returns the attribute names of an expression that has placeholders for reserved words.
func counterName(expression string) map[string]string {
	if slices.Contains([]byte(expression), '#') {
		return map[string]string{"#counter": attrCounter}
	}
	return nil
}

// WriteFactors writes a change of the account and one of its second factor in one transaction.
func (s Store) WriteFactors(ctx context.Context, env environment.Environment, w account.Write, c mfa.Change) error {
	tx, err := dynamo.Accounts(s).TransactionItems(env.ID, w, 0)
	if err != nil {
		return err
	}
	if err := AddChange(s.Table, &tx, w.After.ID, c); err != nil {
		return err
	}
	return schema.AsConcurrentChange(s.Transact(ctx, tx.Items()))
}

// ForgetDevice removes one trusted device and writes the event and the mails, all in one; NotFound if there is no
// such device.
func (s Store) ForgetDevice(
	ctx context.Context, accountID, device string, e auditlog.Event, mails []mail.Message,
) error {
	event, err := schema.Event(accountID, e)
	if err != nil {
		return err
	}
	tx, err := schema.Mails(s.Table, mails)
	if err != nil {
		return err
	}
	tx.Put(s.Table, event, schema.ConcurrentChange)
	tx = append(tx, table.Delete(&types.Delete{
		TableName: &s.Name, Key: schema.TrustedDeviceKey(accountID, device).Attributes(),
		ConditionExpression: aws.String("attribute_exists(PK)"),
	}, schema.ConcurrentChange))
	if err := schema.AsConcurrentChange(s.Transact(ctx, tx.Items())); errors.Is(err, account.ErrConcurrentChange) {
		return fault.New(fault.NotFound, "notFound", "There is no such trusted device.")
	} else if err != nil {
		return err
	}
	return nil
}
