package dynamo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/account"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/reference"
)

// Reference changes reference data.
type Reference struct {
	*Environments
	Log EnvironmentLog
}

var (
	_ reference.Store        = Reference{}
	_ reference.HolderSource = AccountHolders{}
	_ reference.Resources    = Resources{}
)

// NewReference returns Reference over the table. Keep it for the life of the process; see NewEnvironments.
func NewReference(t *table.Table) Reference {
	return Reference{Environments: NewEnvironments(t), Log: EnvironmentLog{t}}
}

// attrRoleFormat is the format version of a stored role. A role below roleFormat was written before some permissions
// existed: it reads as upgraded (access.UpgradePermissions) until it is written again.
const (
	attrRoleFormat = "format"
	roleFormat     = 2
)

func entryItem(env string, e catalogue.Entry) (table.Item, error) {
	it, err := attributevalue.MarshalMap(e)
	if err != nil {
		return nil, fmt.Errorf("write reference data: %w", err)
	}
	k := schema.EntryKey(env, e.Kind, e.Code)
	it["PK"], it["SK"] = table.S(k.PK), table.S(k.SK)
	if e.Kind == catalogue.Role {
		it[attrRoleFormat] = table.N(roleFormat)
	}
	return it, nil
}

// The assignment counters are where writes that assign codes meet changes of the rules about codes. Each such write
// raises one counter, on the condition that no rule was changed after the version of the catalogue that the write was
// validated with ("ruled"). A change of a rule first looks who holds codes; it depends on all counters being as they
// were before it looked. There are several counters, so that accounts created at the same time do not wait for one
// item.
const (
	assignmentCounters = 8
	attrAssignments    = "given"
	attrRuleVersion    = "ruled"
)

// assignmentItem is the item of a write that assigns codes, validated with a version of the catalogue, and takes no
// seat.
func assignmentItem(t *table.Table, env string, catalogueVersion int64) table.Op {
	return counterItem(t, schema.AssignmentCounterKey(env, table.RandomBelow(assignmentCounters)), catalogueVersion,
		assignsCode, nil)
}

// assignsCodes reports whether a write gives an account a code that it did not have.
func assignsCodes(w account.Write) bool {
	if w.Before == nil || w.Before.UserType != w.After.UserType {
		return true
	}
	more := func(had, has []string) bool {
		return slices.ContainsFunc(has, func(code string) bool { return !slices.Contains(had, code) })
	}
	return more(w.Before.Roles, w.After.Roles) || more(w.Before.Groups, w.After.Groups) ||
		more(w.Before.DACGroups, w.After.DACGroups)
}

// Current implements reference.Store. The counters are read first: codes that are assigned after that are noticed,
// and those that were assigned before are seen by what is read next.
func (s Reference) Current(ctx context.Context, env string) (reference.Current, error) {
	keys := make([]table.Key, assignmentCounters)
	for n := range keys {
		keys[n] = schema.AssignmentCounterKey(env, n)
	}
	counters, err := s.BatchGet(ctx, keys)
	if err != nil {
		return reference.Current{}, err
	}
	now := reference.Current{Assignments: make([]int64, assignmentCounters)}
	for n, it := range counters {
		now.Assignments[n] = table.Int(it, attrAssignments)
	}
	if now.Env, err = s.Environment(ctx, env); err != nil {
		return reference.Current{}, err
	}
	now.Catalogue, err = s.Catalogue(ctx, now.Env)
	return now, err
}

// Write implements reference.Store.
func (s Reference) Write(ctx context.Context, c reference.Change) error {
	var tx table.Transaction
	if c.After != nil {
		it, err := entryItem(c.Env, *c.After)
		if err != nil {
			return err
		}
		tx = append(tx, table.Put(&types.Put{TableName: &s.Name, Item: it}, referenceChanged))
	} else {
		tx = append(tx, table.Delete(&types.Delete{
			TableName: &s.Name, Key: schema.EntryKey(c.Env, c.Before.Kind, c.Before.Code).Attributes(),
		}, referenceChanged))
	}
	tx = append(tx, table.Update(&types.Update{
		TableName: &s.Name, Key: schema.HeadKey(c.Env).Attributes(),
		UpdateExpression:          aws.String("SET catalogueVersion = :next"),
		ConditionExpression:       aws.String("catalogueVersion = :from"),
		ExpressionAttributeValues: table.Item{":from": table.N(c.BaseVersion), ":next": table.N(c.BaseVersion + 1)},
	}, referenceChanged))
	for n, given := range c.Assignments {
		tx = append(tx, s.ruleChangeItem(c, n, given))
	}
	if len(c.Assignments) == 0 && changesSeats(c) {
		tx = append(tx, s.seatChangeItem(c))
	}
	if c.After != nil && c.After.Defaults.Manager != "" &&
		(c.Before == nil || c.Before.Defaults.Manager != c.After.Defaults.Manager) {
		named := resourceReferenceItem(s.Table, c.Env, c.After.Defaults.Manager)
		named.Conflict = referenceChanged
		tx = append(tx, named)
	}
	event, err := schema.EventAt(schema.EnvironmentLogKey(c.Env, c.Event.ID), c.Event)
	if err != nil {
		return err
	}
	tx.Put(s.Table, event, referenceChanged)
	if c.CallerEpoch != 0 {
		tx = append(tx, Accounts{s.Table}.callerUnchanged(c.Event.ByID, c.CallerEpoch))
	}
	return s.Commit(ctx, tx)
}

func referenceChanged(table.Item) error { return reference.ErrConcurrentChange }

// ruleChangeItem makes a change depend on one of the counters. Writes that were validated before the change fail from
// then on.
func (s Reference) ruleChangeItem(c reference.Change, n int, given int64) table.Op {
	values := table.Item{":next": table.N(c.BaseVersion + 1)}
	condition := "attribute_not_exists(given)"
	if given != 0 {
		condition, values[":given"] = "given = :given", table.N(given)
	}
	return table.Update(&types.Update{
		TableName: &s.Name, Key: schema.AssignmentCounterKey(c.Env, n).Attributes(),
		UpdateExpression:    aws.String("SET ruled = :next"),
		ConditionExpression: &condition, ExpressionAttributeValues: values,
	}, referenceChanged)
}

// ActiveResource implements reference.Resources.
func (s Resources) ActiveResource(ctx context.Context, env environment.Environment, code string) (string, bool, error) {
	r, err := s.Resource(ctx, env, code)
	if fault.Is(err, fault.NotFound) {
		return code, false, nil
	}
	return r.Code, r.Active, err
}

// changesSeats reports whether a change alters the number of seats of a licence.
func changesSeats(c reference.Change) bool {
	return c.Before != nil && c.After != nil && c.After.Kind == catalogue.Licence && c.Before.Seats != c.After.Seats
}

// seatChangeItem makes writes fail that would take a seat by the old number of seats.
func (s Reference) seatChangeItem(c reference.Change) table.Op {
	return table.Update(&types.Update{
		TableName: &s.Name, Key: schema.AssignmentCounterKey(c.Env, seatCounter(catalogue.Fold(c.After.Code))).Attributes(),
		UpdateExpression:          aws.String("SET ruled = :next"),
		ExpressionAttributeValues: table.Item{":next": table.N(c.BaseVersion + 1)},
	}, referenceChanged)
}

// AccountHolders finds the accounts that hold codes.
type AccountHolders struct {
	Accounts
	Now func() time.Time
}

// holdersPageSize is how many accounts are read at once; DynamoDB ends a page at one megabyte anyway.
const holdersPageSize = 1000

// VisitHolders implements reference.HolderSource. It does not see what a pending import staged, and need not: its
// commit assigns codes as any other write does.
func (s AccountHolders) VisitHolders(
	ctx context.Context, env environment.Environment, kind catalogue.Kind, visit func(reference.Holder),
) error {
	if !slices.Contains([]catalogue.Kind{catalogue.Licence, catalogue.Role, catalogue.Group, catalogue.DACGroup}, kind) {
		return nil
	}
	today := field.DateOf(s.Now())
	for after := ""; ; {
		found, next, err := s.Page(ctx, env, after, holdersPageSize)
		if err != nil {
			return err
		}
		for _, a := range found {
			visit(reference.Holder{
				Type: "account", ID: a.ID, Name: a.Username,
				Codes: map[catalogue.Kind][]string{
					catalogue.Licence: {a.UserType}, catalogue.Role: a.Roles, catalogue.Group: a.Groups,
					catalogue.DACGroup: a.DACGroups,
				},
				CanSignIn: a.StatusOn(today) == account.StatusActive && a.PasswordHash != "",
			})
		}
		if next == "" {
			return nil
		}
		after = next
	}
}
