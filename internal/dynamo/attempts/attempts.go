// Package attempts finds accounts for a sign-in and counts its attempts before anything is verified: on the account, on
// a trusted device, on a known network, or on a decoy, and by network address.
package attempts

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
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

// Store finds accounts for a sign-in and counts its attempts.
type Store struct {
	*table.Table
}

var _ signin.Accounts = Store{}

// Find implements signin.Accounts: one round trip, whether the identifier is known or not.
func (s Store) Find(ctx context.Context, env, identifier string) (environment.Environment, string, error) {
	found, err := s.FindWithDevice(ctx, env, identifier, token.Token{})
	return found.Env, found.Key, err
}

// FindWithDevice implements signin.Accounts: one round trip, whether identifier and device are known or not.
func (s Store) FindWithDevice(ctx context.Context, env, identifier string, given token.Token) (signin.Lookup, error) {
	leads := schema.RowKey(env, identifier)
	byEmail := account.MayBeEmail(identifier)
	if byEmail {
		leads = schema.LoginKey(env, identifier)
	}
	keys := []table.Key{leads, schema.HeadKey(env)}
	if given != (token.Token{}) {
		keys = append(keys, schema.TrustedDeviceKey(given.Account.String(), given.ID.String()))
	}
	items, err := s.BatchGet(ctx, keys)
	if err != nil {
		return signin.Lookup{}, err
	}
	head, err := schema.EnvironmentOf(env, items[1])
	found := signin.Lookup{Env: head}
	if err != nil || items[0] == nil {
		return found, err
	}
	owner := ""
	found.Networks = schema.NetworksOf(items[0])
	if byEmail {
		found.Key, owner = schema.LoginKeyTarget(items[0], head.Imports.Sees(table.Int(items[0], schema.AttrImportID)))
	} else if a, ok := schema.AccountOf(items[0], schema.VisibleAt(head.Imports, items[0])); ok {
		found.Key, owner = identifier, a.ID
	}
	if len(items) > 2 && found.Key != "" && owner == given.Account.String() {
		found.Device = schema.TrustedDeviceOf(items[2])
	}
	return found, nil
}

// ReserveAttempt implements signin.Accounts: one round trip and one write, whether the account exists or not.
func (s Store) ReserveAttempt(
	ctx context.Context, env environment.Environment, row string, rule signin.AttemptPolicy,
) (signin.Attempt, error) {
	k := schema.RowKey(env.ID, row)
	condition, values := attemptAllowed(rule)
	if row == "" {
		k = schema.DecoyKey(env.ID, table.RandomBelow(schema.Decoys))
		condition = "attribute_not_exists(PK) OR NOT (" + condition + ") OR " + condition // the same work, always allowed
	}
	values[":one"], values[":now"] = table.N(1), table.Timestamp(rule.Now)
	out, err := s.UpdateRetrying(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: k.Attributes(), UpdateExpression: aws.String("SET tried = :now ADD tries :one"),
		ConditionExpression: &condition, ExpressionAttributeValues: values, ReturnValues: types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	charged, current, err := table.ConditionHeld(err)
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
	a, ok := schema.AccountOf(current, schema.VisibleAt(env.Imports, current))
	if charged {
		a.TriesBlockedAt = time.Time{}
	}
	return signin.Attempt{Account: a, Found: ok, Reserved: charged && ok}, nil
}

// attemptAllowed is the condition under which one more attempt is allowed: below the limit, or after the wait that
// the timed release asks for at this number of failures in a row. signin.AttemptPolicy.Wait states the same rule.
func attemptAllowed(rule signin.AttemptPolicy) (string, table.Item) {
	values := table.Item{":limit": table.N(int64(rule.Limit))}
	condition := "tries < :limit AND attribute_not_exists(blockedAt)"
	if !rule.Release {
		return "attribute_exists(PK) AND " + condition, values
	}
	waits := account.BackoffDelays()
	values[":stop"] = table.N(account.MaxAccountFailures(rule.Limit))
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
		values[n], values[w] = table.N(int64(rule.Limit+i)), table.Timestamp(rule.Now.Add(-wait))
	}
	return "attribute_exists(PK) AND (" + condition + " OR tries < :stop AND (" + strings.Join(rungs, " OR ") + "))",
		values
}

// RecordFailure implements signin.Accounts. The event goes into the account's log, into the one event of the hour
// beyond the limit, or to a decoy. Each is one write of the same kind. Only the attempt that blocks the account is a
// transaction: of the event, the block, its event and the mail.
func (s Store) RecordFailure(ctx context.Context, env environment.Environment, r signin.FailedAttempt) error {
	e := auditlog.Event{
		ID: r.EventID, At: r.At, Kind: auditlog.SignInFailed, Note: r.Reason, Address: r.Client.Address,
		Client:    r.Client.Client,
		UserAgent: r.Client.UserAgent, RetentionDays: env.Settings.LogRetentionDays,
	}
	k := schema.DecoyEventKey(env.ID, table.RandomBelow(schema.Decoys))
	switch {
	case r.RevokedDevice.ID != "":
		err := s.forgetDevice(ctx, r, e, env.Settings.TryLimit())
		if !errors.Is(err, account.ErrConcurrentChange) {
			return err
		}
		// the right password came from the device meanwhile, or it is no longer trusted
		k = schema.EventKey(r.Account.ID, e.ID)
	case r.ForgottenNetwork != "":
		return s.forgetNetwork(ctx, env, r, e)
	case r.Known && r.Blocks:
		err := s.block(ctx, env, r, e)
		if !errors.Is(err, account.ErrConcurrentChange) {
			return err
		}
		// another attempt blocked it, or a sign-in succeeded; this one failed all the same
		k = schema.EventKey(r.Account.ID, e.ID)
	case r.Known && r.Reserved:
		k = schema.EventKey(r.Account.ID, e.ID)
	case r.Known:
		k = schema.EventKey(r.Account.ID, hourlyEventID(r.At))
	}
	return countEvent(ctx, s.Table, k, e)
}

// hourlyEventID is the id of the event that counts the attempts beyond the limit within one hour.
func hourlyEventID(at time.Time) string {
	id := ulid.ULID{}
	_ = id.SetTime(ulid.Timestamp(at.Truncate(time.Hour))) // within ULID's ten thousand years
	return id.String()
}

// countEvent writes an event, or raises the count of the one at that key.
func countEvent(ctx context.Context, t *table.Table, k table.Key, e auditlog.Event) error {
	it, err := schema.EventAt(k, e)
	if err != nil {
		return err
	}
	set, names, values := []string{}, map[string]string{"#count": "count"}, table.Item{":one": table.N(1)}
	for name, value := range it {
		if name == "PK" || name == "SK" {
			continue
		}
		set = append(set, "#"+name+" = :"+name)
		names["#"+name], values[":"+name] = name, value
	}
	slices.Sort(set)
	_, err = t.UpdateRetrying(ctx, &dynamodb.UpdateItemInput{
		TableName: &t.Name, Key: k.Attributes(),
		UpdateExpression:         aws.String("SET " + strings.Join(set, ", ") + " ADD #count :one"),
		ExpressionAttributeNames: names, ExpressionAttributeValues: values,
	})
	return table.WrapError("write", err)
}

// block writes the last failure and the block that follows from it, with the mail about it;
// account.ErrConcurrentChange if the account was blocked or signed in meanwhile.
func (s Store) block(
	ctx context.Context, env environment.Environment, r signin.FailedAttempt, failed auditlog.Event,
) error {
	a := r.Account
	var tx table.Transaction
	for _, e := range []auditlog.Event{failed,
		{ID: r.BlockID, At: r.At, Kind: auditlog.BlockedByTries, Address: r.Client.Address,
			RetentionDays: failed.RetentionDays}} {
		it, err := schema.Event(a.ID, e)
		if err != nil {
			return err
		}
		tx.Put(s.Table, it, schema.ConcurrentChange)
	}
	tx = append(tx, table.Update(&types.Update{
		TableName: &s.Name, Key: schema.RowKey(env.ID, a.DirectoryKey()).Attributes(),
		UpdateExpression:    aws.String("SET blockedAt = :at"),
		ConditionExpression: aws.String("id = :id AND tries >= :limit AND attribute_not_exists(blockedAt)"),
		ExpressionAttributeValues: table.Item{":at": table.Timestamp(r.At), ":id": table.S(a.ID),
			":limit": table.N(int64(env.Settings.TryLimit()))},
	}, schema.ConcurrentChange))
	mails, err := schema.Mails(s.Table, r.Mails)
	if err != nil {
		return err
	}
	return schema.AsConcurrentChange(s.Transact(ctx, append(tx, mails...).Items()))
}
