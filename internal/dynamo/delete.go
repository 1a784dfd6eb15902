package dynamo

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/account"
	"useraccounts/internal/environment"
)

var _ account.Remover = Accounts{}

// belongs says what the items of an account are, by the beginning of their sort keys; the contact has no more than that.
// Those that are not here are nobody's to delete unseen: they hold the account.
func belongs() map[string]account.BelongingKind {
	return map[string]account.BelongingKind{
		sessionSK: account.ASession, ticketSK: account.ATicket, apiKeySK: account.AKey, contactSK: account.AContact,
		delegationSK: account.ADelegation, factorSK: account.AFactor, formerSK: account.AFormer, deviceSK: account.ADevice, signOnSK: account.ASignOn,
	}
}

// Belongings implements account.Remover. The count of keys made is read with the keys, and holds for them as a condition of
// the deletion.
func (s Accounts) Belongings(ctx context.Context, id string) (account.Belongings, error) {
	items, err := s.queryAll(ctx, page{pk: accountPK(id)})
	if err != nil {
		return account.Belongings{}, err
	}
	var out account.Belongings
	for _, it := range items {
		sk := text(it, "SK")
		switch {
		case sk == anchorSK:
			out.TabWrites = number(it, attrTabs)
		case strings.HasPrefix(sk, eventSK):
		case sk == apiKeysSK:
			out.KeysMade = number(it, "made")
		default:
			out.All = append(out.All, belongingOf(sk, it))
		}
	}
	return out, nil
}

func belongingOf(sk string, it item) account.Belonging {
	for prefix, kind := range belongs() {
		if id, ok := strings.CutPrefix(sk, prefix); ok && (id == "") == (prefix == contactSK || prefix == formerSK) {
			_, used := it["used"]
			return account.Belonging{Kind: kind, ID: id, Used: used && kind == account.AKey, Identity: text(it, "object")}
		}
	}
	return account.Belonging{Kind: account.Other, ID: sk}
}

// Delete implements account.Remover. Tickets need no deleting: without the anchor they open nothing, and the table sweeps
// them. The account's events stay for as long as the log is kept; nothing leads to them, because the id is never given again.
func (s Accounts) Delete(ctx context.Context, env environment.Environment, d account.Deletion) error {
	p := s.planDelete(env.ID, d)
	event, err := eventAt(logKey(env.ID, d.Event.ID), d.Event)
	if err != nil {
		return err
	}
	p.put(s.Table, event, raced)
	p = append(p, s.atCounters(env.ID, env.CatalogueVersion, rulesFor(false, d.CallerEpoch), d.SeatChanges())...)
	if d.CallerEpoch != 0 {
		p = append(p, s.callerUnchanged(d.Event.ByID, d.CallerEpoch))
	}
	err = s.transact(ctx, p.items())
	var cancelled *errCancelled
	if errors.As(err, &cancelled) {
		i := cancelled.failed()
		return p[i].refused(cancelled.reasons[i].Item)
	}
	return err
}

func (s Accounts) planDelete(env string, d account.Deletion) parts {
	a, values := d.Before, item{}
	condition := asRead(&a, values) + " AND attribute_not_exists(lastLogin)"
	var p parts
	remove := func(k key, condition string, values item) {
		p = append(p, part{types.TransactWriteItem{Delete: &types.Delete{
			TableName: &s.Name, Key: k.attributes(), ConditionExpression: &condition, ExpressionAttributeValues: values,
		}}, raced})
	}
	remove(rowKey(env, a.DirectoryKey()), condition, values)
	for _, identifier := range a.LoginKeys() {
		remove(loginKey(env, identifier), "id = :id", item{":id": str(a.ID)})
	}
	anchored, asSeen := "v.epoch = :epoch AND attribute_not_exists(tabs)", item{":epoch": num(a.Epoch)}
	if d.Belongings.TabWrites > 0 {
		anchored, asSeen[":tabs"] = "v.epoch = :epoch AND tabs = :tabs", num(d.Belongings.TabWrites)
	}
	remove(anchorKey(a.ID), anchored, asSeen)
	if d.Belongings.KeysMade > 0 {
		remove(apiKeysKey(a.ID), "made = :made", item{":made": num(d.Belongings.KeysMade)})
	} else {
		p = append(p, part{types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
			TableName: &s.Name, Key: apiKeysKey(a.ID).attributes(), ConditionExpression: aws.String("attribute_not_exists(PK)"),
		}}, raced})
	}
	for _, b := range d.Belongings.All {
		if b.Kind == account.ASignOn {
			remove(identityKey(env, b.ID, b.Identity), "id = :id", item{":id": str(a.ID)})
		}
		for prefix, kind := range belongs() {
			if kind == b.Kind && kind != account.ATicket {
				// A key that was used since holds the account.
				remove(key{accountPK(a.ID), prefix + b.ID}, "attribute_not_exists(used)", nil)
			}
		}
	}
	return p
}
