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
	// At returns the accounts at directory keys that env's snapshot sees, whole and in order; missing ones are left out.
	At(ctx context.Context, env environment.Environment, keys []string) ([]Account, error)
}

// Row is an account at its place in the directory.
type Row struct {
	Key     string
	Account Account
}

// Search asks for one page of the accounts that pass a filter, in an order.
type Search struct {
	Filter Filter
	Order  Order
	// After is where the page before ended; the zero value for the first page.
	After Mark
	Limit int
}

// Mark is a place in a walk over accounts: what the last one was sorted by, and its place in the directory.
type Mark struct {
	Sorted string `json:"s,omitempty"`
	Key    string `json:"k"`
}

// Search returns a page of accounts, and where it ended if there is more. Filter and order hold for all accounts of the
// environment; a page can have fewer entries than asked for where accounts change meanwhile.
func (s *Service) Search(ctx context.Context, sc access.Scope, q Search) ([]Account, *Mark, error) {
	if q.Order.isDirectory() && q.Filter.isCheap() {
		return s.inDirectory(ctx, sc, q)
	}
	found, _, err := s.first(ctx, sc, q)
	if err != nil {
		return nil, nil, err
	}
	var next *Mark
	if len(found) > q.Limit {
		found = found[:q.Limit]
		next = &found[q.Limit-1]
	}
	keys := make([]string, len(found))
	for i, mark := range found {
		keys[i] = mark.Key
	}
	page, err := s.Directory.At(ctx, sc.Env, keys)
	// They were read again, and may have changed in between.
	page = slices.DeleteFunc(page, func(a Account) bool { return !q.Filter.passes(a.Presented()) })
	return page, next, err
}

// fewest is the least that is read to fill up a page: reading one or two would cost a round trip as well.
const fewest = 20

// inDirectory reads on from a place in the directory, as far as a page needs.
func (s *Service) inDirectory(ctx context.Context, sc access.Scope, q Search) ([]Account, *Mark, error) {
	var page []Account
	after := q.After.Key
	for {
		read, next, err := s.Store.Page(ctx, sc.Env, after, min(q.Limit, max(q.Limit-len(page), fewest)))
		if err != nil {
			return nil, nil, err
		}
		for i, a := range read {
			if !q.Filter.passes(a.Presented()) {
				continue
			}
			page = append(page, a)
			if len(page) == q.Limit && (next != "" || i < len(read)-1) {
				return page, &Mark{Key: a.DirectoryKey()}, nil
			}
		}
		if next == "" {
			return page, nil, nil
		}
		after = next
	}
}

// first returns the marks of the first accounts after q.After, one more than the page has, and how many there are in all.
// It keeps no more of them at a time, however many accounts there are.
func (s *Service) first(ctx context.Context, sc access.Scope, q Search) ([]Mark, int, error) {
	kept := newHeap(q.Order, q.Limit+1)
	after := ""
	if q.Order.isDirectory() {
		after = q.After.Key // what is before cannot be on the page
	}
	var (
		mu    sync.Mutex
		total int
	)
	err := s.Directory.Scan(ctx, sc.Env, after, slices.Concat(q.Filter.fields(), q.Order.fields()), func(rows []Row) {
		marks := make([]Mark, 0, len(rows))
		for i := range rows {
			if shown := rows[i].Account.Presented(); q.Filter.passes(shown) {
				mark := Mark{Sorted: q.Order.sorted(&shown), Key: rows[i].Key}
				if q.After.Key == "" || q.Order.compare(mark, q.After) > 0 {
					marks = append(marks, mark)
				}
			}
		}
		mu.Lock()
		defer mu.Unlock()
		total += len(marks)
		for _, mark := range marks {
			kept.add(mark)
		}
	})
	return kept.inOrder(), total, err
}

// Count returns how many accounts pass a filter.
func (s *Service) Count(ctx context.Context, sc access.Scope, f Filter) (int, error) {
	_, total, err := s.first(ctx, sc, Search{Filter: f})
	return total, err
}
