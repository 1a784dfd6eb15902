package dynamo

import (
	"context"
	"errors"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/transfer"
)

// Imports stages what imports write, and commits it.
type Imports struct {
	Jobs
	Accounts     Accounts
	Environments *Environments
}

var (
	_ transfer.Staging   = Imports{}
	_ transfer.Resources = Imports{}
)

// fencedJobUpdate is the update of the job's own item in a transaction. Its condition on the epoch fences off workers
// that have lost the job.
func (s Imports) fencedJobUpdate(j transfer.Job, update, condition string, values table.Item) table.Op {
	values[":epoch"] = table.N(j.Epoch)
	condition = "epoch = :epoch AND " + condition
	return table.Update(&types.Update{
		TableName: &s.Name, Key: schema.JobKey(j.Env, j.ID).Attributes(), UpdateExpression: &update,
		ConditionExpression:       &condition,
		ExpressionAttributeValues: values, ExpressionAttributeNames: reservedNames(update + condition),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}, jobConflict(j))
}

func jobConflict(j transfer.Job) func(table.Item) error {
	return func(current table.Item) error {
		if table.Int(current, "epoch") == j.Epoch && table.Bool(current, "cancel") {
			return transfer.ErrCancelled
		}
		return transfer.ErrSuperseded
	}
}

// commitFenced does a transaction whose first item is the job's. A condition that fails elsewhere means ErrStale.
func (s Imports) commitFenced(ctx context.Context, tx table.Transaction) error {
	err := s.Transact(ctx, tx.Items())
	var cancelled *table.CancelledError
	if !errors.As(err, &cancelled) {
		return err
	}
	if i := cancelled.Failed(); i == 0 {
		return tx[0].Conflict(cancelled.Reasons[0].Item)
	}
	return transfer.ErrStale
}

// headUpdate is an update of the environment's head that concerns one import.
func (s Imports) headUpdate(env string, importID int64, update, condition string, values table.Item) table.Op {
	return table.Update(&types.Update{
		TableName: &s.Name, Key: schema.HeadKey(env).Attributes(), UpdateExpression: &update, ConditionExpression: &condition,
		ExpressionAttributeValues: values, ExpressionAttributeNames: map[string]string{"#n": strconv.FormatInt(importID, 10)},
	}, nil)
}

// Begin implements transfer.Staging: one transaction gives the job the environment's next import number and makes the
// number pending.
func (s Imports) Begin(ctx context.Context, j transfer.Job) (transfer.Job, error) {
	const tries = 8
	for attempt := 1; ; attempt++ {
		env, err := s.Environments.Environment(ctx, j.Env)
		if err != nil {
			return transfer.Job{}, err
		}
		begun := j
		begun.State, begun.ImportID, begun.NextRow = transfer.Writing, env.Imports.Last+1, 0
		set, values, err := jobUpdate(begun)
		if err != nil {
			return transfer.Job{}, err
		}
		err = s.commitFenced(ctx, table.Transaction{
			s.fencedJobUpdate(begun, set, "attribute_not_exists(cancel)", values),
			s.headUpdate(j.Env, begun.ImportID, "SET lastImport = :n, pending.#n = :job", "lastImport = :last", table.Item{
				":n": table.N(begun.ImportID), ":last": table.N(env.Imports.Last),
				":job": table.M(table.Item{"job": table.S(j.ID)}),
			}),
		})
		if errors.Is(err, transfer.ErrStale) && attempt < tries {
			continue // another import got the number
		}
		return begun, err
	}
}

// Stage implements transfer.Staging.
func (s Imports) Stage(ctx context.Context, j transfer.Job, rows []transfer.StagedRow) (int, error) {
	tx, references := table.Transaction{{}}, map[table.Key]int64{}
	staged := 0
	for _, row := range rows {
		more, manager, err := s.stagedRowItems(j, row)
		if err != nil {
			return 0, err
		}
		extra := 0
		if _, have := references[manager]; manager != (table.Key{}) && !have {
			extra = 1
		}
		if len(tx)+len(more)+len(references)+extra > table.MaxTransaction {
			break
		}
		tx = append(tx, more...)
		if manager != (table.Key{}) {
			references[manager]++
		}
		staged++
	}
	tx[0] = s.fencedJobUpdate(j, "SET #next = :next",
		"#state = :writing AND #next = :from AND attribute_not_exists(cancel)", table.Item{
			":next": table.N(int64(rows[staged-1].NextRow)), ":from": table.N(int64(j.NextRow)),
			":writing": table.S(string(transfer.Writing)),
		})
	return staged, s.commitFenced(ctx, s.addReferences(tx, references))
}

// stagedRowItems returns the items of a row, and the key of the resource that it names as manager, if any.
func (s Imports) stagedRowItems(
	j transfer.Job, row transfer.StagedRow,
) (tx table.Transaction, manager table.Key, err error) {
	if row.Account.After.ID != "" {
		if tx, err = s.Accounts.stagedItems(j.Env, row.Account, j.ImportID,
			keyTransfers{row.AcquiredIdentifiers, row.ReleasedIdentifiers}); err != nil {
			return nil, table.Key{}, err
		}
	}
	if row.Resource == nil {
		return tx, table.Key{}, nil
	}
	w := row.Resource
	if code := w.After.Manager; code != "" && !row.ManagerCreated && (w.Before == nil || w.Before.Manager != code) {
		manager = schema.ResourceKey(j.Env, catalogue.Fold(code))
	}
	tx = append(tx, s.stageResource(j, row))
	err = s.stageResourceEvent(&tx, j, w)
	return tx, manager, err
}

// Commit implements transfer.Staging: the number is no longer pending, and with that every staged row counts.
func (s Imports) Commit(ctx context.Context, j transfer.Job, actor access.Caller, seats []account.SeatChange) error {
	set, values, err := jobUpdate(j)
	if err != nil {
		return err
	}
	values[":writing"] = table.S(string(transfer.Writing))
	tx := append(table.Transaction{
		s.fencedJobUpdate(j, set, "#state = :writing AND attribute_not_exists(cancel)", values),
		s.headUpdate(j.Env, j.ImportID, "REMOVE pending.#n",
			"attribute_exists(pending.#n) AND attribute_not_exists(pending.#n.doomedBy)", nil),
		s.Accounts.callerUnchanged(actor.AccountID, actor.Epoch),
	}, counterItems(s.Table, j.Env, j.CatalogueVersion, assignsCode, seats)...)
	if j.Kind == transfer.Undo {
		tx = append(tx, s.markUndoneItem(j))
	}
	return s.commitFenced(ctx, tx)
}

// FinishRollback implements transfer.Staging.
func (s Imports) FinishRollback(ctx context.Context, j transfer.Job) error {
	importID := j.ImportID
	j.ImportID = 0
	if importID == 0 {
		return s.Save(ctx, j)
	}
	set, values, err := jobUpdate(j)
	if err != nil {
		return err
	}
	values[":import"] = table.N(importID)
	return s.commitFenced(ctx, table.Transaction{
		s.fencedJobUpdate(j, set, "imp = :import", values),
		s.headUpdate(j.Env, importID, "REMOVE pending.#n", "attribute_exists(PK)", nil),
	})
}
