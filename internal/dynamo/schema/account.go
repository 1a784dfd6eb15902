package schema

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/account"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
	"useraccounts/internal/field"
)

// Attributes of a directory row besides its image. A row, an anchor or a login key that an import wrote has the
// import's number, and the previous image if there was one.
const (
	// AttrImage is the newest image, AttrPrevious the one before it, AttrImportID the import that wrote the newest.
	AttrImage    = "v"
	AttrPrevious = "was"
	AttrImportID = "imp"
	// AttrTombstone marks what an import takes away. The image stays until the import is committed and cleared up.
	AttrTombstone = "gone"
	// AttrPreviousImportID and AttrOldest are the import that wrote the row before the current one, and the image before
	// that. A rollback of the current import restores from them.
	AttrPreviousImportID = "imp0"
	AttrOldest           = "was0"

	// AttrID is the account's id, or that of whatever else the item is.
	AttrID   = "id"
	AttrHash = "pw"
	// AttrHashExpires is when a temporary password stops signing in.
	AttrHashExpires = "pwEnds"
	// AttrHashSetAt is when the password was set.
	AttrHashSetAt = "pwAt"
	// AttrHashByMail marks a password that was reset with a mailed link.
	AttrHashByMail = "pwMail"
	// AttrTries counts the failures in a row; AttrBlockedAt is when they blocked the account.
	AttrTries     = "tries"
	AttrBlockedAt = "blockedAt"
	AttrLastTry   = "tried"
	AttrLastLogin = "lastLogin"
	// AttrCreation is the first event of an account, on its anchor.
	AttrCreation = "born"
	// AttrPreviousID and AttrPreviousRow are the owner of a login key before an import transferred it.
	AttrPreviousID  = "wasId"
	AttrPreviousRow = "wasRow"
	// AttrNetworks are the networks that the account is known to sign in from. Its login keys have a copy without tries,
	// so that the read that finds the account tells where an attempt is counted.
	AttrNetworks = "nets"
	// AttrProviders is the set of providers that the account is linked to.
	AttrProviders = "signOn"

	// attrDay is the day of the last sign-in from a network.
	attrDay = "day"
	// imageNoPassword marks an image without a password. The hash itself is beside the images, because sign-ins must not
	// wait for imports; an import that takes the password away does so by its image alone, and thus unseen.
	imageNoPassword = "bare"
	// AttrBlockKind is why login access is blocked; images that an earlier release wrote do not have it.
	AttrBlockKind = "blockKind"
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
	if a.BlockKind != "" {
		image[AttrBlockKind] = table.S(string(a.BlockKind))
	}
	if a.PasswordHash == "" {
		image[imageNoPassword] = table.BOOL(true)
	}
	return image
}

// AccountOf reads an account from its row, in one generation of its image; false if the row has none of it.
func AccountOf(it table.Item, is Generation) (account.Account, bool) {
	image := ImageOf(it, is)
	if image == nil {
		return account.Account{}, false
	}
	a := account.Account{
		ID: table.String(it, AttrID), Version: table.Int(image, "version"), Epoch: table.Int(image, "epoch"),
		DeviceEpoch:  table.Int(image, imageDeviceEpoch),
		PasswordHash: table.String(it, AttrHash), PasswordExpires: table.Time(it, AttrHashExpires),
		PasswordChangedAt: table.Time(it, AttrHashSetAt), PasswordByMail: table.Bool(it, AttrHashByMail),
		FailedTries:    table.Int(it, AttrTries),
		TriesBlockedAt: table.Time(it, AttrBlockedAt), LastTryAt: table.Time(it, AttrLastTry),
		LastLogin: table.Time(it, AttrLastLogin),
	}
	if table.Bool(image, imageNoPassword) {
		a.PasswordHash = ""
	}
	account.Fields().SetImage(&a, table.ToPlain(image))
	a.BlockKind = BlockKindOf(image, a)
	a.LinkedProviders = table.StringSet(it, AttrProviders)
	a.Stored = account.Revision{
		Version: table.Int(table.Map(it, AttrImage), "version"), Import: table.Int(it, AttrImportID),
		BlockedAt:   a.TriesBlockedAt,
		HasPrevious: table.Map(it, AttrPrevious) != nil,
		Networks:    NetworksOf(it),
	}
	return a, true
}

// NetworksOf reads the known networks from a row or a login key.
func NetworksOf(it table.Item) account.Networks {
	stored := table.Map(it, AttrNetworks)
	if stored == nil {
		return nil
	}
	out := account.Networks{}
	for network, use := range stored {
		if m, ok := use.(*types.AttributeValueMemberM); ok {
			out[network] = account.NetworkUse{Day: field.Date(table.String(m.Value, attrDay)),
				Tries: table.Int(m.Value, AttrTries)}
		}
	}
	return out
}

// NetworkItem is what a row stores of one known network.
func NetworkItem(use account.NetworkUse) types.AttributeValue {
	return table.M(table.Item{attrDay: table.S(string(use.Day)), AttrTries: table.N(use.Tries)})
}

// NetworksItem is what a row stores of all of them.
func NetworksItem(networks account.Networks) types.AttributeValue {
	out := table.Item{}
	for network, use := range networks {
		out[network] = NetworkItem(use)
	}
	return table.M(out)
}

// BlockKindOf returns the kind of an account's block from its image. a has the other fields of the block.
func BlockKindOf(image table.Item, a account.Account) account.BlockKind {
	if kind := table.String(image, AttrBlockKind); kind != "" {
		return account.BlockKind(kind)
	}
	return a.LegacyBlockKind()
}

// Generation is one of the images of an item, as in a database with several versions of a row.
type Generation int

const (
	// Newest is what the last writer wrote.
	Newest Generation = iota
	// Previous is the image before the import that wrote the newest.
	Previous
	// Oldest is the image before the import before that.
	Oldest
)

// VisibleAt returns the generation that a reader with that snapshot sees. A second import may stage over what one wrote
// that was committed since the snapshot was taken: such a reader sees neither.
func VisibleAt(imports environment.Snapshot, it table.Item) Generation {
	switch {
	case imports.Sees(table.Int(it, AttrImportID)):
		return Newest
	case imports.Sees(table.Int(it, AttrPreviousImportID)):
		return Previous
	}
	return Oldest
}

// ImageOf returns one generation of an item's image, nil if there is none. An item with a tombstone has no newest one.
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
	if a.Name != "" {
		out["name"] = table.S(a.Name)
	}
	if len(a.DACGroups) > 0 {
		out["dacGroups"] = table.L(a.DACGroups)
	}
	if a.Resource != "" {
		out["resource"] = table.S(a.Resource)
	}
	return out
}

// AnchorOf reads an anchor, in one generation of its image; false if there is none of it.
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
		Name:         table.String(image, "name"), DACGroups: table.Strings(image, "dacGroups"),
		Resource: table.String(image, "resource"),
	}, true
}

// LoginKeyTarget returns the directory key that a login key leads to, and the account's id. visible says whether the
// reader sees the import that wrote the key last. Until it does, a key that the import releases still leads to its
// account, one that it creates leads nowhere, and one that it transfers leads to its previous owner.
func LoginKeyTarget(it table.Item, visible bool) (row, owner string) {
	if former := table.String(it, AttrPreviousRow); former != "" && !visible {
		return former, table.String(it, AttrPreviousID)
	}
	if table.Bool(it, AttrTombstone) == visible && it[AttrImportID] != nil {
		return "", ""
	}
	return table.String(it, "row"), table.String(it, AttrID)
}

// ConcurrentChange is what a condition on an account means that does not hold.
func ConcurrentChange(table.Item) error { return account.ErrConcurrentChange }

// AsConcurrentChange turns the error of a transaction whose conditions did not hold into account.ErrConcurrentChange.
func AsConcurrentChange(err error) error {
	var cancelled *table.CancelledError
	if errors.As(err, &cancelled) {
		return account.ErrConcurrentChange
	}
	return err
}
