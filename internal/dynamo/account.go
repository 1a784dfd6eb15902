package dynamo

import (
	"cmp"
	"context"
	"slices"

	"useraccounts/internal/account"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/journal"
)

// Accounts keeps accounts: directory row, login keys, anchor and events.
type Accounts struct {
	*Table
}

var _ account.Store = Accounts{}

// Attributes of a directory row besides its image. A row, an anchor or a login key that an import wrote has the import's
// number, and the former image where there was one.
const (
	attrImage  = "v"
	attrFormer = "was"
	attrImport = "imp"
	attrID     = "id"
	attrHash   = "pw"
	// attrHashEnds is when a temporary password stops signing in.
	attrHashEnds = "pwEnds"
	// attrHashSet is when the password was set.
	attrHashSet = "pwAt"
	attrTries   = "tries"
	attrBlocked = "blockedAt"
	attrLogin   = "lastLogin"
	attrGone    = "gone"
	attrBorn    = "born"
	// attrFormerID and attrFormerRow are whose a login key was before an import handed it on.
	attrFormerID  = "wasId"
	attrFormerRow = "wasRow"
	// attrSignOn is the set of providers that the account is linked to.
	attrSignOn = "signOn"
	// attrImport0 and attrFormer0 are the import that wrote the row before the one that writes it now, and the image before
	// that: for where the latter is taken back.
	attrImport0 = "imp0"
	attrFormer0 = "was0"

	// imageBare marks an image without a password. The hash itself is beside the images, because sign-ins must not wait for
	// imports; an import that takes the password away does so by its image alone, and thus unseen.
	imageBare = "bare"
	// imageDevices is the account's device epoch.
	imageDevices = "devices"
)

// imageOf returns the image of the account as its row stores it.
func imageOf(a account.Account) item {
	image := fromPlain(account.Fields().Image(&a))
	image["version"], image["epoch"] = num(a.Version), num(a.Epoch)
	if a.DeviceEpoch != 0 {
		image[imageDevices] = num(a.DeviceEpoch)
	}
	if a.PasswordHash == "" {
		image[imageBare] = yes(true)
	}
	return image
}

// accountOf reads an account from its row, in the image of that age; there is no account if that one is missing.
func accountOf(it item, is age) (account.Account, bool) {
	image := imageIn(it, is)
	if image == nil {
		return account.Account{}, false
	}
	a := account.Account{
		ID: text(it, attrID), Version: number(image, "version"), Epoch: number(image, "epoch"), DeviceEpoch: number(image, imageDevices),
		PasswordHash: text(it, attrHash), PasswordExpires: instant(it, attrHashEnds), PasswordChangedAt: instant(it, attrHashSet), FailedTries: number(it, attrTries),
		TriesBlockedAt: instant(it, attrBlocked), TriedAt: instant(it, attrTried), LastLogin: instant(it, attrLogin),
	}
	if flag(image, imageBare) {
		a.PasswordHash = ""
	}
	account.Fields().SetImage(&a, toPlain(image))
	a.SignOn = textSet(it, attrSignOn)
	a.Stored = account.Revision{
		Version: number(within(it, attrImage), "version"), Import: number(it, attrImport), BlockedAt: a.TriesBlockedAt,
		Former: within(it, attrFormer) != nil,
	}
	return a, true
}

// age says which image of an item is meant.
type age int

const (
	newest  age = iota
	former      // before the import that wrote it
	earlier     // before the import before that
)

// asSeen returns the age of the image that a reader with that snapshot sees. A second import may stage over what one wrote that
// was committed since the snapshot was taken: such a reader sees neither.
func asSeen(imports environment.Snapshot, it item) age {
	switch {
	case imports.Sees(number(it, attrImport)):
		return newest
	case imports.Sees(number(it, attrImport0)):
		return former
	}
	return earlier
}

// imageIn returns an image of an item, nil where there is none: an import that takes something away leaves its image, marked
// as gone.
func imageIn(it item, is age) item {
	switch {
	case is == former:
		return within(it, attrFormer)
	case is == earlier:
		return within(it, attrFormer0)
	case flag(it, attrGone):
		return nil
	}
	return within(it, attrImage)
}

// seenNow is asSeen for a reader of one item: what an import wrote counts if it is committed by now, so the environment is read
// again where its snapshot does not know the import yet.
func (t *Table) seenNow(ctx context.Context, env environment.Environment, it item) (age, error) {
	if is := asSeen(env.Imports, it); is == newest {
		return is, nil
	}
	head, err := t.get(ctx, headKey(env.ID))
	if err != nil {
		return newest, err
	}
	now, err := headOf(env.ID, head)
	return asSeen(now.Imports, it), err
}

// current returns the account that a row holds for a reader of one item.
func (t *Table) current(ctx context.Context, env environment.Environment, it item) (account.Account, bool, error) {
	is, err := t.seenNow(ctx, env, it)
	if err != nil {
		return account.Account{}, false, err
	}
	a, ok := accountOf(it, is)
	a.Stored.Pending = is != newest
	return a, ok, nil
}

func notFound() error {
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
			return account.Account{}, notFound()
		}
		it, err := s.get(ctx, rowKey(env.ID, text(anchor, "row")))
		if err != nil {
			return account.Account{}, err
		}
		if it == nil || text(it, attrID) != id {
			continue
		}
		a, ok, err := s.current(ctx, env, it)
		if err != nil {
			return account.Account{}, err
		}
		if !ok {
			return account.Account{}, notFound()
		}
		return a, nil
	}
	return account.Account{}, notFound()
}

// Page implements account.Store: one strongly consistent query in most cases, judged by the snapshot in env, which
// must have been taken before.
func (s Accounts) Page(ctx context.Context, env environment.Environment, after string, limit int) ([]account.Account, string, error) {
	out := make([]account.Account, 0, limit)
	for {
		items, more, err := s.query(ctx, page{pk: directoryPK(env.ID), after: after, limit: int32(limit - len(out))}) //nolint:gosec // limits are small
		if err != nil {
			return nil, "", err
		}
		for _, it := range items {
			if a, ok := accountOf(it, asSeen(env.Imports, it)); ok {
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
func (s Accounts) EventsSince(ctx context.Context, env environment.Environment, id string, version int64) ([]journal.Event, error) {
	var out []journal.Event
	newest, older := version, false
	p := page{pk: accountPK(id), prefix: eventSK, backwards: true, limit: 50}
	for {
		items, more, err := s.query(ctx, p)
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			event := eventOf(it)
			switch {
			case event.Version == 0 || event.Subject != "" || !env.Imports.Sees(number(it, attrImport)):
			case event.Version <= version:
				older = true
			default:
				out, newest = append(out, event), max(newest, event.Version)
			}
		}
		if !more || older && int64(len(out)) == newest-version {
			slices.SortFunc(out, func(a, b journal.Event) int { return cmp.Compare(a.Version, b.Version) })
			return out, nil
		}
		p.after = text(items[len(items)-1], "SK")
	}
}

// anchorImage is what an anchor stores of an account.
func anchorImage(a account.Anchor) item {
	out := item{
		"username": str(a.Username), "epoch": num(a.Epoch), "dateFrom": str(string(a.DateFrom)), "userType": str(a.UserType),
		"active": yes(a.Active), "locked": yes(a.AccessLocked),
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
func anchorOf(it item, is age) (account.Anchor, bool) {
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
