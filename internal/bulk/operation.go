package bulk

import (
	"context"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
)

// operation is how an action is done to one account, and the permission that it needs.
type operation struct {
	permission access.Permission
	run        func(ctx context.Context, s *account.Service, sc access.Scope, r Request, id string) (account.Account,
		error)
	// codes is the field whose codes the action adds or removes.
	codes  string
	remove bool
}

// operationOf returns the operation of an action; every known one has a permission.
func operationOf(a Action) operation {
	switch a {
	case Allow:
		return operation{permission: access.AccountBlock, run: withoutArguments((*account.Service).Allow)}
	case Block:
		return operation{permission: access.AccountBlock, run: block}
	case Lock:
		return operation{permission: access.AccountLock, run: withoutArguments((*account.Service).Lock)}
	case Unlock:
		return operation{permission: access.AccountLock, run: withoutArguments((*account.Service).Unlock)}
	case ResetTries:
		return operation{permission: access.AccountBlock, run: withoutArguments((*account.Service).ResetTries)}
	case ForcePasswordChange:
		return operation{permission: access.AccountPassword, run: withoutArguments((*account.Service).ForcePasswordChange)}
	case AddRoles:
		return operation{permission: access.AccountUpdate, codes: "roles", run: changeCodes}
	case RemoveRoles:
		return operation{permission: access.AccountUpdate, codes: "roles", remove: true, run: changeCodes}
	case AddGroups:
		return operation{permission: access.AccountUpdate, codes: "groups", run: changeCodes}
	case RemoveGroups:
		return operation{permission: access.AccountUpdate, codes: "groups", remove: true, run: changeCodes}
	}
	return operation{}
}

// method is an action of account.Service that takes no arguments.
type method = func(*account.Service, context.Context, access.Scope, string, int64) (account.Account, error)

func withoutArguments(m method) func(context.Context, *account.Service, access.Scope, Request, string) (
	account.Account, error) {
	return func(ctx context.Context, s *account.Service, sc access.Scope, _ Request, id string) (account.Account, error) {
		return m(s, ctx, sc, id, 0)
	}
}

func block(ctx context.Context, s *account.Service, sc access.Scope, r Request, id string) (account.Account, error) {
	return s.Block(ctx, sc, id, 0, r.Reason)
}

func changeCodes(ctx context.Context, s *account.Service, sc access.Scope, r Request, id string) (
	account.Account, error) {
	op := operationOf(r.Action)
	if op.remove {
		return s.ChangeCodes(ctx, sc, id, op.codes, nil, r.codes())
	}
	return s.ChangeCodes(ctx, sc, id, op.codes, r.codes(), nil)
}
