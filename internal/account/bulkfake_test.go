package account_test

import (
	"context"
	"maps"
	"slices"
	"sync"

	"useraccounts/internal/account"
	"useraccounts/internal/environment"
)

// lockedStore is a Store that several may use at once.
type lockedStore struct {
	account.Store
	mu sync.Mutex
}

func (l *lockedStore) Account(ctx context.Context, env environment.Environment, id string) (account.Account, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Store.Account(ctx, env, id)
}

func (l *lockedStore) Write(ctx context.Context, env environment.Environment, w account.Write) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Store.Write(ctx, env, w)
}

// liveDirectory is the directory of what a memory holds at the moment.
type liveDirectory struct{ store *fakeStore }

func (l *liveDirectory) now() *fakeDirectory {
	return &fakeDirectory{all: slices.Collect(maps.Values(l.store.accounts))}
}

func (l *liveDirectory) Scan(ctx context.Context, env environment.Environment, after string, fields []string,
	visit func([]account.Row)) error {
	return l.now().Scan(ctx, env, after, fields, visit)
}

func (l *liveDirectory) ByKeys(ctx context.Context, env environment.Environment, keys []string) ([]account.Account,
	error) {
	return l.now().ByKeys(ctx, env, keys)
}
