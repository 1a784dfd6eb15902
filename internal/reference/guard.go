package reference

import (
	"context"
	"slices"
	"strings"

	"useraccounts/internal/access"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// checkImpact refuses a change for what it would do to others: take rights from administrators, leave nobody who
// administers, put accounts outside their licence, or leave codes that name nothing. It says in the change whether its
// verdict holds only as long as nobody is given a code.
func (s *Service) checkImpact(ctx context.Context, sc access.Scope, now Current, change *Change) error {
	before := *change.Before
	if err := guardAdministrators(sc, now.Catalogue, *change); err != nil {
		return err
	}
	if change.After != nil && !affectsHolders(change.Event.Changes) {
		return nil // nobody's rights and nobody's choices are touched
	}
	change.Assignments = now.Assignments
	im := impact{caller: sc.Caller, before: before, after: change.After, oldCatalogue: now.Catalogue,
		newCatalogue: now.Catalogue.Without(before)}
	if change.After != nil {
		im.newCatalogue = now.Catalogue.Replace(*change.After)
	} else {
		im.referrers = referrersOf(now.Catalogue, before)
	}
	if change.After != nil && !slices.Contains(kindsWithRights(), before.Kind) {
		return nil // whoever names it keeps it, locked or not
	}
	im.cache = map[string]accountImpact{}
	for _, h := range s.HolderSources {
		if err := h.VisitHolders(ctx, now.Env, before.Kind, im.addHolder); err != nil {
			return err
		}
	}
	return im.conflict()
}

// kindsWithRights are the kinds of which accounts hold codes that decide what they may do.
func kindsWithRights() []catalogue.Kind {
	return []catalogue.Kind{catalogue.Licence, catalogue.Role, catalogue.Group}
}

// affectsHolders reports whether a change of an entry matters to those who hold its code or will.
func affectsHolders(changes []field.Diff) bool {
	return slices.ContainsFunc(changes, func(d field.Diff) bool {
		return slices.Contains([]string{"active", "permissions", "roles", "groups", "apiOnly"}, d.Field)
	})
}

// guardAdministrators lets only administrators change what administrators hold their right by.
func guardAdministrators(sc access.Scope, c *catalogue.Catalogue, change Change) error {
	if sc.Caller.May(access.AccountAdmin) || (change.After != nil && !affectsHolders(change.Event.Changes)) ||
		!grantedBy(c, *change.Before).Has(access.AccountAdmin) {
		return nil
	}
	return fault.New(fault.Forbidden, "administrator",
		"The %s %s gives administrators their rights; only an administrator can change it.",
		kindName(change.Before.Kind), change.Before.Code)
}

// aboveOwnRights refuses permissions that a change of a role or group would newly give, and that the caller does not
// hold (V61).
func aboveOwnRights(sc access.Scope, c *catalogue.Catalogue, before *Entry, after Entry) []fault.Field {
	granted := grantedBy(c, after)
	if before != nil && (before.Active || !after.Active) {
		for had := range grantedBy(c, *before) {
			delete(granted, had)
		}
	}
	beyond := sc.Caller.Permissions.Missing(granted)
	if len(beyond) == 0 {
		return nil
	}
	words := make([]string, len(beyond))
	for i, permission := range beyond {
		words[i] = string(permission)
	}
	return []fault.Field{{
		Field: grantingField(before, after), Code: "aboveOwnRights",
		Message: "This would give permissions that you do not hold yourself: " + strings.Join(words, ", ") + ".",
	}}
}

// grantingField is the field by which an entry gives more than it did.
func grantingField(before *Entry, after Entry) string {
	switch {
	case before != nil && after.Active && !before.Active:
		return "active"
	case after.Kind == catalogue.Role:
		return "permissions"
	case before != nil && slices.Equal(before.Roles, after.Roles):
		return "groups"
	}
	return "roles"
}

// grantedBy returns the permissions that a role or a group gives to those who hold it, as if it were active.
func grantedBy(c *catalogue.Catalogue, e Entry) access.Set {
	e.Active = true
	with := c.Replace(e)
	switch e.Kind {
	case catalogue.Role:
		return access.Permissions(with, []string{e.Code}, nil)
	case catalogue.Group:
		return access.Permissions(with, nil, []string{e.Code})
	}
	return access.Set{}
}
