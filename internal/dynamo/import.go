package dynamo

import (
	"context"
	"errors"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/transfer"
)

// Imports stages what imports write and makes it count.
type Imports struct {
	Jobs
	Accounts     Accounts
	Environments *Environments
}

var (
	_ transfer.Staging   = Imports{}
	_ transfer.Resources = Imports{}
)

// jobPart is the job's own item in a transaction: what fences off workers of an earlier epoch.
func (s Imports) jobPart(j transfer.Job, update, condition string, values item) part {
	values[":epoch"] = num(j.Epoch)
	condition = "epoch = :epoch AND " + condition
	return part{types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: jobKey(j.Env, j.ID).attributes(), UpdateExpression: &update, ConditionExpression: &condition,
		ExpressionAttributeValues: values, ExpressionAttributeNames: namesIn(update + condition),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}, lostOrCancelled(j)}
}

func lostOrCancelled(j transfer.Job) func(item) error {
	return func(current item) error {
		if number(current, "epoch") == j.Epoch && flag(current, "cancel") {
			return transfer.ErrCancelled
		}
		return transfer.ErrLost
	}
}

// run does a transaction whose first part is the job's; a condition that fails elsewhere means ErrOvertaken.
func (s Imports) run(ctx context.Context, p parts) error {
	err := s.transact(ctx, p.items())
	var cancelled *errCancelled
	if !errors.As(err, &cancelled) {
		return err
	}
	if i := cancelled.failed(); i == 0 {
		return p[0].refused(cancelled.reasons[0].Item)
	}
	return transfer.ErrOvertaken
}

// head is an update of the environment's head that concerns import number mark.
func (s Imports) head(env string, mark int64, update, condition string, values item) part {
	return part{types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: headKey(env).attributes(), UpdateExpression: &update, ConditionExpression: &condition,
		ExpressionAttributeValues: values, ExpressionAttributeNames: map[string]string{"#n": strconv.FormatInt(mark, 10)},
	}}, nil}
}

// Begin implements transfer.Staging: the job gets the environment's next number and that number becomes pending, in one.
func (s Imports) Begin(ctx context.Context, j transfer.Job) (transfer.Job, error) {
	const tries = 8
	for attempt := 1; ; attempt++ {
		env, err := s.Environments.Environment(ctx, j.Env)
		if err != nil {
			return transfer.Job{}, err
		}
		begun := j
		begun.State, begun.Import, begun.Next = transfer.Writing, env.Imports.Last+1, 0
		set, values, err := bodyAndState(begun)
		if err != nil {
			return transfer.Job{}, err
		}
		err = s.run(ctx, parts{
			s.jobPart(begun, set, "attribute_not_exists(cancel)", values),
			s.head(j.Env, begun.Import, "SET lastImport = :n, pending.#n = :job", "lastImport = :last", item{
				":n": num(begun.Import), ":last": num(env.Imports.Last), ":job": nested(item{"job": str(j.ID)}),
			}),
		})
		if errors.Is(err, transfer.ErrOvertaken) && attempt < tries {
			continue // another import took the number
		}
		return begun, err
	}
}

// Stage implements transfer.Staging.
func (s Imports) Stage(ctx context.Context, j transfer.Job, rows []transfer.Staged) (int, error) {
	p, naming := parts{{}}, map[key]int64{}
	taken := 0
	for _, row := range rows {
		more, names, err := s.planStaged(j, row)
		if err != nil {
			return 0, err
		}
		named := 0
		if _, have := naming[names]; names != (key{}) && !have {
			named = 1
		}
		if len(p)+len(more)+len(naming)+named > maxTransaction {
			break
		}
		p = append(p, more...)
		if names != (key{}) {
			naming[names]++
		}
		taken++
	}
	p[0] = s.jobPart(j, "SET #next = :next", "#state = :writing AND #next = :from AND attribute_not_exists(cancel)", item{
		":next": num(int64(rows[taken-1].Next)), ":from": num(int64(j.Next)), ":writing": str(string(transfer.Writing)),
	})
	return taken, s.run(ctx, s.named(p, naming))
}

// planStaged returns the items of a row, and the resource that it names as manager, no key for none.
func (s Imports) planStaged(j transfer.Job, row transfer.Staged) (p parts, names key, err error) {
	if row.Write.After.ID != "" {
		if p, err = s.Accounts.planHanded(j.Env, row.Write, j.Import, handed{row.Takes, row.Leaves}); err != nil {
			return nil, key{}, err
		}
	}
	if row.Staff == nil {
		return p, key{}, nil
	}
	w := row.Staff
	if manager := w.After.Manager; manager != "" && !row.ManagerMade && (w.Before == nil || w.Before.Manager != manager) {
		names = resourceKey(j.Env, catalogue.Fold(manager))
	}
	p = append(p, s.stageResource(j, row))
	err = s.stageResourceEvent(&p, j, w)
	return p, names, err
}

// Commit implements transfer.Staging: the number leaves the pending ones, and with that every staged row counts.
func (s Imports) Commit(ctx context.Context, j transfer.Job, actor access.Caller, seats []account.SeatChange) error {
	set, values, err := bodyAndState(j)
	if err != nil {
		return err
	}
	values[":writing"] = str(string(transfer.Writing))
	p := append(parts{
		s.jobPart(j, set, "#state = :writing AND attribute_not_exists(cancel)", values),
		s.head(j.Env, j.Import, "REMOVE pending.#n", "attribute_exists(pending.#n) AND attribute_not_exists(pending.#n.doomedBy)", nil),
		s.Accounts.callerUnchanged(actor.AccountID, actor.Epoch),
	}, s.atCounters(j.Env, j.CatalogueVersion, gives, seats)...)
	if j.Kind == transfer.Undo {
		p = append(p, s.undonePart(j))
	}
	return s.run(ctx, p)
}

// Close implements transfer.Staging.
func (s Imports) Close(ctx context.Context, j transfer.Job) error {
	mark := j.Import
	j.Import = 0
	if mark == 0 {
		return s.Save(ctx, j)
	}
	set, values, err := bodyAndState(j)
	if err != nil {
		return err
	}
	values[":mark"] = num(mark)
	return s.run(ctx, parts{
		s.jobPart(j, set, "imp = :mark", values),
		s.head(j.Env, mark, "REMOVE pending.#n", "attribute_exists(PK)", nil),
	})
}
