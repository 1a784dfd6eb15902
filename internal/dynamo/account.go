package dynamo

import (
	"cmp"
	"context"
	"slices"

	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
)

// Accounts keeps accounts: their directory rows, login keys, anchors and events.
type Accounts struct {
	*table.Table
}

var _ account.Store = Accounts{}

// visibleNow is VisibleAt for a reader of one item. What an import wrote counts as soon as the import is committed,
// so the environment is read again if its snapshot does not know the import yet.
func visibleNow(
	ctx context.Context, t *table.Table, env environment.Environment, it table.Item,
) (schema.Generation, error) {
	if is := schema.VisibleAt(env.Imports, it); is == schema.Newest {
		return is, nil
	}
	head, err := t.Get(ctx, schema.HeadKey(env.ID))
	if err != nil {
		return schema.Newest, err
	}
	now, err := schema.EnvironmentOf(env.ID, head)
	return schema.VisibleAt(now.Imports, it), err
}

// currentAccount returns the account that a row holds, for a reader of one item.
func currentAccount(
	ctx context.Context, t *table.Table, env environment.Environment, it table.Item,
) (account.Account, bool, error) {
	is, err := visibleNow(ctx, t, env, it)
	if err != nil {
		return account.Account{}, false, err
	}
	a, ok := schema.AccountOf(it, is)
	a.Stored.Pending = is != schema.Newest
	return a, ok, nil
}

// AccountNotFound is the fault that the environment has no account of an id.
func AccountNotFound() error {
	return fault.New(fault.NotFound, "notFound", "There is no such account.")
}

// Account implements account.Store.
func (s Accounts) Account(ctx context.Context, env environment.Environment, id string) (account.Account, error) {
	// A rename between the two reads moves the row; the next round finds it.
	for range 3 {
		anchor, err := s.Get(ctx, schema.AnchorKey(id))
		if err != nil {
			return account.Account{}, err
		}
		if anchor == nil || table.String(anchor, "env") != env.ID {
			return account.Account{}, AccountNotFound()
		}
		it, err := s.Get(ctx, schema.RowKey(env.ID, table.String(anchor, "row")))
		if err != nil {
			return account.Account{}, err
		}
		if it == nil || table.String(it, schema.AttrID) != id {
			continue
		}
		a, ok, err := currentAccount(ctx, s.Table, env, it)
		if err != nil {
			return account.Account{}, err
		}
		if !ok {
			return account.Account{}, AccountNotFound()
		}
		return a, nil
	}
	return account.Account{}, AccountNotFound()
}

// Page implements account.Store: one strongly consistent query in most cases. The snapshot in env must have been
// taken before.
func (s Accounts) Page(
	ctx context.Context, env environment.Environment, after string, limit int,
) ([]account.Account, string, error) {
	out := make([]account.Account, 0, limit)
	for {
		items, more, err := s.Query(ctx, table.Query{PK: schema.DirectoryPK(env.ID), After: after, Limit: limit - len(out)})
		if err != nil {
			return nil, "", err
		}
		for _, it := range items {
			if a, ok := schema.AccountOf(it, schema.VisibleAt(env.Imports, it)); ok {
				out = append(out, a)
			}
			after = table.String(it, "SK")
		}
		if !more {
			return out, "", nil
		}
		if len(out) >= limit {
			return out, after, nil
		}
	}
}

// EventsSince implements account.Store. The event of an import has the time at which its job was created, so it can
// be older than the versions it made. Therefore a page is read to its end before the search stops.
func (s Accounts) EventsSince(
	ctx context.Context, env environment.Environment, id string, version int64,
) ([]auditlog.Event, error) {
	var out []auditlog.Event
	newest, older := version, false
	p := table.Query{PK: schema.AccountPK(id), Prefix: schema.EventSK, Backwards: true, Limit: 50}
	for {
		items, more, err := s.Query(ctx, p)
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			event := schema.EventOf(it)
			switch {
			case event.Version == 0 || event.Subject != "" || !env.Imports.Sees(table.Int(it, schema.AttrImportID)):
			case event.Version <= version:
				older = true
			default:
				out, newest = append(out, event), max(newest, event.Version)
			}
		}
		if !more || older && int64(len(out)) == newest-version {
			slices.SortFunc(out, func(a, b auditlog.Event) int { return cmp.Compare(a.Version, b.Version) })
			return out, nil
		}
		p.After = table.String(items[len(items)-1], "SK")
	}
}
