package dynamo

import (
	"cmp"
	"context"
	"slices"

	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// Accounts keeps accounts: directory row, login keys, anchor and events.
type Accounts struct {
	*Table
}

var _ account.Store = Accounts{}

// Attributes of a directory row besides its image. A row, an anchor or a login key that an import wrote has the
// import's number, and the former image where there was one.
const (
	attrImage    = "v"
	attrPrevious = "was"
	attrImportID = "imp"
	attrID       = "id"
	attrHash     = "pw"
	// attrHashExpires is when a temporary password stops signing in.
	attrHashExpires = "pwEnds"
	// attrHashSetAt is when the password was set.
	attrHashSetAt = "pwAt"
	attrTries     = "tries"
	attrBlockedAt = "blockedAt"
	attrLastLogin = "lastLogin"
	attrTombstone = "gone"
	attrCreation  = "born"
	// attrPreviousID and attrPreviousRow are whose a login key was before an import handed it on.
	attrPreviousID  = "wasId"
	attrPreviousRow = "wasRow"
	// attrProviders is the set of providers that the account is linked to.
	attrProviders = "signOn"
	// attrPreviousImportID and attrOldest are the import that wrote the row before the one that writes it now, and the
	// image before that: for where the latter is taken back.
	attrPreviousImportID = "imp0"
	attrOldest           = "was0"

	// imageNoPassword marks an image without a password. The hash itself is beside the images, because sign-ins must not
	// wait for imports; an import that takes the password away does so by its image alone, and thus unseen.
	imageNoPassword = "bare"
	// imageDeviceEpoch is the account's device epoch.
	imageDeviceEpoch = "devices"
)

// imageOf returns the image of the account as its row stores it.
func imageOf(a account.Account) item {
	image := fromPlain(account.Fields().Image(&a))
	image["version"], image["epoch"] = num(a.Version), num(a.Epoch)
	if a.DeviceEpoch != 0 {
		image[imageDeviceEpoch] = num(a.DeviceEpoch)
	}
	if a.PasswordHash == "" {
		image[imageNoPassword] = boolean(true)
	}
	return image
}

// accountOf reads an account from its row, in the image of that age; there is no account if that one is missing.
func accountOf(it item, is generation) (account.Account, bool) {
	image := imageIn(it, is)
	if image == nil {
		return account.Account{}, false
	}
	a := account.Account{
		ID: text(it, attrID), Version: number(image, "version"), Epoch: number(image, "epoch"),
		DeviceEpoch:  number(image, imageDeviceEpoch),
		PasswordHash: text(it, attrHash), PasswordExpires: instant(it, attrHashExpires),
		PasswordChangedAt: instant(it, attrHashSetAt), FailedTries: number(it, attrTries),
		TriesBlockedAt: instant(it, attrBlockedAt), LastTryAt: instant(it, attrLastTry),
		LastLogin: instant(it, attrLastLogin),
	}
	if flag(image, imageNoPassword) {
		a.PasswordHash = ""
	}
	account.Fields().SetImage(&a, toPlain(image))
	a.LinkedProviders = textSet(it, attrProviders)
	a.Stored = account.Revision{
		Version: number(nestedMap(it, attrImage), "version"), Import: number(it, attrImportID), BlockedAt: a.TriesBlockedAt,
		HasPrevious: nestedMap(it, attrPrevious) != nil,
	}
	return a, true
}

// generation says which image of an item is meant.
type generation int

const (
	newest   generation = iota
	previous            // before the import that wrote it
	oldest              // before the import before that
)

// visibleAt returns the age of the image that a reader with that snapshot sees. A second import may stage over what one
// wrote that was committed since the snapshot was taken: such a reader sees neither.
func visibleAt(imports environment.Snapshot, it item) generation {
	switch {
	case imports.Sees(number(it, attrImportID)):
		return newest
	case imports.Sees(number(it, attrPreviousImportID)):
		return previous
	}
	return oldest
}

// imageIn returns an image of an item, nil where there is none: an import that takes something away leaves its image,
// marked as gone.
func imageIn(it item, is generation) item {
	switch {
	case is == previous:
		return nestedMap(it, attrPrevious)
	case is == oldest:
		return nestedMap(it, attrOldest)
	case flag(it, attrTombstone):
		return nil
	}
	return nestedMap(it, attrImage)
}

// visibleNow is visibleAt for a reader of one item: what an import wrote counts if it is committed by now, so the
// environment is read again where its snapshot does not know the import yet.
func (t *Table) visibleNow(ctx context.Context, env environment.Environment, it item) (generation, error) {
	if is := visibleAt(env.Imports, it); is == newest {
		return is, nil
	}
	head, err := t.get(ctx, headKey(env.ID))
	if err != nil {
		return newest, err
	}
	now, err := headOf(env.ID, head)
	return visibleAt(now.Imports, it), err
}

// currentAccount returns the account that a row holds for a reader of one item.
func (t *Table) currentAccount(ctx context.Context, env environment.Environment, it item) (account.Account, bool,
	error) {
	is, err := t.visibleNow(ctx, env, it)
	if err != nil {
		return account.Account{}, false, err
	}
	a, ok := accountOf(it, is)
	a.Stored.Pending = is != newest
	return a, ok, nil
}

func accountNotFound() error {
	return fault.New(fault.NotFound, "notFound", "There is no such account.")
}

// Account implements account.Store.
func (s Accounts) Account(ctx context.Context, env environment.Environment, id string) (account.Account, error) {
	// A rename between the two reads moves the row; the second round then finds it.
	for range 3 {
		anchor, err := s.get(ctx, anchorKey(id))
		if err != nil {
			return account.Account{}, err
		}
		if anchor == nil || text(anchor, "env") != env.ID {
			return account.Account{}, accountNotFound()
		}
		it, err := s.get(ctx, rowKey(env.ID, text(anchor, "row")))
		if err != nil {
			return account.Account{}, err
		}
		if it == nil || text(it, attrID) != id {
			continue
		}
		a, ok, err := s.currentAccount(ctx, env, it)
		if err != nil {
			return account.Account{}, err
		}
		if !ok {
			return account.Account{}, accountNotFound()
		}
		return a, nil
	}
	return account.Account{}, accountNotFound()
}

// Page implements account.Store: one strongly consistent query in most cases, judged by the snapshot in env, which
// must have been taken before.
func (s Accounts) Page(ctx context.Context, env environment.Environment, after string, limit int) ([]account.Account,
	string, error) {
	out := make([]account.Account, 0, limit)
	for {
		items, more,
			err := s.query(ctx,
			pageQuery{pk: directoryPK(env.ID), after: after, limit: int32(limit - len(out))}) //nolint:gosec // limits are small
		if err != nil {
			return nil, "", err
		}
		for _, it := range items {
			if a, ok := accountOf(it, visibleAt(env.Imports, it)); ok {
				out = append(out, a)
			}
			after = text(it, "SK")
		}
		if !more {
			return out, "", nil
		}
		if len(out) >= limit {
			return out, after, nil
		}
	}
}

// EventsSince implements account.Store. An import's event has the place of its job, which is older than the versions it
// made, so a page is read to its end before the walk stops.
func (s Accounts) EventsSince(ctx context.Context, env environment.Environment, id string,
	version int64) ([]auditlog.Event, error) {
	var out []auditlog.Event
	newest, older := version, false
	p := pageQuery{pk: accountPK(id), prefix: eventSK, backwards: true, limit: 50}
	for {
		items, more, err := s.query(ctx, p)
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			event := eventOf(it)
			switch {
			case event.Version == 0 || event.Subject != "" || !env.Imports.Sees(number(it, attrImportID)):
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
		p.after = text(items[len(items)-1], "SK")
	}
}

// anchorImage is what an anchor stores of an account.
func anchorImage(a account.Anchor) item {
	out := item{
		"username": str(a.Username), "epoch": num(a.Epoch), "dateFrom": str(string(a.DateFrom)), "userType": str(a.UserType),
		"active": boolean(a.Active), "locked": boolean(a.AccessLocked),
	}
	if a.DateTo != "" {
		out["dateTo"] = str(string(a.DateTo))
	}
	if len(a.Roles) > 0 {
		out["roles"] = list(a.Roles)
	}
	if len(a.Groups) > 0 {
		out["groups"] = list(a.Groups)
	}
	return out
}

// anchorOf reads an anchor, in the image of that age.
func anchorOf(it item, is generation) (account.Anchor, bool) {
	image := imageIn(it, is)
	if image == nil {
		return account.Anchor{}, false
	}
	return account.Anchor{
		ID: text(it, attrID), Username: text(image, "username"), Epoch: number(image, "epoch"),
		DateFrom: field.Date(text(image, "dateFrom")), DateTo: field.Date(text(image, "dateTo")),
		Roles: texts(image, "roles"), Groups: texts(image, "groups"),
		UserType: text(image, "userType"), Active: flag(image, "active"), AccessLocked: flag(image, "locked"),
	}, true
}
