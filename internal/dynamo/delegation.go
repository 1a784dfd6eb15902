package dynamo

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/reference"
	"useraccounts/internal/resource"
)

// Delegations keeps delegations. Each is two items: one beside what else belongs to the account, and the account's
// claim on the target, which it can have once and by which is found who has it.
type Delegations struct {
	*Table
}

var (
	_ account.DelegationStore = Delegations{}
	_ account.Resources       = Delegations{}
	_ reference.HolderSource  = Delegations{}
	_ resource.UsageFinder    = Delegations{}
)

func delegationOf(it item) account.Delegation {
	return account.Delegation{
		ID: text(it, attrID), Version: number(it, "version"), Kind: account.TargetKind(text(it, "kind")),
		Code:    text(it, "code"),
		Manager: flag(it, "manager"), ChangedBy: text(it, "by"), ChangedAt: instant(it, "at"),
	}
}

// Delegations implements account.DelegationStore.
func (s Delegations) Delegations(ctx context.Context, accountID, after string, limit int) ([]account.Delegation,
	string, error) {
	p := pageQuery{pk: accountPK(accountID), prefix: delegationSK, limit: int32(limit)} //nolint:gosec // limits are small
	if after != "" {
		p.after = delegationSK + after
	}
	items, more, err := s.query(ctx, p)
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

func delegationNotFound(item) error {
	return fault.New(fault.NotFound, "notFound", "The account has no such delegation; it may have been removed.")
}

// Delegation implements account.DelegationStore.
func (s Delegations) Delegation(ctx context.Context, accountID, id string) (account.Delegation, error) {
	it, err := s.get(ctx, delegationKey(accountID, id))
	if err == nil && it == nil {
		err = delegationNotFound(nil)
	}
	return delegationOf(it), err
}

// AddDelegation implements account.DelegationStore. That the target is still there is held where its deletion meets
// those who name it: at the counters of reference data, or at the resource.
func (s Delegations) AddDelegation(ctx context.Context, env environment.Environment, accountID string,
	d account.Delegation, e auditlog.Event) error {
	claim := delegationTargetKey(env.ID, string(d.Kind), d.Code, accountID)
	k := delegationKey(accountID, d.ID)
	var p transaction
	p.put(s.Table, item{"PK": str(claim.pk), "SK": str(claim.sk), attrID: str(d.ID), "code": str(d.Code)},
		func(item) error {
			message := "The account has a delegation of " + d.Code + " already; change that one."
			return fault.New(fault.Conflict, "delegated", "%s",
				message).WithFields(fault.Field{Field: "target.code", Code: "delegated", Message: message})
		})
	p.put(s.Table, item{
		"PK": str(k.pk), "SK": str(k.sk), attrID: str(d.ID), "version": num(d.Version), "kind": str(string(d.Kind)),
		"code":    str(d.Code),
		"manager": boolean(d.Manager), "by": str(d.ChangedBy), "at": timestamp(d.ChangedAt),
	}, concurrentChange)
	if d.Kind == account.TargetResourceGroup {
		p = append(p, s.assignmentItem(env.ID, env.CatalogueVersion))
	} else {
		named := s.resourceReferenceItem(env.ID, d.Code)
		named.conflict = func(item) error {
			return fault.New(fault.Conflict, "targetGone", "The resource %s was deleted just now; choose another.", d.Code)
		}
		p = append(p, named)
	}
	return s.commitWithEvent(ctx, env, accountID, p, e)
}

// ChangeDelegation implements account.DelegationStore.
func (s Delegations) ChangeDelegation(ctx context.Context, env environment.Environment, accountID string,
	d account.Delegation, e auditlog.Event) error {
	p := transaction{{types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: delegationKey(accountID, d.ID).attributes(),
		UpdateExpression:         aws.String("SET version = :v, manager = :manager, #by = :by, #at = :at"),
		ConditionExpression:      aws.String("version = :before"),
		ExpressionAttributeNames: map[string]string{"#by": "by", "#at": "at"},
		ExpressionAttributeValues: item{
			":v": num(d.Version), ":before": num(d.Version - 1), ":manager": boolean(d.Manager), ":by": str(d.ChangedBy),
			":at": timestamp(d.ChangedAt),
		},
	}}, concurrentChange}}
	return s.commitWithEvent(ctx, env, accountID, p, e)
}

// RemoveDelegation implements account.DelegationStore.
func (s Delegations) RemoveDelegation(ctx context.Context, env environment.Environment, accountID string,
	d account.Delegation, e auditlog.Event) error {
	p := transaction{
		{types.TransactWriteItem{Delete: &types.Delete{
			TableName: &s.Name, Key: delegationKey(accountID, d.ID).attributes(),
			ConditionExpression:       aws.String("version = :before"),
			ExpressionAttributeValues: item{":before": num(d.Version)},
		}}, concurrentChange},
		{types.TransactWriteItem{Delete: &types.Delete{
			TableName: &s.Name, Key: delegationTargetKey(env.ID, string(d.Kind), d.Code, accountID).attributes(),
			ConditionExpression: aws.String("id = :id"), ExpressionAttributeValues: item{":id": str(d.ID)},
		}}, concurrentChange},
	}
	return s.commitWithEvent(ctx, env, accountID, p, e)
}

// ActiveResource implements account.Resources.
func (s Delegations) ActiveResource(ctx context.Context, env environment.Environment, code string) (string, bool,
	error) {
	r, err := Resources(s).Resource(ctx, env, code)
	if fault.Is(err, fault.NotFound) {
		return "", false, nil
	}
	return r.Code, err == nil && r.Active, err
}

// VisitHolders implements reference.HolderSource: which accounts have resource groups delegated.
func (s Delegations) VisitHolders(ctx context.Context, env environment.Environment, kind catalogue.Kind,
	visit func(reference.Holder)) error {
	if kind != catalogue.ResourceGroup {
		return nil
	}
	return s.delegates(ctx, env, string(account.TargetResourceGroup)+"#", func(owner reference.Holder, code string) {
		owner.Codes = map[catalogue.Kind][]string{kind: {code}}
		visit(owner)
	})
}

// Usages implements resource.UsageFinder: which accounts have the resource delegated.
func (s Delegations) Usages(ctx context.Context, env environment.Environment, r resource.Resource) ([]string, error) {
	var out []string
	claim := delegationTargetKey(env.ID, string(account.TargetResource), r.Code, "")
	err := s.delegates(ctx, env, claim.sk, func(owner reference.Holder, code string) {
		if catalogue.Fold(code) == r.Key() { // a code can begin as another with a # after it
			out = append(out, "the account "+owner.Name+", which manages or views it")
		}
	})
	return out, err
}

// delegates visits the accounts that have claims beginning so, with the code of each target.
func (s Delegations) delegates(ctx context.Context, env environment.Environment, prefix string,
	visit func(owner reference.Holder, code string)) error {
	p := pageQuery{pk: delegationTargetPK(env.ID), prefix: prefix, limit: maxBatchGet}
	for {
		items, more, err := s.query(ctx, p)
		if err != nil {
			return err
		}
		ids, anchors := make([]string, len(items)), make([]key, len(items))
		for i, it := range items {
			p.after = text(it, "SK")
			ids[i] = p.after[strings.LastIndex(p.after, "#")+1:]
			anchors[i] = anchorKey(ids[i])
		}
		owners, err := s.batchGet(ctx, anchors)
		if err != nil {
			return err
		}
		for i, it := range items {
			name := text(nestedMap(owners[i], attrImage), "username")
			visit(reference.Holder{Type: "account", ID: ids[i], Name: name}, text(it, "code"))
		}
		if !more {
			return nil
		}
	}
}
