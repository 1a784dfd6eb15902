package dynamo

import (
	"context"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/transfer"
)

// Directory is what the worker of imports and exports reads.
type Directory struct {
	Accounts
	Environments *Environments
	Now          func() time.Time
}

var _ transfer.Directory = Directory{}

// Actor implements transfer.Directory.
func (s Directory) Actor(ctx context.Context, env, accountID string) (access.Scope, error) {
	head, err := s.Environments.Environment(ctx, env)
	if err != nil {
		return access.Scope{}, err
	}
	a, err := s.Account(ctx, head, accountID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return access.Scope{}, err
	}
	if err != nil || !a.Active || a.AccessLocked || !a.InDates(field.DateOf(s.Now())) {
		return access.Scope{}, fault.New(fault.Forbidden, "actor", "The account can no longer sign in.")
	}
	known, err := s.Environments.Catalogue(ctx, head)
	if err != nil {
		return access.Scope{}, err
	}
	return access.Scope{Env: head, Catalogue: known, Caller: access.Caller{
		AccountID: a.ID, Username: a.Username, Epoch: a.Epoch, Permissions: access.Permissions(known, a.Roles, a.Groups),
	}}, nil
}

// AccountsByUsername implements transfer.Directory.
func (s Directory) AccountsByUsername(
	ctx context.Context, env environment.Environment, mark int64, usernames []string,
) ([]transfer.AccountState, error) {
	keys := make([]table.Key, 0, len(usernames))
	for _, name := range usernames {
		keys = append(keys, schema.RowKey(env.ID, keyOrUnused(name)))
	}
	items, err := s.BatchGet(ctx, keys)
	if err != nil {
		return nil, err
	}
	out := make([]transfer.AccountState, len(items))
	for i, it := range items {
		if it == nil || usernames[i] == "" {
			continue
		}
		imp := table.Int(it, schema.AttrImportID)
		own := mark != 0 && imp == mark
		seen := env.Imports.Sees(imp)
		gone := table.Bool(it, schema.AttrTombstone)
		f := transfer.AccountState{Staged: own, Busy: !own && (!seen || gone), BeingRemoved: !own && seen && gone,
			Tombstone: own && gone}
		is := schema.VisibleAt(env.Imports, it)
		if own {
			is = schema.Previous
			f.StagedAccount, _ = schema.AccountOf(it, schema.Newest)
		} else if was, ok := schema.AccountOf(it, schema.Previous); ok {
			f.Previous = &was
		}
		f.Account, f.Exists = schema.AccountOf(it, is)
		f.Created = own && !f.Exists
		out[i] = f
	}
	return out, nil
}

// keyOrUnused returns a key that no account has for an empty username, because a key cannot be empty.
func keyOrUnused(name string) string {
	if name == "" {
		return "\x00"
	}
	return name
}

// Owners implements transfer.Directory. A key that a pending import moved or created counts as taken, by the account
// that it names.
func (s Directory) Owners(
	ctx context.Context, env environment.Environment, identifiers []string,
) (map[string]string, error) {
	keys := make([]table.Key, len(identifiers))
	for i, id := range identifiers {
		keys[i] = schema.LoginKey(env.ID, id)
	}
	items, err := s.BatchGet(ctx, keys)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for i, it := range items {
		if it == nil {
			continue
		}
		if table.Bool(it, schema.AttrTombstone) && env.Imports.Sees(table.Int(it, schema.AttrImportID)) {
			if _, err := s.deleteReleasedKey(ctx, env, it); err != nil {
				return nil, err
			}
			continue
		}
		out[identifiers[i]] = table.String(it, schema.AttrID)
	}
	return out, nil
}

// HadKeys implements transfer.Directory, by the number of keys that each account counts.
func (s Directory) HadKeys(ctx context.Context, accountIDs []string) (map[string]bool, error) {
	keys := make([]table.Key, len(accountIDs))
	for i, id := range accountIDs {
		keys[i] = schema.APIKeyCountKey(id)
	}
	items, err := s.BatchGet(ctx, keys)
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for i, it := range items {
		out[accountIDs[i]] = it != nil
	}
	return out, nil
}
