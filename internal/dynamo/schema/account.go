package schema

import (
	"errors"

	"useraccounts/internal/account"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
	"useraccounts/internal/field"
)

// Attributes of a directory row besides its image. A row, an anchor or a login key that an import wrote has the
// import's number, and the former image where there was one.
const (
	AttrImage    = "v"
	AttrPrevious = "was"
	AttrImportID = "imp"
	AttrID       = "id"
	AttrHash     = "pw"
	// AttrHashExpires is when a temporary password stops signing in.
	AttrHashExpires = "pwEnds"
	// AttrHashSetAt is when the password was set.
	AttrHashSetAt = "pwAt"
	AttrTries     = "tries"
	AttrBlockedAt = "blockedAt"
	AttrLastTry   = "tried"
	AttrLastLogin = "lastLogin"
	AttrTombstone = "gone"
	AttrCreation  = "born"
	// AttrPreviousID and AttrPreviousRow are whose a login key was before an import handed it on.
	AttrPreviousID  = "wasId"
	AttrPreviousRow = "wasRow"
	// AttrProviders is the set of providers that the account is linked to.
	AttrProviders = "signOn"
	// AttrPreviousImportID and AttrOldest are the import that wrote the row before the one that writes it now, and the
	// image before that: for where the latter is taken back.
	AttrPreviousImportID = "imp0"
	AttrOldest           = "was0"

	// imageNoPassword marks an image without a password. The hash itself is beside the images, because sign-ins must not
	// wait for imports; an import that takes the password away does so by its image alone, and thus unseen.
	imageNoPassword = "bare"
	// imageDeviceEpoch is the account's device epoch.
	imageDeviceEpoch = "devices"
)

// AccountImage returns the image of the account as its row stores it.
func AccountImage(a account.Account) table.Item {
	image := table.FromPlain(account.Fields().Image(&a))
	image["version"], image["epoch"] = table.N(a.Version), table.N(a.Epoch)
	if a.DeviceEpoch != 0 {
		image[imageDeviceEpoch] = table.N(a.DeviceEpoch)
	}
	if a.PasswordHash == "" {
		image[imageNoPassword] = table.BOOL(true)
	}
	return image
}

// AccountOf reads an account from its row, in the image of that age; there is no account if that one is missing.
func AccountOf(it table.Item, is Generation) (account.Account, bool) {
	image := ImageOf(it, is)
	if image == nil {
		return account.Account{}, false
	}
	a := account.Account{
		ID: table.String(it, AttrID), Version: table.Int(image, "version"), Epoch: table.Int(image, "epoch"),
		DeviceEpoch:  table.Int(image, imageDeviceEpoch),
		PasswordHash: table.String(it, AttrHash), PasswordExpires: table.Time(it, AttrHashExpires),
		PasswordChangedAt: table.Time(it, AttrHashSetAt), FailedTries: table.Int(it, AttrTries),
		TriesBlockedAt: table.Time(it, AttrBlockedAt), LastTryAt: table.Time(it, AttrLastTry),
		LastLogin: table.Time(it, AttrLastLogin),
	}
	if table.Bool(image, imageNoPassword) {
		a.PasswordHash = ""
	}
	account.Fields().SetImage(&a, table.ToPlain(image))
	a.LinkedProviders = table.StringSet(it, AttrProviders)
	a.Stored = account.Revision{
		Version: table.Int(table.Map(it, AttrImage), "version"), Import: table.Int(it, AttrImportID),
		BlockedAt:   a.TriesBlockedAt,
		HasPrevious: table.Map(it, AttrPrevious) != nil,
	}
	return a, true
}

// Generation says which image of an item is meant.
type Generation int

const (
	Newest   Generation = iota
	Previous            // before the import that wrote it
	Oldest              // before the import before that
)

// VisibleAt returns the age of the image that a reader with that snapshot sees. A second import may stage over what one
// wrote that was committed since the snapshot was taken: such a reader sees neither.
func VisibleAt(imports environment.Snapshot, it table.Item) Generation {
	switch {
	case imports.Sees(table.Int(it, AttrImportID)):
		return Newest
	case imports.Sees(table.Int(it, AttrPreviousImportID)):
		return Previous
	}
	return Oldest
}

// ImageOf returns an image of an item, nil where there is none: an import that takes something away leaves its image,
// marked as gone.
func ImageOf(it table.Item, is Generation) table.Item {
	switch {
	case is == Previous:
		return table.Map(it, AttrPrevious)
	case is == Oldest:
		return table.Map(it, AttrOldest)
	case table.Bool(it, AttrTombstone):
		return nil
	}
	return table.Map(it, AttrImage)
}

// AnchorImage is what an anchor stores of an account.
func AnchorImage(a account.Anchor) table.Item {
	out := table.Item{
		"username": table.S(a.Username), "epoch": table.N(a.Epoch), "dateFrom": table.S(string(a.DateFrom)),
		"userType": table.S(a.UserType),
		"active":   table.BOOL(a.Active), "locked": table.BOOL(a.AccessLocked),
	}
	if a.DateTo != "" {
		out["dateTo"] = table.S(string(a.DateTo))
	}
	if len(a.Roles) > 0 {
		out["roles"] = table.L(a.Roles)
	}
	if len(a.Groups) > 0 {
		out["groups"] = table.L(a.Groups)
	}
	return out
}

// AnchorOf reads an anchor, in the image of that age.
func AnchorOf(it table.Item, is Generation) (account.Anchor, bool) {
	image := ImageOf(it, is)
	if image == nil {
		return account.Anchor{}, false
	}
	return account.Anchor{
		ID: table.String(it, AttrID), Username: table.String(image, "username"), Epoch: table.Int(image, "epoch"),
		DateFrom: field.Date(table.String(image, "dateFrom")), DateTo: field.Date(table.String(image, "dateTo")),
		Roles: table.Strings(image, "roles"), Groups: table.Strings(image, "groups"),
		UserType: table.String(image, "userType"), Active: table.Bool(image, "active"),
		AccessLocked: table.Bool(image, "locked"),
	}, true
}

// LoginKeyTarget returns the directory key that a login key leads to, and whose it is. An import marks a key it takes
// with gone and a key it makes without; unseen, the first still leads and the second does not yet. One that it hands on
// leads to the former owner.
func LoginKeyTarget(it table.Item, visible bool) (row, owner string) {
	if former := table.String(it, AttrPreviousRow); former != "" && !visible {
		return former, table.String(it, AttrPreviousID)
	}
	if table.Bool(it, AttrTombstone) == visible && it[AttrImportID] != nil {
		return "", ""
	}
	return table.String(it, "row"), table.String(it, AttrID)
}

func ConcurrentChange(table.Item) error { return account.ErrConcurrentChange }

func AsConcurrentChange(err error) error {
	var cancelled *table.CancelledError
	if errors.As(err, &cancelled) {
		return account.ErrConcurrentChange
	}
	return err
}
