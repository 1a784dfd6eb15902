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
	"useraccounts/internal/auditlog"
	"useraccounts/internal/environment"
	"useraccounts/internal/factor"
	"useraccounts/internal/fault"
	"useraccounts/internal/mail"
	"useraccounts/internal/mfa"
	"useraccounts/internal/signin"
)

// Factors keeps second factors and remembered devices.
type Factors struct {
	*Table
}

var (
	_ signin.FactorStore = Factors{}
	_ mfa.EnrolmentStore = Factors{}
	_ factor.Store       = Factors{}

	_ signin.ChallengeStore = Factors{}
	_ signin.MailCodeStore  = Factors{}
	_ factor.ChallengeStore = Factors{}
)

// Attributes of the item of an account's second factor, of a pending one and of the recovery codes.
const (
	attrSeed    = "seed"
	attrCounter = "counter"
	attrSince   = "since"
	attrLastTry = "tried"
	attrStreak  = "streak"
	attrExpires = "expires"
	attrCodes   = "codes"
)

func factorsOf(it item) mfa.Factors {
	return mfa.Factors{
		Seed: blob(it, attrSeed), Counter: number(it, attrCounter), Since: instant(it, attrSince),
		Tries: number(it, attrTries), TriedAt: instant(it, attrLastTry), Streak: number(it, attrStreak),
		Passkeys: passkeysOf(it),
	}
}

// LoadFactors implements signin.FactorStore: one round trip.
func (s Factors) LoadFactors(ctx context.Context, accountID, device string) (mfa.Factors, error) {
	keys := []key{factorKey(accountID)}
	if device != "" {
		keys = append(keys, trustedDeviceKey(accountID, device))
	}
	items, err := s.batchGet(ctx, keys)
	if err != nil {
		return mfa.Factors{}, err
	}
	found := factorsOf(items[0])
	if device != "" {
		found.Device = trustedDeviceOf(items[1])
	}
	return found, nil
}

// ReserveCodeAttempt implements signin.FactorStore. One write counts the code; where a pause has run out a second one
// begins the count anew. The pause needs no write of its own: it is how long the last of too many tries is ago.
func (s Factors) ReserveCodeAttempt(ctx context.Context, accountID string, now time.Time) (mfa.Factors, bool, error) {
	in := &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: factorKey(accountID).attributes(),
		UpdateExpression: aws.String("SET tried = :now ADD tries :one, streak :one"),
		ConditionExpression: aws.String(
			"attribute_exists(PK) AND (attribute_not_exists(tries) OR tries < :limit) AND (attribute_not_exists(streak) OR " +
				"streak < :most)"),
		ExpressionAttributeValues: item{
			":now": timestamp(now), ":one": num(1), ":limit": num(mfa.TryLimit), ":most": num(mfa.StreakLimit),
		},
		ReturnValues:                        types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	for range 2 {
		out, err := s.updateRetrying(ctx, in)
		counted, current, err := conditionHeld(err)
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
		// The condition is the pause as read: of many after it one begins the count, and the rest are counted on it or see
		// it.
		in.UpdateExpression = aws.String("SET tried = :now, tries = :one ADD streak :one")
		in.ConditionExpression = aws.String("tries = :seen AND tried = :at")
		in.ExpressionAttributeValues = item{
			":now": timestamp(now), ":one": num(1), ":seen": current[attrTries], ":at": current[attrLastTry],
		}
	}
	return mfa.Factors{TriedAt: now, Tries: mfa.TryLimit}, false, nil
}

// RecoveryCodes implements signin.FactorStore.
func (s Factors) RecoveryCodes(ctx context.Context, accountID string) (map[string]string, error) {
	it, err := s.get(ctx, recoveryCodesKey(accountID))
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for lookup := range nestedMap(it, attrCodes) {
		out[lookup] = text(nestedMap(it, attrCodes), lookup)
	}
	return out, nil
}

// LogEvent implements signin.FactorStore.
func (s Factors) LogEvent(ctx context.Context, accountID string, e auditlog.Event) error {
	it, err := eventItem(accountID, e)
	if err != nil {
		return err
	}
	_, err = s.Client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.Name, Item: it})
	return storeError("write", err)
}

// SavePendingTOTP implements mfa.EnrolmentStore. The account's anchor counts the write, so that a deletion sees it.
func (s Factors) SavePendingTOTP(ctx context.Context, env, accountID string, p mfa.PendingTOTP) error {
	k := pendingTOTPKey(accountID)
	err := s.commitWithAnchor(ctx, env, accountID,
		transaction{{types.TransactWriteItem{Put: &types.Put{TableName: &s.Name, Item: item{
			"PK": str(k.pk), "SK": str(k.sk), attrID: str(p.ID), attrSeed: bin(p.Seed), attrTries: num(0),
			attrExpires: timestamp(p.Expires), "ttl": num(p.Expires.Unix()),
		}}}, concurrentChange}})
	var cancelled *cancelledError
	if errors.As(err, &cancelled) {
		return accountNotFound()
	}
	return err
}

// ReserveEnrolmentAttempt implements mfa.EnrolmentStore.
func (s Factors) ReserveEnrolmentAttempt(ctx context.Context, accountID string, now time.Time) (mfa.PendingTOTP, bool,
	error) {
	out, err := s.updateRetrying(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: pendingTOTPKey(accountID).attributes(), UpdateExpression: aws.String("ADD tries :one"),
		ConditionExpression:       aws.String("attribute_exists(PK) AND tries < :limit AND expires > :now"),
		ExpressionAttributeValues: item{":one": num(1), ":limit": num(mfa.TryLimit), ":now": timestamp(now)},
		ReturnValues:              types.ReturnValueAllNew,
	})
	counted, _, err := conditionHeld(err)
	if err != nil || !counted {
		return mfa.PendingTOTP{}, false, err
	}
	it := out.Attributes
	return mfa.PendingTOTP{ID: text(it, attrID), Seed: blob(it, attrSeed), Expires: instant(it, attrExpires),
		Tries: number(it, attrTries)}, true, nil
}

// addFactorChange is what a change of the second factor writes.
func (s Table) addFactorChange(p *transaction, accountID string, c mfa.Change) error {
	update := func(k key, expression, condition string, values item) {
		*p = append(*p, op{types.TransactWriteItem{Update: &types.Update{
			TableName: &s.Name, Key: k.attributes(), UpdateExpression: &expression, ConditionExpression: &condition,
			ExpressionAttributeValues: values, ExpressionAttributeNames: counterName(expression + condition),
		}}, concurrentChange})
	}
	remove := func(k key, condition string, values item) {
		d := &types.Delete{TableName: &s.Name, Key: k.attributes(), ExpressionAttributeValues: values}
		if condition != "" {
			d.ConditionExpression = &condition
		}
		*p = append(*p, op{types.TransactWriteItem{Delete: d}, concurrentChange})
	}
	switch {
	case c.RemoveAll:
		for _, k := range []key{factorKey(accountID), recoveryCodesKey(accountID), pendingTOTPKey(accountID),
			pendingPasskeyKey(accountID), mailCodeKey(accountID)} {
			remove(k, "", nil)
		}
	case c.ConfirmedTOTP != nil:
		remove(pendingTOTPKey(accountID), "id = :id", item{":id": str(c.ConfirmedTOTP.ID)})
		it := item{attrSeed: bin(c.ConfirmedTOTP.Seed), attrCounter: num(c.Counter), attrSince: timestamp(c.Since),
			attrTries: num(0), attrStreak: num(0)}
		s.putFactor(p, accountID, c.FirstFactor, it)
	case c.NewPasskey != nil, c.RemovedPasskey != "", c.ChangedPasskey != nil:
		s.addPasskeyChange(p, accountID, c)
	case c.MailCode != nil:
		// Of two with the one code the second finds it gone (C31).
		update(mailCodeKey(accountID), "SET tries = :none, streak = :none REMOVE pw", "pw = :hash AND ticket = :ticket",
			item{":none": num(0), ":hash": str(c.MailCode.Hash), ":ticket": str(c.MailCode.Ticket)})
	case c.Counter != 0:
		// The code is used up by its time step: an equal or later one was accepted by nobody (V28, C11).
		update(factorKey(accountID), "SET #counter = :step, tries = :none, streak = :none",
			"#counter < :step AND seed = :seed",
			item{":step": num(c.Counter), ":none": num(0), ":seed": bin(c.Seed)})
	case c.UsedCode != "":
		update(factorKey(accountID), "SET tries = :none, streak = :none", "attribute_exists(PK)", item{":none": num(0)})
		*p = append(*p, op{types.TransactWriteItem{Update: &types.Update{
			TableName: &s.Name, Key: recoveryCodesKey(accountID).attributes(),
			UpdateExpression:         aws.String("REMOVE codes.#lookup"),
			ConditionExpression:      aws.String("attribute_exists(codes.#lookup)"),
			ExpressionAttributeNames: map[string]string{"#lookup": c.UsedCode},
		}}, concurrentChange})
	}
	if c.Codes != nil {
		k, codes := recoveryCodesKey(accountID), item{}
		for _, lookup := range slices.Sorted(maps.Keys(c.Codes)) {
			codes[lookup] = str(c.Codes[lookup])
		}
		*p = append(*p, op{types.TransactWriteItem{Put: &types.Put{TableName: &s.Name, Item: item{
			"PK": str(k.pk), "SK": str(k.sk), attrCodes: mapValue(codes),
		}}}, concurrentChange})
	}
	if c.NewDevice != nil {
		p.put(&s, trustedDeviceItem(accountID, *c.NewDevice), concurrentChange)
	}
	if c.Event != nil {
		event, err := eventItem(accountID, *c.Event)
		if err != nil {
			return err
		}
		p.put(&s, event, concurrentChange)
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
	p, err := Accounts(s).transactionItems(env.ID, w, 0)
	if err != nil {
		return err
	}
	if err := s.addFactorChange(&p, w.After.ID, c); err != nil {
		return err
	}
	return asConcurrentChange(s.transact(ctx, p.items()))
}

// ForgetDevice forgets one device and writes the event and the mails, or nothing of it; NotFound if there is none.
func (s Factors) ForgetDevice(ctx context.Context, accountID, device string, e auditlog.Event,
	mails []mail.Message) error {
	event, err := eventItem(accountID, e)
	if err != nil {
		return err
	}
	p, err := s.mailItems(mails)
	if err != nil {
		return err
	}
	p.put(s.Table, event, concurrentChange)
	p = append(p, op{types.TransactWriteItem{Delete: &types.Delete{
		TableName: &s.Name, Key: trustedDeviceKey(accountID, device).attributes(),
		ConditionExpression: aws.String("attribute_exists(PK)"),
	}}, concurrentChange})
	if err := asConcurrentChange(s.transact(ctx, p.items())); errors.Is(err, account.ErrConcurrentChange) {
		return fault.New(fault.NotFound, "notFound", "There is no such remembered device.")
	} else if err != nil {
		return err
	}
	return nil
}
