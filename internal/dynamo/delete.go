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

var _ account.Deleter = Accounts{}

// dependentKinds says what the items of an account are, by the beginning of their sort keys; the contact has no more
// than that. Those that are not here are nobody's to delete unseen: they hold the account.
func dependentKinds() map[string]account.DependentKind {
	return map[string]account.DependentKind{
		sessionSK: account.DependentSession, ticketSK: account.DependentTicket, apiKeySK: account.DependentAPIKey,
		contactSK:    account.DependentContact,
		delegationSK: account.DependentDelegation, factorSK: account.DependentSecondFactor,
		passwordHistorySK: account.DependentPasswordHistory, trustedDeviceSK: account.DependentTrustedDevice,
		accountIdentitySK: account.DependentIdentity,
	}
}

// Dependents implements account.Deleter. The count of keys made is read with the keys, and holds for them as a
// condition of the deletion.
func (s Accounts) Dependents(ctx context.Context, id string) (account.Dependents, error) {
	items, err := s.queryAll(ctx, pageQuery{pk: accountPK(id)})
	if err != nil {
		return account.Dependents{}, err
	}
	var out account.Dependents
	for _, it := range items {
		sk := text(it, "SK")
		switch {
		case sk == anchorSK:
			out.TabWrites = number(it, attrTabWrites)
		case strings.HasPrefix(sk, eventSK):
		case sk == apiKeyCountSK:
			out.KeysMade = number(it, "made")
		default:
			out.All = append(out.All, dependentOf(sk, it))
		}
	}
	return out, nil
}

func dependentOf(sk string, it item) account.Dependent {
	for prefix, kind := range dependentKinds() {
		if id, ok := strings.CutPrefix(sk, prefix); ok && (id == "") == (prefix == contactSK || prefix == passwordHistorySK) {
			_, used := it["used"]
			return account.Dependent{Kind: kind, ID: id, Used: used && kind == account.DependentAPIKey,
				Identity: text(it, "object")}
		}
	}
	return account.Dependent{Kind: account.DependentOther, ID: sk}
}

// Delete implements account.Deleter. Tickets need no deleting: without the anchor they open nothing, and the table
// sweeps them. The account's events stay for as long as the log is kept; nothing leads to them, because the id is never
// given again.
func (s Accounts) Delete(ctx context.Context, env environment.Environment, d account.Deletion) error {
	p := s.deleteItems(env.ID, d)
	event, err := eventAt(environmentLogKey(env.ID, d.Event.ID), d.Event)
	if err != nil {
		return err
	}
	p.put(s.Table, event, concurrentChange)
	p = append(p, s.counterItems(env.ID, env.CatalogueVersion, ruleDependencyOf(false, d.CallerEpoch), d.SeatChanges())...)
	if d.CallerEpoch != 0 {
		p = append(p, s.callerUnchanged(d.Event.ByID, d.CallerEpoch))
	}
	err = s.transact(ctx, p.items())
	var cancelled *cancelledError
	if errors.As(err, &cancelled) {
		i := cancelled.failed()
		return p[i].conflict(cancelled.reasons[i].Item)
	}
	return err
}

func (s Accounts) deleteItems(env string, d account.Deletion) transaction {
	a, values := d.Before, item{}
	condition := rowUnchanged(&a, values) + " AND attribute_not_exists(lastLogin)"
	var p transaction
	remove := func(k key, condition string, values item) {
		p = append(p, op{types.TransactWriteItem{Delete: &types.Delete{
			TableName: &s.Name, Key: k.attributes(), ConditionExpression: &condition, ExpressionAttributeValues: values,
		}}, concurrentChange})
	}
	remove(rowKey(env, a.DirectoryKey()), condition, values)
	for _, identifier := range a.LoginKeys() {
		remove(loginKey(env, identifier), "id = :id", item{":id": str(a.ID)})
	}
	anchorCondition, anchorValues := "v.epoch = :epoch AND attribute_not_exists(tabs)", item{":epoch": num(a.Epoch)}
	if d.Dependents.TabWrites > 0 {
		anchorCondition, anchorValues[":tabs"] = "v.epoch = :epoch AND tabs = :tabs", num(d.Dependents.TabWrites)
	}
	remove(anchorKey(a.ID), anchorCondition, anchorValues)
	if d.Dependents.KeysMade > 0 {
		remove(apiKeyCountKey(a.ID), "made = :made", item{":made": num(d.Dependents.KeysMade)})
	} else {
		p = append(p, op{types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
			TableName: &s.Name, Key: apiKeyCountKey(a.ID).attributes(),
			ConditionExpression: aws.String("attribute_not_exists(PK)"),
		}}, concurrentChange})
	}
	for _, b := range d.Dependents.All {
		if b.Kind == account.DependentIdentity {
			remove(identityKey(env, b.ID, b.Identity), "id = :id", item{":id": str(a.ID)})
		}
		for prefix, kind := range dependentKinds() {
			if kind == b.Kind && kind != account.DependentTicket {
				// A key that was used since holds the account.
				remove(key{accountPK(a.ID), prefix + b.ID}, "attribute_not_exists(used)", nil)
			}
		}
	}
	return p
}
