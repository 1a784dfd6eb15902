package dynamo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/oklog/ulid/v2"

	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/environment"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

var _ signin.Accounts = Accounts{}

// decoys is over how many items the tries of unknown users are spread.
const decoys = 16

// Find implements signin.Accounts: one round trip, whoever is asked for.
func (s Accounts) Find(ctx context.Context, env, identifier string) (environment.Environment, string, error) {
	found, err := s.FindWithDevice(ctx, env, identifier, token.Token{})
	return found.Env, found.Key, err
}

// FindWithDevice implements signin.Accounts: one round trip, whoever is asked for and wherever from.
func (s Accounts) FindWithDevice(ctx context.Context, env, identifier string, given token.Token) (signin.Lookup,
	error) {
	leads := rowKey(env, identifier)
	byEmail := account.MayBeEmail(identifier)
	if byEmail {
		leads = loginKey(env, identifier)
	}
	keys := []key{leads, headKey(env)}
	if given != (token.Token{}) {
		keys = append(keys, trustedDeviceKey(given.Account.String(), given.ID.String()))
	}
	items, err := s.batchGet(ctx, keys)
	if err != nil {
		return signin.Lookup{}, err
	}
	head, err := headOf(env, items[1])
	found := signin.Lookup{Env: head}
	if err != nil || items[0] == nil {
		return found, err
	}
	owner := ""
	if byEmail {
		found.Key, owner = loginKeyTarget(items[0], head.Imports.Sees(number(items[0], attrImportID)))
	} else if a, ok := accountOf(items[0], visibleAt(head.Imports, items[0])); ok {
		found.Key, owner = identifier, a.ID
	}
	if len(items) > 2 && found.Key != "" && owner == given.Account.String() {
		found.Device = trustedDeviceOf(items[2])
	}
	return found, nil
}

// loginKeyTarget returns the directory key that a login key leads to, and whose it is. An import marks a key it takes
// with gone and a key it makes without; unseen, the first still leads and the second does not yet. One that it hands on
// leads to the former owner.
func loginKeyTarget(it item, visible bool) (row, owner string) {
	if former := text(it, attrPreviousRow); former != "" && !visible {
		return former, text(it, attrPreviousID)
	}
	if flag(it, attrTombstone) == visible && it[attrImportID] != nil {
		return "", ""
	}
	return text(it, "row"), text(it, attrID)
}

// ReserveAttempt implements signin.Accounts: one round trip and one write, whoever is charged.
func (s Accounts) ReserveAttempt(ctx context.Context, env environment.Environment, row string,
	rule signin.AttemptPolicy) (signin.Attempt, error) {
	k := rowKey(env.ID, row)
	condition, values := attemptAllowed(rule)
	if row == "" {
		k = decoyKey(env.ID, randomBelow(decoys))
		condition = "attribute_not_exists(PK) OR NOT (" + condition + ") OR " + condition // the same work, always granted
	}
	values[":one"], values[":now"] = num(1), timestamp(rule.Now)
	out, err := s.updateRetrying(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: k.attributes(), UpdateExpression: aws.String("SET tried = :now ADD tries :one"),
		ConditionExpression: &condition, ExpressionAttributeValues: values, ReturnValues: types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	charged, current, err := conditionHeld(err)
	if err != nil {
		return signin.Attempt{}, err
	}
	if charged {
		current = out.Attributes
	}
	if row == "" {
		return signin.Attempt{Reserved: true}, nil
	}
	if current == nil {
		return signin.Attempt{}, nil
	}
	a, ok := accountOf(current, visibleAt(env.Imports, current))
	if charged {
		a.TriesBlockedAt = time.Time{}
	}
	return signin.Attempt{Account: a, Found: ok, Reserved: charged && ok}, nil
}

// attemptAllowed is the condition under which one more try is let through: within the limit, or on the ladder of the
// timed release, where the failures in a row say how long the last try has to be ago (signin.AttemptPolicy.Wait says
// the same).
func attemptAllowed(rule signin.AttemptPolicy) (string, item) {
	values := item{":limit": num(int64(rule.Limit))}
	condition := "tries < :limit AND attribute_not_exists(blockedAt)"
	if !rule.Release {
		return "attribute_exists(PK) AND " + condition, values
	}
	waits := account.BackoffDelays()
	values[":stop"] = num(account.MaxConsecutiveFailures)
	rungs := make([]string, len(waits))
	for i, wait := range waits {
		n, w := fmt.Sprintf(":rung%d", i), fmt.Sprintf(":wait%d", i)
		compare := "="
		switch i {
		case 0:
			compare = "<=" // the limit may have been raised since
		case len(waits) - 1:
			compare = ">="
		}
		rungs[i] = "tries " + compare + " " + n + " AND tried <= " + w
		values[n], values[w] = num(int64(rule.Limit+i)), timestamp(rule.Now.Add(-wait))
	}
	return "attribute_exists(PK) AND (" + condition + " OR tries < :stop AND (" + strings.Join(rungs, " OR ") + "))",
		values
}

// RecordFailure implements signin.Accounts. The line goes to the account's log, to its line of the hour beyond the
// limit, or over that of a decoy: one write of one sort, but for the try that blocks, which is one transaction of line,
// block, event and mail.
func (s Accounts) RecordFailure(ctx context.Context, env environment.Environment, r signin.FailedAttempt) error {
	e := auditlog.Event{
		ID: r.EventID, At: r.At, Kind: auditlog.SignInFailed, Note: r.Reason, Address: r.Client.Address,
		Client:    r.Client.Client,
		UserAgent: r.Client.UserAgent, RetentionDays: env.Settings.LogRetentionDays,
	}
	k := decoyEventKey(env.ID, randomBelow(decoys))
	switch {
	case r.RevokedDevice.ID != "":
		err := s.forgetDevice(ctx, r, e, env.Settings.TryLimit())
		if !errors.Is(err, account.ErrConcurrentChange) {
			return err
		}
		k = eventKey(r.Account.ID, e.ID) // the right password came from it meanwhile, or it was forgotten
	case r.Known && r.Blocks:
		err := s.block(ctx, env, r, e)
		if !errors.Is(err, account.ErrConcurrentChange) {
			return err
		}
		k = eventKey(r.Account.ID, e.ID) // another try blocked it, or it was let in; this one failed all the same
	case r.Known && r.Reserved:
		k = eventKey(r.Account.ID, e.ID)
	case r.Known:
		k = eventKey(r.Account.ID, hourlyEventID(r.At))
	}
	return s.countEvent(ctx, k, e)
}

// hourlyEventID is the id of the line that counts the tries beyond the limit within one hour.
func hourlyEventID(at time.Time) string {
	id := ulid.ULID{}
	_ = id.SetTime(ulid.Timestamp(at.Truncate(time.Hour))) // within ULID's ten thousand years
	return id.String()
}

// countEvent writes an event, or counts it on the one that is there.
func (t *Table) countEvent(ctx context.Context, k key, e auditlog.Event) error {
	it, err := eventAt(k, e)
	if err != nil {
		return err
	}
	set, names, values := []string{}, map[string]string{"#count": "count"}, item{":one": num(1)}
	for name, value := range it {
		if name == "PK" || name == "SK" {
			continue
		}
		set = append(set, "#"+name+" = :"+name)
		names["#"+name], values[":"+name] = name, value
	}
	slices.Sort(set)
	_, err = t.updateRetrying(ctx, &dynamodb.UpdateItemInput{
		TableName: &t.Name, Key: k.attributes(),
		UpdateExpression:         aws.String("SET " + strings.Join(set, ", ") + " ADD #count :one"),
		ExpressionAttributeNames: names, ExpressionAttributeValues: values,
	})
	return storeError("write", err)
}

// block writes the last failure and the block that it brings about, with the mail that tells of it;
// account.ErrConcurrentChange if the account was blocked or let in meanwhile.
func (s Accounts) block(ctx context.Context, env environment.Environment, r signin.FailedAttempt,
	failed auditlog.Event) error {
	a := r.Account
	var p transaction
	for _, e := range []auditlog.Event{failed,
		{ID: r.BlockID, At: r.At, Kind: auditlog.BlockedByTries, Address: r.Client.Address,
			RetentionDays: failed.RetentionDays}} {
		it, err := eventItem(a.ID, e)
		if err != nil {
			return err
		}
		p.put(s.Table, it, concurrentChange)
	}
	p = append(p, op{types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: rowKey(env.ID, a.DirectoryKey()).attributes(),
		UpdateExpression:    aws.String("SET blockedAt = :at"),
		ConditionExpression: aws.String("id = :id AND tries >= :limit AND attribute_not_exists(blockedAt)"),
		ExpressionAttributeValues: item{":at": timestamp(r.At), ":id": str(a.ID),
			":limit": num(int64(env.Settings.TryLimit()))},
	}}, concurrentChange})
	mails, err := s.mailItems(r.Mails)
	if err != nil {
		return err
	}
	return asConcurrentChange(s.transact(ctx, append(p, mails...).items()))
}
