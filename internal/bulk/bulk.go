// Package bulk does one action to many accounts, each by itself: by the method, the guards and the transaction of the
// single action. It takes ids, or all accounts that match a filter in batches.
package bulk

import (
	"slices"
	"strings"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
)

// Action is what a bulk action does to each of its accounts.
type Action string

// The actions.
const (
	Allow               Action = "allow"
	Block               Action = "block"
	Lock                Action = "lock"
	Unlock              Action = "unlock"
	ResetTries          Action = "resetTries"
	ForcePasswordChange Action = "forcePasswordChange"
	AddRoles            Action = "addRoles"
	RemoveRoles         Action = "removeRoles"
	AddGroups           Action = "addGroups"
	RemoveGroups        Action = "removeGroups"
)

// Request is one action on many accounts.
type Request struct {
	Action Action
	// Reason is for Block, Roles and Groups are for the actions named after them.
	Reason        string
	Roles, Groups []string
	// Preview works everything out and writes nothing.
	Preview bool
}

// Check returns why the caller may not do the action at all, or what is wrong with its arguments.
func (r Request) Check(sc access.Scope) error {
	op := operationOf(r.Action)
	if op.permission == "" {
		return fault.InvalidFields([]fault.Field{{Field: "action", Code: "choice", Message: "There is no such action."}})
	}
	if !sc.Caller.May(op.permission) {
		return fault.New(fault.Forbidden, "forbidden", "The action %s needs the permission %s, which you do not hold.",
			r.Action, op.permission)
	}
	var faults []fault.Field
	addFault := func(name, code, message string) {
		faults = append(faults, fault.Field{Field: "arguments." + name, Code: code, Message: message})
	}
	reason, wrong := account.Fields().Find("lockedReason").Clean(r.Reason)
	if wrong != nil {
		addFault("reason", wrong.Code, wrong.Message)
	}
	for name, given := range map[string]bool{
		"reason": reason != "" || wrong != nil, "roles": len(r.Roles) > 0, "groups": len(r.Groups) > 0,
	} {
		accepts := name == op.codes || name == "reason" && r.Action == Block
		switch {
		case given && !accepts:
			addFault(name, "unexpected", "The action "+string(r.Action)+" does not take this; leave it out.")
		case !given && accepts:
			addFault(name, "required", "The action "+string(r.Action)+" needs this.")
		}
	}
	kinds := map[string]catalogue.Kind{"roles": catalogue.Role, "groups": catalogue.Group}
	if kind := kinds[op.codes]; kind != "" && !op.remove {
		if _, unknown := sc.Catalogue.Resolve(kind, r.codes()); len(unknown) > 0 {
			addFault(op.codes, "unknownCode", "There is no active code "+catalogue.QuoteCode(unknown[0])+".")
		}
	}
	slices.SortFunc(faults, func(x, y fault.Field) int { return strings.Compare(x.Field, y.Field) })
	return fault.InvalidFields(faults)
}

// codes returns the codes that the action adds or removes.
func (r Request) codes() []string {
	if operationOf(r.Action).codes == "groups" {
		return r.Groups
	}
	return r.Roles
}
