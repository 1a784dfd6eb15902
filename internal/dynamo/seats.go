package dynamo

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/account"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/transfer"
)

var (
	_ account.SeatCounter = Accounts{}
	_ transfer.Directory  = Directory{}
)

// The seats in use of each licence are counted at the assignment counter that its code selects: a new account assigns
// a code and takes a seat, and both are one update. The version rises with each change of a seat, so that a recount
// notices it.
const attrSeatVersion = "turn"

// seatCounter returns the counter of a licence's seats. It must never change: another counter would lose the counts.
func seatCounter(licence string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(licence)) // never fails (hash.Hash)
	return int(h.Sum32() % assignmentCounters)
}

// ruleDependency is how a write depends on the rules about codes, which changes of reference data alter.
type ruleDependency int

const (
	independentOfRules ruleDependency = iota // it assigns no code, and needs nobody's rights
	// it assigns no code, and counts only if no rule changed since it was validated
	rulesAsValidated
	assignsCode // it assigns a code, which changes of rules have to notice as well
)

// ruleDependencyOf returns how a write of an account depends on the rules. What ends somebody's access needs the
// caller's own rights. Say one administrator takes the other's rights by changing a role, while the other blocks the
// first: both cannot succeed, because the one write depends on the epoch and the other on the rules.
func ruleDependencyOf(assigns bool, callerEpoch int64) ruleDependency {
	switch {
	case assigns:
		return assignsCode
	case callerEpoch != 0:
		return rulesAsValidated
	}
	return independentOfRules
}

// counterItems returns the items of a write at the assignment counters: that it assigns codes or depends on rights,
// with the version of the catalogue that it was validated with, and the seats that it takes or returns. Most writes
// have none.
func counterItems(
	t *table.Table, env string, version int64, rules ruleDependency, changes []account.SeatChange,
) table.Transaction {
	byCounter := map[int][]account.SeatChange{}
	ruleCounter := table.RandomBelow(assignmentCounters)
	for _, c := range changes {
		ruleCounter = seatCounter(c.Licence) // one that is written anyway
		byCounter[ruleCounter] = append(byCounter[ruleCounter], c)
	}
	if rules == rulesAsValidated && len(changes) == 0 {
		return table.Transaction{rulesUnchangedItem(t, schema.AssignmentCounterKey(env, ruleCounter), version)}
	}
	if rules == assignsCode && len(changes) == 0 {
		byCounter[ruleCounter] = nil
	}
	var tx table.Transaction
	for _, n := range slices.Sorted(maps.Keys(byCounter)) {
		here := independentOfRules
		if n == ruleCounter {
			here = rules
		}
		tx = append(tx, counterItem(t, schema.AssignmentCounterKey(env, n), version, here, byCounter[n]))
	}
	return tx
}

// rulesUnchangedSince is the condition at a counter that no rule changed after a version of the catalogue.
const rulesUnchangedSince = "(attribute_not_exists(ruled) OR ruled <= :version)"

// rulesUnchangedItem makes a write depend on that alone. A change of rules writes every counter, so any of them will
// do.
func rulesUnchangedItem(t *table.Table, k table.Key, version int64) table.Op {
	return table.Check(&types.ConditionCheck{
		TableName: &t.Name, Key: k.Attributes(), ConditionExpression: aws.String(rulesUnchangedSince),
		ExpressionAttributeValues:           table.Item{":version": table.N(version)},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}, func(current table.Item) error { return counterConflict(current, version, nil) })
}

// counterItem is the item of a write at one counter. Whoever assigns a code or takes a seat depends on no rule having
// changed since the write was validated. Whoever takes a limited seat depends on there being one.
func counterItem(
	t *table.Table, k table.Key, version int64, rules ruleDependency, changes []account.SeatChange,
) table.Op {
	var sets, conditions []string
	names, values := map[string]string{}, table.Item{}
	bound := rules != independentOfRules
	if rules == assignsCode {
		sets, values[":one"] = append(sets, attrAssignments+" :one"), table.N(1)
	}
	for i, c := range changes {
		name, by, room := fmt.Sprintf("#s%d", i), fmt.Sprintf(":by%d", i), fmt.Sprintf(":room%d", i)
		names[name], values[by] = schema.SeatAttribute(c.Licence), table.N(c.Delta)
		sets = append(sets, name+" "+by)
		bound = bound || c.Delta > 0
		if c.Delta <= 0 || c.Limit == 0 {
			continue
		}
		values[room] = table.N(int64(c.Limit) - c.Delta)
		condition := name + " <= " + room
		if c.Fits(0) {
			condition = "(attribute_not_exists(" + name + ") OR " + condition + ")"
		}
		conditions = append(conditions, condition)
	}
	if len(changes) > 0 {
		sets, values[":one"] = append(sets, attrSeatVersion+" :one"), table.N(1)
	}
	update := &types.Update{
		TableName: &t.Name, Key: k.Attributes(), UpdateExpression: aws.String("ADD " + strings.Join(sets, ", ")),
		ExpressionAttributeValues:           values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if bound {
		values[":version"] = table.N(version)
		conditions = append(conditions, rulesUnchangedSince)
	}
	if len(conditions) > 0 {
		update.ConditionExpression = aws.String(strings.Join(conditions, " AND "))
	}
	if len(names) > 0 {
		update.ExpressionAttributeNames = names
	}
	return table.Update(update, func(current table.Item) error { return counterConflict(current, version, changes) })
}

// counterConflict is the reason why a write failed at its counter.
func counterConflict(current table.Item, version int64, changes []account.SeatChange) error {
	if table.Int(current, attrRuleVersion) > version {
		return fault.New(fault.Conflict, "rulesChanged",
			"Somebody has just changed roles, groups, licences or other codes, so nothing was saved. Reload, then try again.",
		).WithRetryAfter(time.Second)
	}
	for _, c := range changes {
		if used := table.Int(current, schema.SeatAttribute(c.Licence)); !c.Fits(used) {
			return account.NoSeat(c, max(0, used))
		}
	}
	return account.ErrConcurrentChange
}

// Seats implements account.SeatCounter.
func (s Accounts) Seats(ctx context.Context, env string) (map[string]int64, error) {
	items, err := counters(ctx, s.Table, env)
	if err != nil {
		return nil, err
	}
	out := map[string]int64{}
	for _, it := range items {
		for licence, used := range seatsAt(it) {
			out[licence] = max(0, used)
		}
	}
	return out, nil
}

func counters(ctx context.Context, t *table.Table, env string) ([]table.Item, error) {
	keys := make([]table.Key, assignmentCounters)
	for n := range keys {
		keys[n] = schema.AssignmentCounterKey(env, n)
	}
	return t.BatchGet(ctx, keys)
}

// seatsAt returns the seats in use at a counter, by licence.
func seatsAt(it table.Item) map[string]int64 {
	out := map[string]int64{}
	for name := range it {
		if licence, ok := strings.CutPrefix(name, schema.SeatAttribute("")); ok {
			out[licence] = table.Int(it, name)
		}
	}
	return out
}

// RecountSeats sets the seats in use to what the accounts say, for data that was written without counting them.
// Others can write meanwhile; if they take or return a seat, it counts again.
func (s Accounts) RecountSeats(ctx context.Context, env string) error {
	const tries = 10
	for attempt := 1; ; attempt++ {
		done, err := s.recount(ctx, env)
		if err != nil || done {
			return err
		}
		if attempt == tries {
			return table.Unavailable(errors.New("seats change faster than they are counted"))
		}
		if err := table.Backoff(ctx, attempt); err != nil {
			return err
		}
	}
}

// recount reads counters, head and accounts in this order. Whoever changes a seat after the counters were read is
// noticed, and what was changed before is seen.
func (s Accounts) recount(ctx context.Context, env string) (bool, error) {
	before, err := counters(ctx, s.Table, env)
	if err != nil {
		return false, err
	}
	it, err := s.Get(ctx, schema.HeadKey(env))
	if err != nil {
		return false, err
	}
	head, err := schema.EnvironmentOf(env, it)
	if err != nil {
		return false, err
	}
	counted, err := s.countSeats(ctx, head)
	if err != nil {
		return false, err
	}
	for n, it := range before {
		have, want := seatsAt(it), counted[n]
		for licence := range have {
			want[licence] += 0 // a licence that nobody has any more
		}
		if maps.Equal(have, want) {
			continue
		}
		if done, err := s.setSeats(ctx, schema.AssignmentCounterKey(env, n), table.Int(it, attrSeatVersion),
			want); err != nil ||
			!done {
			return false, err
		}
	}
	return true, nil
}

// countSeats counts the seats that the accounts take, by counter and licence.
func (s Accounts) countSeats(ctx context.Context, env environment.Environment) ([]map[string]int64, error) {
	out := make([]map[string]int64, assignmentCounters)
	for n := range out {
		out[n] = map[string]int64{}
	}
	for after := ""; ; {
		found, next, err := s.Page(ctx, env, after, 1000)
		if err != nil {
			return nil, err
		}
		for _, a := range found {
			if licence := a.SeatLicence(); licence != "" {
				out[seatCounter(licence)][licence]++
			}
		}
		if next == "" {
			return out, nil
		}
		after = next
	}
}

// setSeats sets the seats of one counter, unless it has another version by now.
func (s Accounts) setSeats(ctx context.Context, k table.Key, version int64, want map[string]int64) (bool, error) {
	names, values := map[string]string{}, table.Item{":next": table.N(version + 1)}
	set := "SET " + attrSeatVersion + " = :next"
	for i, licence := range slices.Sorted(maps.Keys(want)) {
		name, value := fmt.Sprintf("#s%d", i), fmt.Sprintf(":s%d", i)
		names[name], values[value] = schema.SeatAttribute(licence), table.N(want[licence])
		set += ", " + name + " = " + value
	}
	condition := "attribute_not_exists(turn)"
	if version != 0 {
		condition, values[":turn"] = "turn = :turn", table.N(version)
	}
	_, err := s.UpdateRetrying(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: k.Attributes(), UpdateExpression: &set, ConditionExpression: &condition,
		ExpressionAttributeNames: names, ExpressionAttributeValues: values,
	})
	held, _, err := table.ConditionHeld(err)
	return held, err
}
