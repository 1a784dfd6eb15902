package account

import (
	"context"
	"slices"

	"github.com/oklog/ulid/v2"

	"useraccounts/internal/access"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/journal"
)

// CopyFrom says whose access is copied, and what of it.
type CopyFrom struct {
	// From is the id of the other account.
	From string
	// DACGroups copies those as well.
	DACGroups bool
	// SkipRefused adds what may be added even if some of it may not.
	SkipRefused bool
	// Preview works everything out and writes nothing.
	Preview bool
}

// Copied is what a copy adds, or would add.
type Copied struct {
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

// CopyFrom adds another account's direct roles and groups, on request its DAC groups, to the account with the id. It takes
// nothing away and copies nothing else: no password, second factor, session, key or delegation. Codes that give nothing any
// more are left out; anything else that may not be added refuses the copy as a whole, unless the choice says to skip it.
// What it adds goes by the rules of Change (V61).
func (s *Service) CopyFrom(ctx context.Context, sc access.Scope, id string, version int64, choice CopyFrom) (Copied, error) {
	if choice.From == id {
		return Copied{}, fromFault("same", "This is the account itself; choose another to copy from.")
	}
	var out Copied
	a, err := s.edit(ctx, sc, id, version, func(before Account) (Write, error) {
		if err := GuardAdministrator(sc, before); err != nil {
			return Write{}, err
		}
		from, err := s.source(ctx, sc, choice.From)
		if err != nil {
			return Write{}, err
		}
		out = planCopy(sc, before, from, choice.DACGroups)
		if choice.Preview {
			return Write{}, nil
		}
		if err := out.refusal(); err != nil && !choice.SkipRefused {
			return Write{}, err
		}
		write, err := s.Rules.Change(sc, before, out.patch(before), s.now())
		if write.Event.Kind != "" {
			write.Event.Kind, write.Event.Note = journal.AccessCopied, from.Username
		}
		return write, err
	})
	out.Account = a
	return out, err
}

// source returns the account that is copied from.
func (s *Service) source(ctx context.Context, sc access.Scope, id string) (Account, error) {
	_, err := ulid.ParseStrict(id)
	if err == nil {
		var from Account
		if from, err = s.Store.Account(ctx, sc.Env, id); err == nil || !fault.Is(err, fault.NotFound) {
			return from, err
		}
	}
	return Account{}, fromFault("unknown", "There is no such account; choose another to copy from.")
}

func fromFault(code, message string) error {
	return fault.InvalidFields([]fault.Field{{Field: "from", Code: code, Message: message}})
}

// patch is the change of an account that adds what is to be added.
func (c Copied) patch(before Account) field.Patch {
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

// refusal is the fault of a copy that may not be done whole, if it may not.
func (c Copied) refusal() error {
	var bad []fault.Field
	for _, r := range c.Refused {
		if r.Reason != inactive {
			bad = append(bad, fault.Field{Field: r.Field, Code: r.Reason, Message: r.Message})
		}
	}
	return fault.InvalidFields(bad)
}

const inactive = "inactive"

// planCopy works out what a copy adds to an account.
func planCopy(sc access.Scope, to, from Account, dacGroups bool) Copied {
	p := copier{sc: sc, has: access.Permissions(sc.Catalogue, to.Roles, to.Groups)}
	p.licence, _ = sc.Catalogue.Find(catalogue.Licence, to.UserType)
	out := Copied{
		Roles:  p.add("roles", catalogue.Role, to.Roles, from.Roles),
		Groups: p.add("groups", catalogue.Group, to.Groups, from.Groups),
	}
	if dacGroups {
		out.DACGroups = p.add("dacGroups", catalogue.DACGroup, to.DACGroups, from.DACGroups)
	}
	out.Refused = p.refused
	return out
}

type copier struct {
	sc      access.Scope
	licence catalogue.Entry
	has     access.Set
	refused []RefusedCode
}

// add returns the codes of from that are not among has and may be added.
func (p *copier) add(name string, kind catalogue.Kind, has, from []string) []string {
	var out []string
	for _, code := range from {
		if holds(has, code) || holds(out, code) {
			continue
		}
		entry, known := p.sc.Catalogue.Find(kind, code)
		reason, message := inactive, "It is not in use any more and gives nothing."
		if known && entry.Active {
			code = entry.Code
			reason, message = p.judge(kind, code)
		}
		if reason != "" {
			p.refused = append(p.refused, RefusedCode{Field: name, Code: code, Reason: reason, Message: code + ": " + message})
			continue
		}
		out = append(out, code)
	}
	return out
}

func holds(codes []string, code string) bool {
	return slices.ContainsFunc(codes, func(c string) bool { return catalogue.Fold(c) == catalogue.Fold(code) })
}

// judge says why a code in use may not be added, or nothing. The rules of Change judge the whole in the same way: what each
// code gives is allowed or not by itself.
func (p *copier) judge(kind catalogue.Kind, code string) (reason, message string) {
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
		return "outsideLicence", "The licence " + p.licence.Code + " does not allow " + joined(outside) + "."
	}
	given := access.Permissions(p.sc.Catalogue, roles, groups)
	for had := range p.has {
		delete(given, had)
	}
	if beyond := p.sc.Caller.Permissions.Beyond(given); len(beyond) > 0 {
		return "aboveOwnRights", "It would give permissions that you do not hold yourself: " + joined(beyond) + "."
	}
	return "", ""
}

func joined[T ~string](parts []T) string {
	text := ""
	for i, p := range parts {
		if i > 0 {
			text += ", "
		}
		text += string(p)
	}
	return text
}
