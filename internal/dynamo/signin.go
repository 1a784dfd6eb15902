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
	"useraccounts/internal/environment"
	"useraccounts/internal/journal"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

var _ signin.Accounts = Accounts{}

// decoys is over how many items the tries of unknown users are spread.
const decoys = 16

// Find implements signin.Accounts: one round trip, whoever is asked for.
func (s Accounts) Find(ctx context.Context, env, identifier string) (environment.Environment, string, error) {
	found, err := s.FindFrom(ctx, env, identifier, token.Token{})
	return found.Env, found.Key, err
}

// FindFrom implements signin.Accounts: one round trip, whoever is asked for and wherever from.
func (s Accounts) FindFrom(ctx context.Context, env, identifier string, given token.Token) (signin.Found, error) {
	leads := rowKey(env, identifier)
	byEmail := account.MayBeEmail(identifier)
	if byEmail {
		leads = loginKey(env, identifier)
	}
	keys := []key{leads, headKey(env)}
	if given != (token.Token{}) {
		keys = append(keys, deviceKey(given.Account.String(), given.ID.String()))
	}
	items, err := s.getAll(ctx, keys)
	if err != nil {
		return signin.Found{}, err
	}
	head, err := headOf(env, items[1])
	found := signin.Found{Env: head}
	if err != nil || items[0] == nil {
		return found, err
	}
	owner := ""
	if byEmail {
		found.Key, owner = leadsTo(items[0], head.Imports.Sees(number(items[0], attrImport)))
	} else if a, ok := accountOf(items[0], asSeen(head.Imports, items[0])); ok {
		found.Key, owner = identifier, a.ID
	}
	if len(items) > 2 && found.Key != "" && owner == given.Account.String() {
		found.Device = deviceOf(items[2])
	}
	return found, nil
}

// leadsTo returns the directory key that a login key leads to, and whose it is. An import marks a key it takes with gone and a key it makes
// without; unseen, the first still leads and the second does not yet. One that it hands on leads to the former owner.
func leadsTo(it item, seen bool) (row, owner string) {
	if former := text(it, attrFormerRow); former != "" && !seen {
		return former, text(it, attrFormerID)
	}
	if flag(it, attrGone) == seen && it[attrImport] != nil {
		return "", ""
	}
	return text(it, "row"), text(it, attrID)
}

// Charge implements signin.Accounts: one round trip and one write, whoever is charged.
func (s Accounts) Charge(ctx context.Context, env environment.Environment, row string, rule signin.Allowance) (signin.Charged, error) {
	k := rowKey(env.ID, row)
	condition, values := chargeable(rule)
	if row == "" {
		k = decoyKey(env.ID, below(decoys))
		condition = "attribute_not_exists(PK) OR NOT (" + condition + ") OR " + condition // the same work, always granted
	}
	values[":one"], values[":now"] = num(1), when(rule.Now)
	out, err := s.updateUnlessConflicting(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: k.attributes(), UpdateExpression: aws.String("SET tried = :now ADD tries :one"),
		ConditionExpression: &condition, ExpressionAttributeValues: values, ReturnValues: types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	charged, current, err := conditionHeld(err)
	if err != nil {
		return signin.Charged{}, err
	}
	if charged {
		current = out.Attributes
	}
	if row == "" {
		return signin.Charged{Charged: true}, nil
	}
	if current == nil {
		return signin.Charged{}, nil
	}
	a, ok := accountOf(current, asSeen(env.Imports, current))
	if charged {
		a.TriesBlockedAt = time.Time{}
	}
	return signin.Charged{Account: a, Found: ok, Charged: charged && ok}, nil
}

// chargeable is the condition under which one more try is let through: within the limit, or on the ladder of the timed
// release, where the failures in a row say how long the last try has to be ago (signin.Allowance.Wait says the same).
func chargeable(rule signin.Allowance) (string, item) {
	values := item{":limit": num(int64(rule.Limit))}
	condition := "tries < :limit AND attribute_not_exists(blockedAt)"
	if !rule.Release {
		return "attribute_exists(PK) AND " + condition, values
	}
	waits := account.ReleaseWaits()
	values[":stop"] = num(account.HardStop)
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
		values[n], values[w] = num(int64(rule.Limit+i)), when(rule.Now.Add(-wait))
	}
	return "attribute_exists(PK) AND (" + condition + " OR tries < :stop AND (" + strings.Join(rungs, " OR ") + "))", values
}

// Refuse implements signin.Accounts. The line goes to the account's log, to its line of the hour beyond the limit, or over
// that of a decoy: one write of one sort, but for the try that blocks, which is one transaction of line, block, event and
// mail.
func (s Accounts) Refuse(ctx context.Context, env environment.Environment, r signin.Refusal) error {
	e := journal.Event{
		ID: r.EventID, At: r.At, Kind: journal.SignInFailed, Note: r.Why, Address: r.Device.Address, Client: r.Device.Client,
		UserAgent: r.Device.UserAgent, Keep: env.Settings.LogRetentionDays,
	}
	k := decoyEventKey(env.ID, below(decoys))
	switch {
	case r.Forgets.ID != "":
		err := s.forget(ctx, r, e, env.Settings.TryLimit())
		if !errors.Is(err, account.ErrRaced) {
			return err
		}
		k = eventKey(r.Account.ID, e.ID) // the right password came from it meanwhile, or it was forgotten
	case r.Known && r.Blocks:
		err := s.block(ctx, env, r, e)
		if !errors.Is(err, account.ErrRaced) {
			return err
		}
		k = eventKey(r.Account.ID, e.ID) // another try blocked it, or it was let in; this one failed all the same
	case r.Known && r.Charged:
		k = eventKey(r.Account.ID, e.ID)
	case r.Known:
		k = eventKey(r.Account.ID, hourly(r.At))
	}
	return s.countEvent(ctx, k, e)
}

// hourly is the id of the line that counts the tries beyond the limit within one hour.
func hourly(at time.Time) string {
	id := ulid.ULID{}
	_ = id.SetTime(ulid.Timestamp(at.Truncate(time.Hour))) // within ULID's ten thousand years
	return id.String()
}

// countEvent writes an event, or counts it on the one that is there.
func (t *Table) countEvent(ctx context.Context, k key, e journal.Event) error {
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
	_, err = t.updateUnlessConflicting(ctx, &dynamodb.UpdateItemInput{
		TableName: &t.Name, Key: k.attributes(), UpdateExpression: aws.String("SET " + strings.Join(set, ", ") + " ADD #count :one"),
		ExpressionAttributeNames: names, ExpressionAttributeValues: values,
	})
	return store("write", err)
}

// block writes the last failure and the block that it brings about, with the mail that tells of it; account.ErrRaced if the
// account was blocked or let in meanwhile.
func (s Accounts) block(ctx context.Context, env environment.Environment, r signin.Refusal, failed journal.Event) error {
	a := r.Account
	var p parts
	for _, e := range []journal.Event{failed, {ID: r.BlockID, At: r.At, Kind: journal.BlockedByTries, Address: r.Device.Address, Keep: failed.Keep}} {
		it, err := eventItem(a.ID, e)
		if err != nil {
			return err
		}
		p.put(s.Table, it, raced)
	}
	p = append(p, part{types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: rowKey(env.ID, a.DirectoryKey()).attributes(),
		UpdateExpression:          aws.String("SET blockedAt = :at"),
		ConditionExpression:       aws.String("id = :id AND tries >= :limit AND attribute_not_exists(blockedAt)"),
		ExpressionAttributeValues: item{":at": when(r.At), ":id": str(a.ID), ":limit": num(int64(env.Settings.TryLimit()))},
	}}, raced})
	mails, err := s.mailParts(r.Mails)
	if err != nil {
		return err
	}
	return racedIfCancelled(s.transact(ctx, append(p, mails...).items()))
}
