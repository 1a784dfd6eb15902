package account

import (
	"context"
	"slices"

	"github.com/oklog/ulid/v2"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// CopyAccessRequest says whose access is copied, and what of it.
type CopyAccessRequest struct {
	// From is the id of the other account.
	From string
	// DACGroups copies those as well.
	DACGroups bool
	// SkipRefused adds what may be added even if some of it may not.
	SkipRefused bool
	// Preview works everything out and writes nothing.
	Preview bool
}

// CopyAccessResult is what a copy adds, or would add.
type CopyAccessResult struct {
	// Account is the account as it is after the copy; after a preview as it is.
	Account                  Account
	Roles, Groups, DACGroups []string
	Refused                  []RefusedCode
}

// RefusedCode is a code of the other account that cannot be added, and why.
type RefusedCode struct {
	// Field is roles, groups or dacGroups.
	Field string
	Code  string
	// Reason is made for programs: inactive, outsideLicence, aboveOwnRights, dacOff.
	Reason  string
	Message string
}

// CopyAccessRequest adds another account's direct roles and groups, on request its DAC groups, to the account with the
// id. It takes nothing away and copies nothing else: no password, second factor, session, key or delegation. Codes that
// give nothing any more are left out; anything else that may not be added refuses the copy as a whole, unless the
// choice says to skip it. What it adds goes by the rules of Change (V61).
func (s *Service) CopyAccess(ctx context.Context, sc access.Scope, id string, version int64,
	request CopyAccessRequest) (CopyAccessResult, error) {
	if request.From == id {
		return CopyAccessResult{}, sourceFault("same", "This is the account itself; choose another to copy from.")
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
	return Account{}, sourceFault("unknown", "There is no such account; choose another to copy from.")
}

func sourceFault(code, message string) error {
	return fault.InvalidFields([]fault.Field{{Field: "from", Code: code, Message: message}})
}

// patch is the change of an account that adds what is to be added.
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

// refusedFault is the fault of a copy that may not be done whole, if it may not.
func (c CopyAccessResult) refusedFault() error {
	var bad []fault.Field
	for _, r := range c.Refused {
		if r.Reason != reasonInactive {
			bad = append(bad, fault.Field{Field: r.Field, Code: r.Reason, Message: r.Message})
		}
	}
	return fault.InvalidFields(bad)
}

const reasonInactive = "inactive"

// copyableAccess works out what a copy adds to an account.
func copyableAccess(sc access.Scope, to, from Account, dacGroups bool) CopyAccessResult {
	p := accessCopier{sc: sc, has: access.Permissions(sc.Catalogue, to.Roles, to.Groups)}
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

type accessCopier struct {
	sc      access.Scope
	licence catalogue.Entry
	has     access.Set
	refused []RefusedCode
}

// addable returns the codes of from that are not among has and may be added.
func (p *accessCopier) addable(name string, kind catalogue.Kind, has, from []string) []string {
	var out []string
	for _, code := range from {
		if catalogue.ContainsCode(has, code) || catalogue.ContainsCode(out, code) {
			continue
		}
		entry, known := p.sc.Catalogue.Find(kind, code)
		reason, message := reasonInactive, "It is not in use any more and gives nothing."
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

// refusalReason says why a code in use may not be added, or nothing. The rules of Change judge the whole in the same
// way: what each code gives is allowed or not by itself.
func (p *accessCopier) refusalReason(kind catalogue.Kind, code string) (reason, message string) {
	var roles, groups []string
	switch kind {
	case catalogue.Role:
		roles = []string{code}
	case catalogue.Group:
		groups = []string{code}
	default:
		if !p.sc.Env.Settings.DACEnabled {
			return "dacOff", "Data access control is off in this environment."
		}
		return "", ""
	}
	if outside := access.OutsideLicence(p.sc.Catalogue, p.licence, roles, groups); len(outside) > 0 {
		return "outsideLicence", "The licence " + p.licence.Code + " does not allow " + joinTexts(outside) + "."
	}
	given := access.Permissions(p.sc.Catalogue, roles, groups)
	for had := range p.has {
		delete(given, had)
	}
	if beyond := p.sc.Caller.Permissions.Missing(given); len(beyond) > 0 {
		return "aboveOwnRights", "It would give permissions that you do not hold yourself: " + joinTexts(beyond) + "."
	}
	return "", ""
}

func joinTexts[T ~string](parts []T) string {
	text := ""
	for i, p := range parts {
		if i > 0 {
			text += ", "
		}
		text += string(p)
	}
	return text
}
