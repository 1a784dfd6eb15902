package account

import (
	"context"
	"slices"
	"strings"

	"github.com/oklog/ulid/v2"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// CopyAccessRequest says which access is copied from which account.
type CopyAccessRequest struct {
	// From is the id of the other account.
	From string
	// DACGroups also copies the DAC groups.
	DACGroups bool
	// SkipRefused adds what can be added, even if some codes cannot.
	SkipRefused bool
	// Preview works everything out and writes nothing.
	Preview bool
}

// CopyAccessResult is what a copy adds, or would add.
type CopyAccessResult struct {
	// Account is the account after the copy; a preview does not change it.
	Account                  Account
	Roles, Groups, DACGroups []string
	Refused                  []RefusedCode
}

// RefusedCode is a code of the other account that cannot be added, and why.
type RefusedCode struct {
	// Field is roles, groups or dacGroups.
	Field string
	Code  string
	// Reason is for programs: inactive, outsideLicence, aboveOwnRights, dacOff.
	Reason  string
	Message string
}

// CopyAccess adds another account's direct roles and groups, and on request its DAC groups, to the account with the id.
// It removes nothing and copies nothing else. Locked codes are left out. If another code cannot be added, the whole
// copy fails, unless the request says to skip it. The rules of Change apply (V61).
func (s *Service) CopyAccess(ctx context.Context, sc access.Scope, id string, version int64,
	request CopyAccessRequest) (CopyAccessResult, error) {
	if request.From == id {
		return CopyAccessResult{}, sourceFault("same", "An account cannot be copied to itself; choose another account.")
	}
	var out CopyAccessResult
	a, err := s.update(ctx, sc, id, version, func(before Account) (Write, error) {
		if err := GuardAdministrator(sc, before); err != nil {
			return Write{}, err
		}
		from, err := s.sourceAccount(ctx, sc, request.From)
		if err != nil {
			return Write{}, err
		}
		out = copyableAccess(sc, before, from, request.DACGroups)
		if request.Preview {
			return Write{}, nil
		}
		if err := out.refusedFault(); err != nil && !request.SkipRefused {
			return Write{}, err
		}
		write, err := s.Rules.Change(sc, before, out.patch(before), s.now())
		if write.Event.Kind != "" {
			write.Event.Kind, write.Event.Note = auditlog.AccessCopied, from.Username
		}
		return write, err
	})
	out.Account = a
	return out, err
}

// sourceAccount returns the account that is copied from.
func (s *Service) sourceAccount(ctx context.Context, sc access.Scope, id string) (Account, error) {
	_, err := ulid.ParseStrict(id)
	if err == nil {
		var from Account
		if from, err = s.Store.Account(ctx, sc.Env, id); err == nil || !fault.Is(err, fault.NotFound) {
			return from, err
		}
	}
	return Account{}, sourceFault("unknown", "There is no such account; choose another one.")
}

func sourceFault(code, message string) error {
	return fault.InvalidFields([]fault.Field{{Field: "from", Code: code, Message: message}})
}

// patch returns the change that adds the codes to the account.
func (c CopyAccessResult) patch(before Account) field.Patch {
	p := field.Patch{}
	for name, lists := range map[string][2][]string{
		"roles": {before.Roles, c.Roles}, "groups": {before.Groups, c.Groups}, "dacGroups": {before.DACGroups, c.DACGroups},
	} {
		if len(lists[1]) > 0 {
			p[name] = slices.Concat(lists[0], lists[1])
		}
	}
	return p
}

// refusedFault returns the fault of a copy with codes that cannot be added, nil if there are none.
func (c CopyAccessResult) refusedFault() error {
	var faults []fault.Field
	for _, r := range c.Refused {
		if r.Reason != reasonInactive {
			faults = append(faults, fault.Field{Field: r.Field, Code: r.Reason, Message: r.Message})
		}
	}
	return fault.InvalidFields(faults)
}

const reasonInactive = "inactive"

// copyableAccess returns what a copy adds to an account.
func copyableAccess(sc access.Scope, to, from Account, dacGroups bool) CopyAccessResult {
	p := accessCopier{scope: sc, has: access.Permissions(sc.Catalogue, to.Roles, to.Groups)}
	p.licence, _ = sc.Catalogue.Find(catalogue.Licence, to.UserType)
	out := CopyAccessResult{
		Roles:  p.addable("roles", catalogue.Role, to.Roles, from.Roles),
		Groups: p.addable("groups", catalogue.Group, to.Groups, from.Groups),
	}
	if dacGroups {
		out.DACGroups = p.addable("dacGroups", catalogue.DACGroup, to.DACGroups, from.DACGroups)
	}
	out.Refused = p.refused
	return out
}

// accessCopier checks the codes of a copy one by one.
type accessCopier struct {
	scope   access.Scope
	licence catalogue.Entry
	has     access.Set
	refused []RefusedCode
}

// addable returns the codes of from that are not among has and can be added. It notes those that cannot.
func (p *accessCopier) addable(name string, kind catalogue.Kind, has, from []string) []string {
	var out []string
	for _, code := range from {
		if catalogue.ContainsCode(has, code) || catalogue.ContainsCode(out, code) {
			continue
		}
		entry, known := p.scope.Catalogue.Find(kind, code)
		reason, message := reasonInactive, "It is locked, so it gives nothing."
		if known && entry.Active {
			code = entry.Code
			reason, message = p.refusalReason(kind, code)
		}
		if reason != "" {
			p.refused = append(p.refused, RefusedCode{Field: name, Code: code, Reason: reason, Message: code + ": " + message})
			continue
		}
		out = append(out, code)
	}
	return out
}

// refusalReason says why an active code cannot be added, or nothing. It is the rules of Change for one code: each code
// is allowed, or not, by itself.
func (p *accessCopier) refusalReason(kind catalogue.Kind, code string) (reason, message string) {
	var roles, groups []string
	switch kind {
	case catalogue.Role:
		roles = []string{code}
	case catalogue.Group:
		groups = []string{code}
	default:
		if !p.scope.Env.Settings.DACEnabled {
			return "dacOff", "Data access control is off in this environment."
		}
		return "", ""
	}
	if outside := access.OutsideLicence(p.scope.Catalogue, p.licence, roles, groups); len(outside) > 0 {
		return "outsideLicence", "The licence " + p.licence.Code + " does not allow " + strings.Join(outside, ", ") + "."
	}
	given := access.Permissions(p.scope.Catalogue, roles, groups)
	for had := range p.has {
		delete(given, had)
	}
	if beyond := access.AboveOwnRights(p.scope.Catalogue, p.scope.Caller, given); len(beyond) > 0 {
		return "aboveOwnRights", "It would give permissions that you do not hold: " + access.Join(beyond) + "."
	}
	return "", ""
}
