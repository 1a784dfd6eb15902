package account_test

import (
	"context"
	"maps"
	"slices"
	"sync"

	"useraccounts/internal/account"
	"useraccounts/internal/environment"
)

// locked is a Store that several may use at once.
type locked struct {
	account.Store
	mu sync.Mutex
}

func (l *locked) Account(ctx context.Context, env environment.Environment, id string) (account.Account, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Store.Account(ctx, env, id)
}

func (l *locked) Write(ctx context.Context, env environment.Environment, w account.Write) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Store.Write(ctx, env, w)
}

// living is the directory of what a memory holds at the moment.
type living struct{ m *memory }

func (l *living) now() *directory { return &directory{all: slices.Collect(maps.Values(l.m.accounts))} }

func (l *living) Scan(ctx context.Context, env environment.Environment, after string, fields []string, visit func([]account.Row)) error {
	return l.now().Scan(ctx, env, after, fields, visit)
}

func (l *living) At(ctx context.Context, env environment.Environment, keys []string) ([]account.Account, error) {
	return l.now().At(ctx, env, keys)
}
