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
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/transfer"
)

var (
	_ account.SeatCounts = Accounts{}
	_ transfer.Directory = Directory{}
)

// The seats in use of each licence are counted at the assignment counter that its code chooses: a new account gives a code
// and takes a seat, and both are one update. Attribute turn rises with each change of a seat, so that a recount notices it.
const attrTurn = "turn"

// seatCounter returns at which counter a licence's seats are counted, for good: another choice would lose the counts.
func seatCounter(licence string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(licence)) // never fails (hash.Hash)
	return int(h.Sum32() % assignmentCounters)
}

// rulesOf is how a write depends on the rules of what codes mean, which changes of reference data change.
type rulesOf int

const (
	noRules  rulesOf = iota // it gives no code, and nobody's rights let it be done
	asJudged                // it gives no code, but holds only while no rule changed since it was judged
	gives                   // it gives a code, which changes of rules have to notice as well
)

// rulesFor returns how a write of an account depends on the rules. What ends somebody's access is done by the caller's own
// rights: of two administrators of whom one takes the other's rights by a role, and the other blocks the one, both cannot
// happen, as the one depends on the epoch and the other on the rule.
func rulesFor(gave bool, callerEpoch int64) rulesOf {
	switch {
	case gave:
		return gives
	case callerEpoch != 0:
		return asJudged
	}
	return noRules
}

// atCounters is the part of a write at the assignment counters, judged by a version of the catalogue: that it gives codes or
// depends on rights, and the seats that it takes or gives back. Most writes do none of it.
func (t *Table) atCounters(env string, version int64, rules rulesOf, changes []account.SeatChange) parts {
	at := map[int][]account.SeatChange{}
	meets := below(assignmentCounters)
	for _, c := range changes {
		meets = seatCounter(c.Licence) // any that is written anyway
		at[meets] = append(at[meets], c)
	}
	if rules == asJudged && len(changes) == 0 {
		return parts{t.ruleUnchanged(assignmentKey(env, meets), version)}
	}
	if rules == gives && len(changes) == 0 {
		at[meets] = nil
	}
	var p parts
	for _, n := range slices.Sorted(maps.Keys(at)) {
		here := noRules
		if n == meets {
			here = rules
		}
		p = append(p, t.atCounter(assignmentKey(env, n), version, here, at[n]))
	}
	return p
}

// asRuled is the condition at a counter that no rule changed since a version of the catalogue.
const asRuled = "(attribute_not_exists(ruled) OR ruled <= :version)"

// ruleUnchanged makes a write depend on that alone. A change of rules writes every counter, so any one will do.
func (t *Table) ruleUnchanged(k key, version int64) part {
	return part{types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
		TableName: &t.Name, Key: k.attributes(), ConditionExpression: aws.String(asRuled),
		ExpressionAttributeValues:           item{":version": num(version)},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}, func(current item) error { return counterRefuses(current, version, nil) }}
}

// atCounter is the part of a write at one counter. Whoever gives a code or takes a seat depends on no rule having changed
// since the write was judged; whoever takes a seat that is limited, on there being one.
func (t *Table) atCounter(k key, version int64, rules rulesOf, changes []account.SeatChange) part {
	var sets, conditions []string
	names, values := map[string]string{}, item{}
	bound := rules != noRules
	if rules == gives {
		sets, values[":one"] = append(sets, attrGiven+" :one"), num(1)
	}
	for i, c := range changes {
		name, by, room := fmt.Sprintf("#s%d", i), fmt.Sprintf(":by%d", i), fmt.Sprintf(":room%d", i)
		names[name], values[by] = seatAttribute(c.Licence), num(c.By)
		sets = append(sets, name+" "+by)
		bound = bound || c.By > 0
		if c.By <= 0 || c.Limit == 0 {
			continue
		}
		values[room] = num(int64(c.Limit) - c.By)
		condition := name + " <= " + room
		if c.Fits(0) {
			condition = "(attribute_not_exists(" + name + ") OR " + condition + ")"
		}
		conditions = append(conditions, condition)
	}
	if len(changes) > 0 {
		sets, values[":one"] = append(sets, attrTurn+" :one"), num(1)
	}
	update := &types.Update{
		TableName: &t.Name, Key: k.attributes(), UpdateExpression: aws.String("ADD " + strings.Join(sets, ", ")),
		ExpressionAttributeValues:           values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if bound {
		values[":version"] = num(version)
		conditions = append(conditions, asRuled)
	}
	if len(conditions) > 0 {
		update.ConditionExpression = aws.String(strings.Join(conditions, " AND "))
	}
	if len(names) > 0 {
		update.ExpressionAttributeNames = names
	}
	return part{types.TransactWriteItem{Update: update}, func(current item) error { return counterRefuses(current, version, changes) }}
}

// counterRefuses says why a write failed at its counter.
func counterRefuses(current item, version int64, changes []account.SeatChange) error {
	if number(current, attrRuled) > version {
		return fault.New(fault.Conflict, "rulesChanged", "Roles, groups, licences or other codes were changed just now, so this was not done; look at it again and send it again.").After(time.Second)
	}
	for _, c := range changes {
		if used := number(current, seatAttribute(c.Licence)); !c.Fits(used) {
			return account.NoSeat(c, max(0, used))
		}
	}
	return account.ErrRaced
}

// Seats implements account.SeatCounts.
func (s Accounts) Seats(ctx context.Context, env string) (map[string]int64, error) {
	items, err := s.counters(ctx, env)
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

func (t *Table) counters(ctx context.Context, env string) ([]item, error) {
	keys := make([]key, assignmentCounters)
	for n := range keys {
		keys[n] = assignmentKey(env, n)
	}
	return t.getAll(ctx, keys)
}

// seatsAt returns the seats that a counter has, by licence.
func seatsAt(it item) map[string]int64 {
	out := map[string]int64{}
	for name := range it {
		if licence, ok := strings.CutPrefix(name, seatAttribute("")); ok {
			out[licence] = number(it, name)
		}
	}
	return out
}

// RecountSeats sets the seats in use to what the accounts say: for data that was written without counting them. Writers go on
// meanwhile; where one took or gave back a seat it counts again.
func (s Accounts) RecountSeats(ctx context.Context, env string) error {
	const tries = 10
	for attempt := 1; ; attempt++ {
		done, err := s.recount(ctx, env)
		if err != nil || done {
			return err
		}
		if attempt == tries {
			return unavailable(errors.New("seats change faster than they are counted"))
		}
		if err := pause(ctx, attempt); err != nil {
			return err
		}
	}
}

// recount reads counters, head and accounts in this order: whoever changes a seat after the counters were read is noticed, and
// whoever did before is seen.
func (s Accounts) recount(ctx context.Context, env string) (bool, error) {
	before, err := s.counters(ctx, env)
	if err != nil {
		return false, err
	}
	it, err := s.get(ctx, headKey(env))
	if err != nil {
		return false, err
	}
	head, err := headOf(env, it)
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
			want[licence] += 0 // one that nobody has
		}
		if maps.Equal(have, want) {
			continue
		}
		if done, err := s.setSeats(ctx, assignmentKey(env, n), number(it, attrTurn), want); err != nil || !done {
			return false, err
		}
	}
	return true, nil
}

// countSeats counts the seats that the accounts take, for each counter and licence.
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
			if licence := a.Seat(); licence != "" {
				out[seatCounter(licence)][licence]++
			}
		}
		if next == "" {
			return out, nil
		}
		after = next
	}
}

// setSeats sets the seats of one counter, unless one changed since it was at turn.
func (s Accounts) setSeats(ctx context.Context, k key, turn int64, want map[string]int64) (bool, error) {
	names, values := map[string]string{}, item{":next": num(turn + 1)}
	set := "SET " + attrTurn + " = :next"
	for i, licence := range slices.Sorted(maps.Keys(want)) {
		name, value := fmt.Sprintf("#s%d", i), fmt.Sprintf(":s%d", i)
		names[name], values[value] = seatAttribute(licence), num(want[licence])
		set += ", " + name + " = " + value
	}
	condition := "attribute_not_exists(turn)"
	if turn != 0 {
		condition, values[":turn"] = "turn = :turn", num(turn)
	}
	_, err := s.updateUnlessConflicting(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: k.attributes(), UpdateExpression: &set, ConditionExpression: &condition,
		ExpressionAttributeNames: names, ExpressionAttributeValues: values,
	})
	held, _, err := conditionHeld(err)
	return held, err
}
