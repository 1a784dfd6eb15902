package table

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Op is one write of a transaction.
type Op struct {
	Write types.TransactWriteItem
	// Conflict says what it means that the condition of the write does not hold. It is given the item as it is, if the
	// write asked for it.
	Conflict func(current Item) error
}

// Put is an Op that writes a whole item.
func Put(p *types.Put, conflict func(current Item) error) Op {
	return Op{Write: types.TransactWriteItem{Put: p}, Conflict: conflict}
}

// Update is an Op that changes attributes of an item.
func Update(u *types.Update, conflict func(current Item) error) Op {
	return Op{Write: types.TransactWriteItem{Update: u}, Conflict: conflict}
}

// Delete is an Op that removes an item.
func Delete(d *types.Delete, conflict func(current Item) error) Op {
	return Op{Write: types.TransactWriteItem{Delete: d}, Conflict: conflict}
}

// Check is an Op that changes nothing and has a condition on an item.
func Check(c *types.ConditionCheck, conflict func(current Item) error) Op {
	return Op{Write: types.TransactWriteItem{ConditionCheck: c}, Conflict: conflict}
}

// Transaction is the writes of one transaction: all of them happen or none.
type Transaction []Op

// Items returns the writes as the SDK takes them.
func (tx Transaction) Items() []types.TransactWriteItem {
	out := make([]types.TransactWriteItem, len(tx))
	for i := range tx {
		out[i] = tx[i].Write
	}
	return out
}

// Put adds a new item: there must be none of its key.
func (tx *Transaction) Put(t *Table, it Item, conflict func(current Item) error) {
	*tx = append(*tx, Put(&types.Put{
		TableName: &t.Name, Item: it, ConditionExpression: aws.String("attribute_not_exists(PK)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}, conflict))
}

// CancelledError is a transaction that did not happen, with the reason for each of its items.
type CancelledError struct{ Reasons []types.CancellationReason }

// Error names the first item that failed.
func (e *CancelledError) Error() string {
	for i, r := range e.Reasons {
		if code := aws.ToString(r.Code); code != "None" {
			return fmt.Sprintf("transaction cancelled: item %d: %s: %s", i, code, aws.ToString(r.Message))
		}
	}
	return "transaction cancelled"
}

// Failed returns the index of the first item whose condition did not hold, or -1.
func (e *CancelledError) Failed() int {
	for i, r := range e.Reasons {
		if aws.ToString(r.Code) == conditionFailed {
			return i
		}
	}
	return -1
}

// Transact writes all items or none. A conflict with another transaction is tried again; a condition that does not hold
// comes back as *CancelledError. The SDK makes its own retries of one call idempotent by its client request token.
func (t *Table) Transact(ctx context.Context, items []types.TransactWriteItem) error {
	const tries = 8
	for attempt := 1; ; attempt++ {
		_, err := t.Client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items})
		var cancelled *types.TransactionCanceledException
		if !errors.As(err, &cancelled) {
			return WrapError("write", err)
		}
		e := &CancelledError{Reasons: cancelled.CancellationReasons}
		if e.Failed() >= 0 {
			return e
		}
		if attempt == tries {
			return Unavailable(e)
		}
		if err := Backoff(ctx, attempt); err != nil {
			return err
		}
	}
}

// Commit does a transaction. If the condition of a write does not hold, the error is that of the first such Op.
func (t *Table) Commit(ctx context.Context, tx Transaction) error {
	err := t.Transact(ctx, tx.Items())
	var cancelled *CancelledError
	if !errors.As(err, &cancelled) {
		return err
	}
	i := cancelled.Failed()
	return tx[i].Conflict(cancelled.Reasons[i].Item)
}
