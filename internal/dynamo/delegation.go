package dynamo

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/reference"
	"useraccounts/internal/resource"
)

// Delegations keeps delegations. Each is two items: one in the account's partition, and the account's claim on the
// target. The claim ensures that an account has a target once, and finds the accounts of a target.
type Delegations struct {
	*table.Table
}

var (
	_ account.DelegationStore = Delegations{}
	_ account.Resources       = Delegations{}
	_ reference.HolderSource  = Delegations{}
	_ resource.UsageFinder    = Delegations{}
)

func delegationOf(it table.Item) account.Delegation {
	return account.Delegation{
		ID: table.String(it, schema.AttrID), Version: table.Int(it, "version"),
		Kind:    account.TargetKind(table.String(it, "kind")),
		Code:    table.String(it, "code"),
		Manager: table.Bool(it, "manager"), ChangedBy: table.String(it, "by"), ChangedAt: table.Time(it, "at"),
	}
}

// Delegations implements account.DelegationStore.
func (s Delegations) Delegations(
	ctx context.Context, accountID, after string, limit int,
) ([]account.Delegation, string, error) {
	p := table.Query{PK: schema.AccountPK(accountID), Prefix: schema.DelegationSK, Limit: limit}
	if after != "" {
		p.After = schema.DelegationSK + after
	}
	items, more, err := s.Query(ctx, p)
	if err != nil {
		return nil, "", err
	}
	out := make([]account.Delegation, len(items))
	for i, it := range items {
		out[i] = delegationOf(it)
	}
	if !more || len(out) == 0 {
		return out, "", nil
	}
	return out, out[len(out)-1].ID, nil
}

func delegationNotFound(table.Item) error {
	return fault.New(fault.NotFound, "notFound", "The account has no such delegation. It may have been removed.")
}

// Delegation implements account.DelegationStore.
func (s Delegations) Delegation(ctx context.Context, accountID, id string) (account.Delegation, error) {
	it, err := s.Get(ctx, schema.DelegationKey(accountID, id))
	if err == nil && it == nil {
		err = delegationNotFound(nil)
	}
	return delegationOf(it), err
}

// AddDelegation implements account.DelegationStore. That the target still exists is checked at the same place where
// the target's deletion looks for its users: at the counters of reference data, or at the resource.
func (s Delegations) AddDelegation(
	ctx context.Context, env environment.Environment, accountID string, d account.Delegation, e auditlog.Event,
) error {
	claim := schema.DelegationTargetKey(env.ID, string(d.Kind), d.Code, accountID)
	k := schema.DelegationKey(accountID, d.ID)
	var tx table.Transaction
	tx.Put(s.Table,
		table.Item{"PK": table.S(claim.PK), "SK": table.S(claim.SK), schema.AttrID: table.S(d.ID), "code": table.S(d.Code)},
		func(table.Item) error {
			message := "The account already has a delegation of " + d.Code + ". Change that one."
			return fault.New(fault.Conflict, "delegated", "%s",
				message).WithFields(fault.Field{Field: "target.code", Code: "delegated", Message: message})
		})
	tx.Put(s.Table, table.Item{
		"PK": table.S(k.PK), "SK": table.S(k.SK), schema.AttrID: table.S(d.ID), "version": table.N(d.Version),
		"kind":    table.S(string(d.Kind)),
		"code":    table.S(d.Code),
		"manager": table.BOOL(d.Manager), "by": table.S(d.ChangedBy), "at": table.Timestamp(d.ChangedAt),
	}, schema.ConcurrentChange)
	if d.Kind == account.TargetResourceGroup {
		tx = append(tx, assignmentItem(s.Table, env.ID, env.CatalogueVersion))
	} else {
		named := resourceReferenceItem(s.Table, env.ID, d.Code)
		named.Conflict = func(table.Item) error {
			return fault.New(fault.Conflict, "targetGone", "The resource %s has just been deleted. Choose another.", d.Code)
		}
		tx = append(tx, named)
	}
	return commitWithEvent(ctx, s.Table, env, accountID, tx, e)
}

// ChangeDelegation implements account.DelegationStore.
func (s Delegations) ChangeDelegation(
	ctx context.Context, env environment.Environment, accountID string, d account.Delegation, e auditlog.Event,
) error {
	tx := table.Transaction{table.Update(&types.Update{
		TableName: &s.Name, Key: schema.DelegationKey(accountID, d.ID).Attributes(),
		UpdateExpression:         aws.String("SET version = :v, manager = :manager, #by = :by, #at = :at"),
		ConditionExpression:      aws.String("version = :before"),
		ExpressionAttributeNames: map[string]string{"#by": "by", "#at": "at"},
		ExpressionAttributeValues: table.Item{
			":v": table.N(d.Version), ":before": table.N(d.Version - 1), ":manager": table.BOOL(d.Manager),
			":by": table.S(d.ChangedBy),
			":at": table.Timestamp(d.ChangedAt),
		},
	}, schema.ConcurrentChange)}
	return commitWithEvent(ctx, s.Table, env, accountID, tx, e)
}

// RemoveDelegation implements account.DelegationStore.
func (s Delegations) RemoveDelegation(
	ctx context.Context, env environment.Environment, accountID string, d account.Delegation, e auditlog.Event,
) error {
	tx := table.Transaction{
		table.Delete(&types.Delete{
			TableName: &s.Name, Key: schema.DelegationKey(accountID, d.ID).Attributes(),
			ConditionExpression:       aws.String("version = :before"),
			ExpressionAttributeValues: table.Item{":before": table.N(d.Version)},
		}, schema.ConcurrentChange),
		table.Delete(&types.Delete{
			TableName: &s.Name, Key: schema.DelegationTargetKey(env.ID, string(d.Kind), d.Code, accountID).Attributes(),
			ConditionExpression: aws.String("id = :id"), ExpressionAttributeValues: table.Item{":id": table.S(d.ID)},
		}, schema.ConcurrentChange),
	}
	return commitWithEvent(ctx, s.Table, env, accountID, tx, e)
}

// ActiveResource implements account.Resources.
func (s Delegations) ActiveResource(
	ctx context.Context, env environment.Environment, code string,
) (string, bool, error) {
	r, err := Resources(s).Resource(ctx, env, code)
	if fault.Is(err, fault.NotFound) {
		return "", false, nil
	}
	return r.Code, err == nil && r.Active, err
}

// VisitHolders implements reference.HolderSource: which accounts have resource groups delegated.
func (s Delegations) VisitHolders(
	ctx context.Context, env environment.Environment, kind catalogue.Kind, visit func(reference.Holder),
) error {
	if kind != catalogue.ResourceGroup {
		return nil
	}
	return s.delegates(ctx, env, string(account.TargetResourceGroup)+"#", func(owner reference.Holder, code string) {
		owner.Codes = map[catalogue.Kind][]string{kind: {code}}
		visit(owner)
	})
}

// Usages implements resource.UsageFinder: which accounts have the resource delegated.
func (s Delegations) Usages(ctx context.Context, sc access.Scope, r resource.Resource) ([]string, error) {
	var out []string
	claim := schema.DelegationTargetKey(sc.Env.ID, string(account.TargetResource), r.Code, "")
	err := s.delegates(ctx, sc.Env, claim.SK, func(owner reference.Holder, code string) {
		if catalogue.Fold(code) == r.Key() { // one code can begin with another and a #
			name := "an account that you may not read" // V100
			if sc.Caller.May(access.AccountRead) {
				name = "the account " + owner.Name
			}
			out = append(out, name+", which manages or views it")
		}
	})
	return out, err
}

// delegates visits the accounts whose claims have a prefix, with the code of each target.
func (s Delegations) delegates(
	ctx context.Context, env environment.Environment, prefix string, visit func(owner reference.Holder, code string),
) error {
	p := table.Query{PK: schema.DelegationTargetPK(env.ID), Prefix: prefix, Limit: table.MaxBatchGet}
	for {
		items, more, err := s.Query(ctx, p)
		if err != nil {
			return err
		}
		ids, anchors := make([]string, len(items)), make([]table.Key, len(items))
		for i, it := range items {
			p.After = table.String(it, "SK")
			ids[i] = p.After[strings.LastIndex(p.After, "#")+1:]
			anchors[i] = schema.AnchorKey(ids[i])
		}
		owners, err := s.BatchGet(ctx, anchors)
		if err != nil {
			return err
		}
		for i, it := range items {
			name := table.String(table.Map(owners[i], schema.AttrImage), "username")
			visit(reference.Holder{Type: "account", ID: ids[i], Name: name}, table.String(it, "code"))
		}
		if !more {
			return nil
		}
	}
}
