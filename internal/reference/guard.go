package reference

import (
	"context"
	"slices"

	"useraccounts/internal/access"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// checkImpact refuses a change for its impact on others: it must not take permissions from administrators, leave no
// administrator, put accounts outside their licence, or delete a code that is in use. If the result depends on who has
// codes, the change says so in Assignments.
func (s *Service) checkImpact(ctx context.Context, sc access.Scope, now Current, change *Change) error {
	before := *change.Before
	if err := guardAdministrators(sc, now.Catalogue, *change); err != nil {
		return err
	}
	if err := permissionsInUse(now.Catalogue, *change); err != nil {
		return err
	}
	if change.After != nil && !affectsHolders(change.Event.Changes) {
		return nil // it changes nobody's permissions, and nothing that can be chosen
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
		return nil // whoever has it keeps it, locked or not
	}
	im.cache = map[string]accountImpact{}
	for _, h := range s.HolderSources {
		if err := h.VisitHolders(ctx, now.Env, before.Kind, im.addHolder); err != nil {
			return err
		}
	}
	return im.conflict()
}

// kindsWithRights are the kinds of codes that decide what accounts may do.
func kindsWithRights() []catalogue.Kind {
	return []catalogue.Kind{catalogue.Licence, catalogue.Role, catalogue.Group}
}

// affectsHolders reports whether a change matters to those who have the code, or will have it.
func affectsHolders(changes []field.Diff) bool {
	return slices.ContainsFunc(changes, func(d field.Diff) bool {
		return slices.Contains([]string{"active", "permissions", "roles", "groups", "apiOnly"}, d.Field)
	})
}

// guardAdministrators lets only administrators change a role or group that makes administrators.
func guardAdministrators(sc access.Scope, c *catalogue.Catalogue, change Change) error {
	if sc.Caller.May(access.AccountAdmin) || (change.After != nil && !affectsHolders(change.Event.Changes)) ||
		!grantedBy(c, *change.Before).Has(access.AccountAdmin) {
		return nil
	}
	return fault.New(fault.Forbidden, "administrator",
		"The %s %s makes administrators; only an administrator can change it.",
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
	missing := access.AboveOwnRights(c, sc.Caller, granted)
	if len(missing) == 0 {
		return nil
	}
	return []fault.Field{{
		Field: grantingField(before, after), Code: "aboveOwnRights",
		Message: "This would give permissions that you do not hold: " + access.Join(missing) + ".",
	}}
}

// grantingField is the field by which an entry gives more than before.
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

// grantedBy returns the permissions that a role or a group gives, as if it were active.
func grantedBy(c *catalogue.Catalogue, e Entry) access.Set {
	e.Active = true
	with := c.Replace(e)
	switch e.Kind {
	case catalogue.Role:
		return access.Permissions(with, []string{e.Code}, nil)
	case catalogue.Group:
		return access.Permissions(with, nil, []string{e.Code})
	default:
		return access.Set{}
	}
}
