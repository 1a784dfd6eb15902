package dynamo

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/account"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
)

var _ account.Deleter = Accounts{}

// dependentKinds is the kinds of an account's items by the prefix of their sort keys; the contact's key has no more
// than that. An item of another kind prevents the deletion.
func dependentKinds() map[string]account.DependentKind {
	return map[string]account.DependentKind{
		schema.SessionSK: account.DependentSession, schema.TicketSK: account.DependentTicket,
		schema.APIKeySK:     account.DependentAPIKey,
		schema.ContactSK:    account.DependentContact,
		schema.DelegationSK: account.DependentDelegation, schema.FactorSK: account.DependentSecondFactor,
		schema.PasswordHistorySK: account.DependentPasswordHistory, schema.TrustedDeviceSK: account.DependentTrustedDevice,
		schema.AccountIdentitySK: account.DependentIdentity,
	}
}

// Dependents implements account.Deleter. The number of keys created is read with the keys and is a condition of the
// deletion.
func (s Accounts) Dependents(ctx context.Context, id string) (account.Dependents, error) {
	items, err := s.QueryAll(ctx, table.Query{PK: schema.AccountPK(id)})
	if err != nil {
		return account.Dependents{}, err
	}
	var out account.Dependents
	for _, it := range items {
		sk := table.String(it, "SK")
		switch {
		case sk == schema.AnchorSK:
			out.TabWrites = table.Int(it, attrTabWrites)
		case strings.HasPrefix(sk, schema.EventSK):
		case sk == schema.APIKeyCountSK:
			out.KeysMade = table.Int(it, "made")
		default:
			out.All = append(out.All, dependentOf(sk, it))
		}
	}
	return out, nil
}

func dependentOf(sk string, it table.Item) account.Dependent {
	for prefix, kind := range dependentKinds() {
		if id, ok := strings.CutPrefix(sk, prefix); ok &&
			(id == "") == (prefix == schema.ContactSK || prefix == schema.PasswordHistorySK) {
			_, used := it["used"]
			return account.Dependent{Kind: kind, ID: id, Used: used && kind == account.DependentAPIKey,
				Identity: table.String(it, "object")}
		}
	}
	return account.Dependent{Kind: account.DependentOther, ID: sk}
}

// Delete implements account.Deleter. Tickets need no deletion: without the anchor they open nothing, and they expire.
// The account's events stay for as long as the log is kept. Nothing leads to them, because an id is never used again.
func (s Accounts) Delete(ctx context.Context, env environment.Environment, d account.Deletion) error {
	tx := s.deleteItems(env.ID, d)
	event, err := schema.EventAt(schema.EnvironmentLogKey(env.ID, d.Event.ID), d.Event)
	if err != nil {
		return err
	}
	tx.Put(s.Table, event, schema.ConcurrentChange)
	tx = append(tx,
		counterItems(s.Table, env.ID, env.CatalogueVersion, ruleDependencyOf(false, d.CallerEpoch), d.SeatChanges())...)
	if d.CallerEpoch != 0 {
		tx = append(tx, s.callerUnchanged(d.Event.ByID, d.CallerEpoch))
	}
	return s.Commit(ctx, tx)
}

func (s Accounts) deleteItems(env string, d account.Deletion) table.Transaction {
	a, values := d.Before, table.Item{}
	condition := rowUnchanged(&a, values) + " AND attribute_not_exists(lastLogin)"
	var tx table.Transaction
	remove := func(k table.Key, condition string, values table.Item) {
		tx = append(tx, table.Delete(&types.Delete{
			TableName: &s.Name, Key: k.Attributes(), ConditionExpression: &condition, ExpressionAttributeValues: values,
		}, schema.ConcurrentChange))
	}
	remove(schema.RowKey(env, a.DirectoryKey()), condition, values)
	for _, identifier := range a.LoginKeys() {
		remove(schema.LoginKey(env, identifier), "id = :id", table.Item{":id": table.S(a.ID)})
	}
	anchorCondition, anchorValues := "v.epoch = :epoch AND attribute_not_exists(tabs)",
		table.Item{":epoch": table.N(a.Epoch)}
	if d.Dependents.TabWrites > 0 {
		anchorCondition, anchorValues[":tabs"] = "v.epoch = :epoch AND tabs = :tabs", table.N(d.Dependents.TabWrites)
	}
	remove(schema.AnchorKey(a.ID), anchorCondition, anchorValues)
	if d.Dependents.KeysMade > 0 {
		remove(schema.APIKeyCountKey(a.ID), "made = :made", table.Item{":made": table.N(d.Dependents.KeysMade)})
	} else {
		tx = append(tx, table.Check(&types.ConditionCheck{
			TableName: &s.Name, Key: schema.APIKeyCountKey(a.ID).Attributes(),
			ConditionExpression: aws.String("attribute_not_exists(PK)"),
		}, schema.ConcurrentChange))
	}
	for _, b := range d.Dependents.All {
		if b.Kind == account.DependentIdentity {
			remove(schema.IdentityKey(env, b.ID, b.Identity), "id = :id", table.Item{":id": table.S(a.ID)})
		}
		for prefix, kind := range dependentKinds() {
			if kind == b.Kind && kind != account.DependentTicket {
				// A key that was used since prevents the deletion.
				remove(table.NewKey(schema.AccountPK(a.ID), prefix+b.ID), "attribute_not_exists(used)", nil)
			}
		}
	}
	return tx
}
