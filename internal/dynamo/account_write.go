package dynamo

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/credential"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
)

// maxLoginKeys is how many login keys an account can have: its email and its username.
const maxLoginKeys = 2

// Write implements account.Store.
func (s Accounts) Write(ctx context.Context, env environment.Environment, w account.Write) error {
	for attempt := 1; ; attempt++ {
		tx, err := s.TransactionItems(env.ID, w, 0)
		if err != nil {
			return err
		}
		tx = append(tx,
			counterItems(s.Table, env.ID, env.CatalogueVersion, ruleDependencyOf(assignsCodes(w), w.CallerEpoch),
				w.SeatChanges())...)
		err = s.Transact(ctx, tx.Items())
		var cancelled *table.CancelledError
		if !errors.As(err, &cancelled) {
			return err
		}
		i := cancelled.Failed()
		current := cancelled.Reasons[i].Item
		if attempt <= maxLoginKeys && table.Bool(current, schema.AttrTombstone) && current[schema.AttrImage] == nil {
			// An import released the identifier. If that import is committed, the key is only left over and can go. A
			// tombstone of an account stays for the undo that set it, which finds the account's other items by its
			// row.
			if freed, err := s.deleteReleasedKey(ctx, env, current); err != nil || freed {
				if err != nil {
					return err
				}
				continue
			}
		}
		return tx[i].Conflict(current)
	}
}

// deleteReleasedKey deletes a login key that a committed import released, and reports whether it did.
func (s Accounts) deleteReleasedKey(ctx context.Context, env environment.Environment, it table.Item) (bool, error) {
	head, err := s.Get(ctx, schema.HeadKey(env.ID))
	if err != nil {
		return false, err
	}
	now, err := schema.EnvironmentOf(env.ID, head)
	if err != nil || !now.Imports.Sees(table.Int(it, schema.AttrImportID)) {
		return false, err
	}
	_, err = s.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &s.Name, Key: table.Item{"PK": it["PK"], "SK": it["SK"]},
		ConditionExpression:       aws.String("attribute_not_exists(PK) OR (gone = :yes AND imp = :imp)"),
		ExpressionAttributeValues: table.Item{":yes": table.BOOL(true), ":imp": it[schema.AttrImportID]},
	})
	freed, _, err := table.ConditionHeld(err)
	return freed, err
}

// keyTransfers are the identifiers that an import moves from one account to another: those that the account takes,
// with the ids of their previous owners, and those that it gives up to others.
type keyTransfers struct {
	takes  map[string]string
	leaves []string
}

// TransactionItems returns the items of a write. importID is the import that stages the write, 0 for a write that
// counts at once.
func (s Accounts) TransactionItems(env string, w account.Write, importID int64) (table.Transaction, error) {
	return s.stagedItems(env, w, importID, keyTransfers{})
}

// stagedItems returns the items of a write by an import that may move identifiers between accounts.
func (s Accounts) stagedItems(
	env string, w account.Write, importID int64, transfers keyTransfers,
) (table.Transaction, error) {
	if w.Before == nil {
		return s.createItems(env, w, importID, transfers)
	}
	if w.Tombstone {
		return s.tombstoneItems(env, w, importID, transfers), nil
	}
	if w.Before.Stored.Pending && w.Before.DirectoryKey() != w.After.DirectoryKey() {
		// A rollback finds what the import staged by the username.
		return nil, fault.New(fault.Conflict, "busy",
			"An import is changing this account. Try again in a moment.").WithRetryAfter(2 * time.Second)
	}
	var tx table.Transaction
	s.addRowUpdate(&tx, env, w, importID)
	s.addLoginKeyChanges(&tx, env, w, importID, transfers)
	s.addAnchorUpdate(&tx, w, importID)
	if w.NeverUsed {
		tx = append(tx, s.neverHadKey(w.After))
	}
	event, err := schema.Event(w.After.ID, w.Event)
	if err != nil {
		return nil, err
	}
	if importID != 0 {
		event[schema.AttrImportID] = table.N(importID)
	}
	tx.Put(s.Table, event, schema.ConcurrentChange)
	if w.Before.Stored.Pending {
		tx = append(tx, table.Update(abortImport(s.Table, env, w.Before.Stored.Import, w.Event.By), schema.ConcurrentChange))
	}
	if w.CallerEpoch != 0 {
		tx = append(tx, s.callerUnchanged(w.Event.ByID, w.CallerEpoch))
	}
	if importID != 0 {
		return tx, nil // an import sends no mails, and what it removes is only hidden until it is committed
	}
	if w.DropFactors {
		removeFactors(s.Table, &tx, w.After.ID)
	}
	if w.PasswordHistory != nil {
		tx = append(tx, passwordHistoryItem(s.Table, w.After.ID, w.PasswordHistory))
	}
	more, err := s.passwordItems(env, w)
	return append(tx, more...), err
}

func (s Accounts) createItems(
	env string, w account.Write, importID int64, transfers keyTransfers,
) (table.Transaction, error) {
	a := w.After
	row, username := schema.RowKey(env, a.DirectoryKey()), a.DirectoryKey()
	it := table.Item{"PK": table.S(row.PK), "SK": table.S(row.SK), schema.AttrID: table.S(a.ID),
		schema.AttrImage: table.M(schema.AccountImage(a)), schema.AttrTries: table.N(0)}
	if a.PasswordHash != "" {
		it[schema.AttrHash] = table.S(a.PasswordHash)
	}
	born, err := creationItem(w.Event)
	if err != nil {
		return nil, err
	}
	anchor := schema.AnchorKey(a.ID)
	anchored := table.Item{
		"PK": table.S(anchor.PK), "SK": table.S(anchor.SK), schema.AttrID: table.S(a.ID), "env": table.S(env),
		"row":            table.S(username),
		schema.AttrImage: table.M(schema.AnchorImage(a.Anchor())), schema.AttrCreation: table.M(born),
	}
	if importID != 0 {
		it[schema.AttrImportID], anchored[schema.AttrImportID] = table.N(importID), table.N(importID)
	}
	var tx table.Transaction
	tx.Put(s.Table, it, identifierTaken("username"))
	for _, identifier := range a.LoginKeys() {
		s.addKeyClaim(&tx, env, identifier, a, importID, transfers)
	}
	tx.Put(s.Table, anchored, schema.ConcurrentChange)
	return tx, nil
}

// creationItem is the account's first event, which its anchor keeps.
func creationItem(e auditlog.Event) (table.Item, error) {
	e.Changes = nil
	it, err := schema.Event("", e)
	delete(it, "PK")
	delete(it, "SK")
	delete(it, "ttl") // it is kept as long as the account
	return it, err
}

func loginKeyItem(env, identifier string, a account.Account, importID int64) table.Item {
	k := schema.LoginKey(env, identifier)
	it := table.Item{"PK": table.S(k.PK), "SK": table.S(k.SK), schema.AttrID: table.S(a.ID),
		"row": table.S(a.DirectoryKey())}
	if a.Stored.Networks != nil {
		it[schema.AttrNetworks] = schema.NetworksItem(a.Stored.Networks.WithoutTries())
	}
	if importID != 0 {
		it[schema.AttrImportID] = table.N(importID)
	}
	return it
}

// addKeyClaim claims an identifier: one that is free, or one that the import moves from an account that gives it up.
// In the second case the key names both accounts, and the reader's snapshot decides which of them it leads to.
func (s Accounts) addKeyClaim(
	tx *table.Transaction, env, identifier string, a account.Account, importID int64, transfers keyTransfers,
) {
	previousOwner, takes := transfers.takes[identifier]
	if !takes {
		tx.Put(s.Table, loginKeyItem(env, identifier, a, importID), identifierTaken(identifierField(a, identifier)))
		return
	}
	*tx = append(*tx, table.Update(&types.Update{
		TableName: &s.Name, Key: schema.LoginKey(env, identifier).Attributes(),
		UpdateExpression: aws.String(
			"SET wasId = id, wasRow = #row, id = :id, #row = :row, imp = :import REMOVE nets"),
		ConditionExpression:      aws.String("id = :former AND attribute_not_exists(gone)"),
		ExpressionAttributeNames: map[string]string{"#row": "row"},
		ExpressionAttributeValues: table.Item{
			":id": table.S(a.ID), ":row": table.S(a.DirectoryKey()), ":import": table.N(importID),
			":former": table.S(previousOwner),
		},
	}, schema.ConcurrentChange))
}

func identifierField(a account.Account, identifier string) string {
	if email, ok := account.Normalise(a.Email); ok && email == identifier {
		return "email"
	}
	return "username"
}

// identifierTaken is the conflict of an identifier that another account has, in any spelling, as a username or as an
// email (C08).
func identifierTaken(name string) func(table.Item) error {
	return func(current table.Item) error {
		if current[schema.AttrImage] != nil && table.Bool(current, schema.AttrTombstone) {
			return undoInProgress()
		}
		message := "Another account has this as its username or email, perhaps in another spelling. Choose another username."
		if name == "email" {
			message = "Another account has this as its email or username, perhaps in another spelling. Choose another email."
		}
		return fault.New(fault.Conflict, "taken", "%s",
			message).WithFields(fault.Field{Field: name, Code: "taken", Message: message})
	}
}

// rowUnchanged is the condition that a row is still as the write read it.
func rowUnchanged(a *account.Account, values table.Item) string {
	values[":seen"] = table.N(a.Stored.Version)
	if a.Stored.Import == 0 {
		return "v.version = :seen AND attribute_not_exists(imp)"
	}
	values[":imp"] = table.N(a.Stored.Import)
	return "v.version = :seen AND imp = :imp"
}

// neverHadKey is the condition that no API key was ever made for an account.
func (s Accounts) neverHadKey(a account.Account) table.Op {
	return table.Op{Write: types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
		TableName: &s.Name, Key: schema.APIKeyCountKey(a.ID).Attributes(),
		ConditionExpression: aws.String("attribute_not_exists(PK)"),
	}}, Conflict: func(table.Item) error { return credential.Used(a.Username) }}
}

// providersUnchanged is the condition that a row still has the identity providers that it was read with.
func providersUnchanged(a *account.Account, values table.Item) string {
	if len(a.LinkedProviders) == 0 {
		return " AND attribute_not_exists(signOn)"
	}
	values[":signOn"] = table.SS(a.LinkedProviders)
	return " AND signOn = :signOn"
}

func (s Accounts) addRowUpdate(tx *table.Transaction, env string, w account.Write, importID int64) {
	before, after := w.Before, w.After
	values := table.Item{}
	condition := rowUnchanged(before, values)
	if before.DirectoryKey() != after.DirectoryKey() {
		s.addRowMove(tx, env, w, condition, values)
		return
	}
	if w.RequireSameProviders || w.NeverUsed {
		condition += providersUnchanged(before, values)
	}
	values[":v"] = table.M(schema.AccountImage(after))
	set, remove := "SET v = :v", " REMOVE "+importAttributes
	if importID != 0 {
		set, remove = stageImage(before.Stored.Import, before.Stored.HasPrevious), ""
		values[":import"] = table.N(importID)
	}
	drop := func(name string) {
		if remove == "" {
			remove = " REMOVE " + name
		} else {
			remove += ", " + name
		}
	}
	switch {
	case importID != 0: // the image says whether there is a password; an import sets none
	case after.PasswordHash == "":
		drop(schema.AttrHash)
		drop(schema.AttrHashExpires)
		drop(schema.AttrHashSetAt)
		drop(schema.AttrHashByMail)
	case after.PasswordHash != before.PasswordHash:
		set += ", pw = :pw"
		values[":pw"] = table.S(after.PasswordHash)
		if after.PasswordChangedAt.IsZero() {
			drop(schema.AttrHashSetAt)
		} else {
			set += ", pwAt = :pwAt"
			values[":pwAt"] = table.Timestamp(after.PasswordChangedAt)
		}
		if after.PasswordByMail {
			set += ", pwMail = :yes"
			values[":yes"] = table.BOOL(true)
		} else {
			drop(schema.AttrHashByMail)
		}
		if hasTemporaryPassword(after) {
			set += ", pwEnds = :ends"
			values[":ends"] = table.Timestamp(after.PasswordExpires)
		} else {
			drop(schema.AttrHashExpires)
		}
	}
	if w.ClearTries {
		set += ", tries = :none"
		values[":none"] = table.N(0)
		drop(schema.AttrBlockedAt)
	}
	*tx = append(*tx, table.Update(&types.Update{
		TableName: &s.Name, Key: schema.RowKey(env, after.DirectoryKey()).Attributes(),
		UpdateExpression: aws.String(set + remove), ConditionExpression: &condition, ExpressionAttributeValues: values,
	}, schema.ConcurrentChange))
}

// hasTemporaryPassword reports whether the account's password expires: one that an administrator set, until the
// person has chosen their own.
func hasTemporaryPassword(a account.Account) bool {
	return a.ForcePasswordChange && !a.PasswordExpires.IsZero()
}

// addRowMove renames an account: the row is deleted and written at its new key, if its tries and password are as they
// were read.
func (s Accounts) addRowMove(tx *table.Transaction, env string, w account.Write, condition string, values table.Item) {
	before, after := w.Before, w.After
	values[":tries"] = table.N(before.FailedTries)
	condition += " AND tries = :tries" + providersUnchanged(before, values)
	if before.PasswordExpires.IsZero() {
		condition += " AND attribute_not_exists(pwEnds)"
	} else {
		condition += " AND pwEnds = :ends" // a sign-in may bring it forward
		values[":ends"] = table.Timestamp(before.PasswordExpires)
	}
	*tx = append(*tx, table.Delete(&types.Delete{
		TableName: &s.Name, Key: schema.RowKey(env, before.DirectoryKey()).Attributes(),
		ConditionExpression: &condition, ExpressionAttributeValues: values,
	}, schema.ConcurrentChange))
	row := schema.RowKey(env, after.DirectoryKey())
	it := table.Item{
		"PK": table.S(row.PK), "SK": table.S(row.SK), schema.AttrID: table.S(after.ID),
		schema.AttrImage: table.M(schema.AccountImage(after)),
		schema.AttrTries: table.N(after.FailedTries),
	}
	if after.PasswordHash != "" {
		it[schema.AttrHash] = table.S(after.PasswordHash)
	}
	if !after.PasswordExpires.IsZero() {
		it[schema.AttrHashExpires] = table.Timestamp(after.PasswordExpires)
	}
	if after.PasswordByMail {
		it[schema.AttrHashByMail] = table.BOOL(true)
	}
	if !after.PasswordChangedAt.IsZero() {
		it[schema.AttrHashSetAt] = table.Timestamp(after.PasswordChangedAt)
	}
	if !after.TriesBlockedAt.IsZero() {
		it[schema.AttrBlockedAt] = table.Timestamp(after.TriesBlockedAt)
	}
	if !after.LastLogin.IsZero() {
		it[schema.AttrLastLogin] = table.Timestamp(after.LastLogin)
	}
	if before.Stored.Networks != nil {
		it[schema.AttrNetworks] = schema.NetworksItem(before.Stored.Networks)
	}
	if len(after.LinkedProviders) > 0 {
		it[schema.AttrProviders] = table.SS(after.LinkedProviders)
	}
	tx.Put(s.Table, it, identifierTaken("username"))
}

// addLoginKeyChanges claims the new identifiers, releases the old ones, and points the others at a row that moved.
func (s Accounts) addLoginKeyChanges(
	tx *table.Transaction, env string, w account.Write, importID int64, transfers keyTransfers,
) {
	had, has := w.Before.LoginKeys(), w.After.LoginKeys()
	moved := w.Before.DirectoryKey() != w.After.DirectoryKey()
	for _, identifier := range has {
		switch {
		case !slices.Contains(had, identifier):
			s.addKeyClaim(tx, env, identifier, w.After, importID, transfers)
		case moved:
			// This also discards what an import staged of the key: its rollback would find no row that leads here.
			*tx = append(*tx,
				s.loginKeyUpdate(env, identifier, w.After.ID, "SET #row = :row REMOVE gone, imp, wasId, wasRow",
					table.Item{":row": table.S(w.After.DirectoryKey())}))
		}
	}
	for _, identifier := range had {
		if slices.Contains(has, identifier) || slices.Contains(transfers.leaves, identifier) {
			continue
		}
		if importID != 0 {
			*tx = append(*tx,
				s.loginKeyUpdate(env, identifier, w.After.ID, "SET gone = :yes, imp = :import REMOVE wasId, wasRow",
					table.Item{":yes": table.BOOL(true), ":import": table.N(importID)}))
			continue
		}
		*tx = append(*tx, table.Delete(&types.Delete{
			TableName: &s.Name, Key: schema.LoginKey(env, identifier).Attributes(),
			ConditionExpression:       aws.String(ownedOrTransferred),
			ExpressionAttributeValues: table.Item{":id": table.S(w.After.ID)},
		}, schema.ConcurrentChange))
	}
}

// ownedOrTransferred is the condition that a key is an account's, also while an import moves it to another. The
// import then starts again.
const ownedOrTransferred = "(id = :id OR wasId = :id)"

func (s Accounts) loginKeyUpdate(env, identifier, id, update string, values table.Item) table.Op {
	values[":id"] = table.S(id)
	u := &types.Update{
		TableName: &s.Name, Key: schema.LoginKey(env, identifier).Attributes(), UpdateExpression: &update,
		ConditionExpression: aws.String("id = :id"), ExpressionAttributeValues: values,
	}
	if _, ok := values[":row"]; ok {
		u.ExpressionAttributeNames = map[string]string{"#row": "row"}
	}
	return table.Update(u, schema.ConcurrentChange)
}

func (s Accounts) addAnchorUpdate(tx *table.Transaction, w account.Write, importID int64) {
	before, after := w.Before.Anchor(), w.After.Anchor()
	same := before.Username == after.Username && before.Epoch == after.Epoch && before.DateFrom == after.DateFrom &&
		before.DateTo == after.DateTo && slices.Equal(before.Roles, after.Roles) &&
		slices.Equal(before.Groups, after.Groups) &&
		before.UserType == after.UserType && before.Active == after.Active && before.AccessLocked == after.AccessLocked &&
		before.Name == after.Name && slices.Equal(before.DACGroups, after.DACGroups) && before.Resource == after.Resource
	if same && !w.Before.Stored.Pending {
		return
	}
	values := table.Item{":v": table.M(schema.AnchorImage(after)), ":row": table.S(w.After.DirectoryKey())}
	update := "SET v = :v, #row = :row REMOVE " + importAttributes
	if importID != 0 {
		update = "SET was = v, v = :v, imp = :import, #row = :row"
		values[":import"] = table.N(importID)
	}
	*tx = append(*tx, table.Update(&types.Update{
		TableName: &s.Name, Key: schema.AnchorKey(after.ID).Attributes(), UpdateExpression: &update,
		ConditionExpression: aws.String("attribute_exists(PK)"), ExpressionAttributeValues: values,
		ExpressionAttributeNames: map[string]string{"#row": "row"},
	}, schema.ConcurrentChange))
}

// removeFactors removes the account's whole second factor, including what is pending.
func removeFactors(t *table.Table, tx *table.Transaction, accountID string) {
	for _, k := range []table.Key{
		schema.FactorKey(accountID), schema.RecoveryCodesKey(accountID), schema.PendingTOTPKey(accountID),
		schema.PendingPasskeyKey(accountID),
		schema.MailCodeKey(accountID),
	} {
		*tx = append(*tx, table.Delete(&types.Delete{TableName: &t.Name, Key: k.Attributes()}, schema.ConcurrentChange))
	}
}

// callerUnchanged makes a write fail if the caller's own access was ended meanwhile.
func (s Accounts) callerUnchanged(id string, epoch int64) table.Op {
	return table.Check(&types.ConditionCheck{
		TableName: &s.Name, Key: schema.AnchorKey(id).Attributes(), ConditionExpression: aws.String("v.epoch = :epoch"),
		ExpressionAttributeValues: table.Item{":epoch": table.N(epoch)},
	}, func(table.Item) error {
		return fault.New(fault.Unauthenticated, "session", "Your own access has ended. Sign in again.")
	})
}
