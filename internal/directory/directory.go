// Package directory is the list of an environment's accounts: filters, orders, pages and counts. It reads accounts by
// their place in the directory, which is the normalised username, and knows neither the table nor HTTP.
package directory

import (
	"context"
	"slices"
	"sync"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/environment"
	"useraccounts/internal/field"
)

// Store is what the service needs of the table.
type Store interface {
	// Page returns up to limit accounts whose directory key comes after the given one, in order, and the key to go on
	// from, empty at the end.
	Page(ctx context.Context, env environment.Environment, after string, limit int) ([]account.Account, string, error)
	// Scan calls visit with batches of all accounts that env's snapshot sees and whose directory key comes after the
	// given one, in no order and several batches at a time. Only id, version and the named fields are filled in, for
	// status what decides it. A batch is the callee's for the time of the call only.
	Scan(ctx context.Context, env environment.Environment, after string, fields []string, visit func([]Row)) error
	// ByKeys returns the accounts at directory keys that env's snapshot sees, whole and in order; missing ones are left
	// out.
	ByKeys(ctx context.Context, env environment.Environment, keys []string) ([]account.Account, error)
}

// Row is an account at its place in the directory.
type Row struct {
	Key     string
	Account account.Account
}

// Service lists accounts.
type Service struct {
	Store Store
	// Now is time.Now outside tests: whether an account has started or expired depends on the day.
	Now func() time.Time
}

func (s *Service) today() field.Date { return field.DateOf(s.Now()) }

// Query asks for one page of the accounts that match a filter, in an order.
type Query struct {
	Filter Filter
	Order  Order
	// After is where the page before ended; the zero value for the first page.
	After Position
	Limit int
}

// Position is a place in an ordered list of accounts: the sort key of the last one, and its directory key.
type Position struct {
	SortKey string `json:"s,omitempty"`
	Key     string `json:"k"`
}

// Search returns a page of accounts, and its end if there are more. Filter and order hold for all accounts of the
// environment; a page can be short where accounts change meanwhile.
func (s *Service) Search(ctx context.Context, sc access.Scope, q Query) ([]account.Account, *Position, error) {
	if q.Order.isDefault() && q.Filter.isBroad() {
		return s.readPages(ctx, sc, q)
	}
	found, _, err := s.scan(ctx, sc, q)
	if err != nil {
		return nil, nil, err
	}
	var next *Position
	if len(found) > q.Limit {
		found = found[:q.Limit]
		next = &found[q.Limit-1]
	}
	page, err := s.matchingAt(ctx, sc, q.Filter, found)
	return page, next, err
}

// Batch is the next accounts of a walk over all that match, in the order of usernames.
type Batch struct {
	Accounts []account.Account
	// Next is where the next batch starts, nil at the end; Remaining is how many accounts match after this batch.
	Next      *Position
	Remaining int
}

// NextBatch returns the first accounts that match after a position, whatever the order of q. The walk goes by
// position: an account that no longer matches once it was changed does not shift the others.
func (s *Service) NextBatch(ctx context.Context, sc access.Scope, q Query) (Batch, error) {
	q.Order = Order{}
	positions, total, err := s.scan(ctx, sc, q)
	if err != nil {
		return Batch{}, err
	}
	positions = positions[:min(q.Limit, len(positions))]
	batch := Batch{Remaining: total - len(positions)}
	if batch.Remaining > 0 {
		batch.Next = &positions[len(positions)-1]
	}
	batch.Accounts, err = s.matchingAt(ctx, sc, q.Filter, positions)
	return batch, err
}

// Count returns how many accounts match a filter.
func (s *Service) Count(ctx context.Context, sc access.Scope, f Filter) (int, error) {
	_, total, err := s.scan(ctx, sc, Query{Filter: f})
	return total, err
}

// matchingAt reads the accounts at some positions, and leaves out those that changed since the scan and match no more.
func (s *Service) matchingAt(ctx context.Context, sc access.Scope, f Filter,
	positions []Position) ([]account.Account, error) {
	keys := make([]string, len(positions))
	for i, p := range positions {
		keys[i] = p.Key
	}
	page, err := s.Store.ByKeys(ctx, sc.Env, keys)
	today := s.today()
	return slices.DeleteFunc(page, func(a account.Account) bool { return !f.Matches(a, today) }), err
}

// minRead is the least that is read to fill up a page: reading one or two would cost a round trip as well.
const minRead = 20

// readPages reads on from a place in the directory until a page is full.
func (s *Service) readPages(ctx context.Context, sc access.Scope, q Query) ([]account.Account, *Position, error) {
	var page []account.Account
	after, today := q.After.Key, s.today()
	for {
		read, next, err := s.Store.Page(ctx, sc.Env, after, min(q.Limit, max(q.Limit-len(page), minRead)))
		if err != nil {
			return nil, nil, err
		}
		for i, a := range read {
			if !q.Filter.Matches(a, today) {
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

// scan looks at every account. It returns the positions of the first that match after q.After, one more than a page
// has, and how many match. It keeps no more than those, however many accounts there are.
func (s *Service) scan(ctx context.Context, sc access.Scope, q Query) ([]Position, int, error) {
	first := newHeap(q.Order, q.Limit+1)
	after := ""
	if q.Order.isDefault() {
		after = q.After.Key // what is before cannot be on the page
	}
	var (
		mu    sync.Mutex
		total int
	)
	today := s.today()
	fields := slices.Concat(q.Filter.fields(), q.Order.fields())
	err := s.Store.Scan(ctx, sc.Env, after, fields, func(rows []Row) {
		positions := make([]Position, 0, len(rows))
		for i := range rows {
			if shown := rows[i].Account.ForDisplay(today); q.Filter.matches(shown) {
				p := Position{SortKey: q.Order.sortKey(&shown), Key: rows[i].Key}
				if q.After.Key == "" || q.Order.compare(p, q.After) > 0 {
					positions = append(positions, p)
				}
			}
		}
		mu.Lock()
		defer mu.Unlock()
		total += len(positions)
		for _, p := range positions {
			first.add(p)
		}
	})
	return first.sorted(), total, err
}
