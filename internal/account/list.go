package account

import (
	"context"
	"slices"
	"sync"

	"useraccounts/internal/access"
	"useraccounts/internal/environment"
)

// Directory is what reading the accounts of a whole environment needs of the table.
type Directory interface {
	// Scan calls visit with batches of all accounts that env's snapshot sees and whose directory key comes after the given
	// one, in no order and several batches at a time. Only id, version and the named fields are filled in. A batch is the
	// callee's for the time of the call only.
	Scan(ctx context.Context, env environment.Environment, after string, fields []string, visit func([]Row)) error
	// ByKeys returns the accounts at directory keys that env's snapshot sees, whole and in order; missing ones are left
	// out.
	ByKeys(ctx context.Context, env environment.Environment, keys []string) ([]Account, error)
}

// Row is an account at its place in the directory.
type Row struct {
	Key     string
	Account Account
}

// Query asks for one page of the accounts that pass a filter, in an order.
type Query struct {
	Filter Filter
	Order  Order
	// After is where the page before ended; the zero value for the first page.
	After Position
	Limit int
}

// Position is a place in a walk over accounts: what the last one was sorted by, and its place in the directory.
type Position struct {
	SortKey string `json:"s,omitempty"`
	Key     string `json:"k"`
}

// Search returns a page of accounts, and where it ended if there is more. Filter and order hold for all accounts of the
// environment; a page can have fewer entries than asked for where accounts change meanwhile.
func (s *Service) Search(ctx context.Context, sc access.Scope, q Query) ([]Account, *Position, error) {
	if q.Order.isDefault() && q.Filter.isBroad() {
		return s.searchInOrder(ctx, sc, q)
	}
	found, _, err := s.firstPositions(ctx, sc, q)
	if err != nil {
		return nil, nil, err
	}
	var next *Position
	if len(found) > q.Limit {
		found = found[:q.Limit]
		next = &found[q.Limit-1]
	}
	keys := make([]string, len(found))
	for i, mark := range found {
		keys[i] = mark.Key
	}
	page, err := s.Directory.ByKeys(ctx, sc.Env, keys)
	// They were read again, and may have changed in between.
	page = slices.DeleteFunc(page, func(a Account) bool { return !q.Filter.matches(a.ForDisplay()) })
	return page, next, err
}

// minRead is the least that is read to fill up a page: reading one or two would cost a round trip as well.
const minRead = 20

// searchInOrder reads on from a place in the directory, as far as a page needs.
func (s *Service) searchInOrder(ctx context.Context, sc access.Scope, q Query) ([]Account, *Position, error) {
	var page []Account
	after := q.After.Key
	for {
		read, next, err := s.Store.Page(ctx, sc.Env, after, min(q.Limit, max(q.Limit-len(page), minRead)))
		if err != nil {
			return nil, nil, err
		}
		for i, a := range read {
			if !q.Filter.matches(a.ForDisplay()) {
				continue
			}
			page = append(page, a)
			if len(page) == q.Limit && (next != "" || i < len(read)-1) {
				return page, &Position{Key: a.DirectoryKey()}, nil
			}
		}
		if next == "" {
			return page, nil, nil
		}
		after = next
	}
}

// firstPositions returns the marks of the first accounts after q.After, one more than the page has, and how many there
// are in all. It keeps no more of them at a time, however many accounts there are.
func (s *Service) firstPositions(ctx context.Context, sc access.Scope, q Query) ([]Position, int, error) {
	heap := newHeap(q.Order, q.Limit+1)
	after := ""
	if q.Order.isDefault() {
		after = q.After.Key // what is before cannot be on the page
	}
	var (
		mu    sync.Mutex
		total int
	)
	err := s.Directory.Scan(ctx, sc.Env, after, slices.Concat(q.Filter.fields(), q.Order.fields()), func(rows []Row) {
		marks := make([]Position, 0, len(rows))
		for i := range rows {
			if shown := rows[i].Account.ForDisplay(); q.Filter.matches(shown) {
				mark := Position{SortKey: q.Order.sortKey(&shown), Key: rows[i].Key}
				if q.After.Key == "" || q.Order.compare(mark, q.After) > 0 {
					marks = append(marks, mark)
				}
			}
		}
		mu.Lock()
		defer mu.Unlock()
		total += len(marks)
		for _, mark := range marks {
			heap.add(mark)
		}
	})
	return heap.sorted(), total, err
}

// Count returns how many accounts pass a filter.
func (s *Service) Count(ctx context.Context, sc access.Scope, f Filter) (int, error) {
	_, total, err := s.firstPositions(ctx, sc, Query{Filter: f})
	return total, err
}
