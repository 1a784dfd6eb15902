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
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/mfa"
)

// op is one item of a write and what it means if its condition does not hold.
type op struct {
	write    types.TransactWriteItem
	conflict func(current item) error
}

// transaction collects the items of one transaction.
type transaction []op

func (p transaction) items() []types.TransactWriteItem {
	out := make([]types.TransactWriteItem, len(p))
	for i := range p {
		out[i] = p[i].write
	}
	return out
}

func (p *transaction) put(t *Table, it item, refused func(item) error) {
	*p = append(*p, op{types.TransactWriteItem{Put: &types.Put{
		TableName: &t.Name, Item: it, ConditionExpression: aws.String("attribute_not_exists(PK)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}, refused})
}

// maxLoginKeys is how many login keys an account can have: its email and its username.
const maxLoginKeys = 2

func concurrentChange(item) error { return account.ErrConcurrentChange }

// Write implements account.Store.
func (s Accounts) Write(ctx context.Context, env environment.Environment, w account.Write) error {
	for attempt := 1; ; attempt++ {
		p, err := s.transactionItems(env.ID, w, 0)
		if err != nil {
			return err
		}
		p = append(p,
			s.counterItems(env.ID, env.CatalogueVersion, ruleDependencyOf(assignsCodes(w), w.CallerEpoch), w.SeatChanges())...)
		err = s.transact(ctx, p.items())
		var cancelled *cancelledError
		if !errors.As(err, &cancelled) {
			return err
		}
		i := cancelled.failed()
		current := cancelled.reasons[i].Item
		if attempt <= maxLoginKeys && flag(current, attrTombstone) && current[attrImage] == nil {
			// An import took the identifier from its account; if that import is committed the key is only left over. An account
			// itself is left to the sweep of its undo, which finds the rest of it by its row.
			if freed, err := s.deleteReleasedKey(ctx, env, current); err != nil || freed {
				if err != nil {
					return err
				}
				continue
			}
		}
		return p[i].conflict(current)
	}
}

// deleteReleasedKey deletes a login key that a committed import released, and reports whether it is gone.
func (s Accounts) deleteReleasedKey(ctx context.Context, env environment.Environment, it item) (bool, error) {
	head, err := s.get(ctx, headKey(env.ID))
	if err != nil {
		return false, err
	}
	now, err := headOf(env.ID, head)
	if err != nil || !now.Imports.Sees(number(it, attrImportID)) {
		return false, err
	}
	_, err = s.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &s.Name, Key: item{"PK": it["PK"], "SK": it["SK"]},
		ConditionExpression:       aws.String("attribute_not_exists(PK) OR (gone = :yes AND imp = :imp)"),
		ExpressionAttributeValues: item{":yes": boolean(true), ":imp": it[attrImportID]},
	})
	freed, _, err := conditionHeld(err)
	return freed, err
}

// keyTransfers says which identifiers change hands within an import: those that the account takes from others, with the
// ids of those, and those that others take from it.
type keyTransfers struct {
	takes  map[string]string
	leaves []string
}

// transactionItems returns the items of a write. mark is the number of the import that stages it, 0 for a write that
// counts at once.
func (s Accounts) transactionItems(env string, w account.Write, importID int64) (transaction, error) {
	return s.stagedItems(env, w, importID, keyTransfers{})
}

// stagedItems returns the items of a write of an import in which identifiers change hands.
func (s Accounts) stagedItems(env string, w account.Write, importID int64, transfers keyTransfers) (transaction,
	error) {
	if w.Before == nil {
		return s.createItems(env, w, importID, transfers)
	}
	if w.Tombstone {
		return s.tombstoneItems(env, w, importID, transfers), nil
	}
	if w.Before.Stored.Pending && w.Before.DirectoryKey() != w.After.DirectoryKey() {
		// What the import staged is found again by the username when it is taken back.
		return nil, fault.New(fault.Conflict, "busy",
			"An import is changing this account just now; try again in a moment.").WithRetryAfter(2 * time.Second)
	}
	var p transaction
	s.addRowUpdate(&p, env, w, importID)
	s.addLoginKeyChanges(&p, env, w, importID, transfers)
	s.addAnchorUpdate(&p, env, w, importID)
	event, err := eventItem(w.After.ID, w.Event)
	if err != nil {
		return nil, err
	}
	if importID != 0 {
		event[attrImportID] = num(importID)
	}
	p.put(s.Table, event, concurrentChange)
	if w.Before.Stored.Pending {
		p = append(p, op{s.abortImport(env, w.Before.Stored.Import, w.Event.By), concurrentChange})
	}
	if w.CallerEpoch != 0 {
		p = append(p, s.callerUnchanged(w.Event.ByID, w.CallerEpoch))
	}
	if importID != 0 {
		return p, nil // an import tells nobody, and what it takes away is only unseen until it is committed
	}
	if w.DropFactors {
		if err := s.addFactorChange(&p, w.After.ID, mfa.Change{RemoveAll: true}); err != nil {
			return nil, err
		}
	}
	if w.PasswordHistory != nil {
		p = append(p, s.passwordHistoryItem(w.After.ID, w.PasswordHistory))
	}
	more, err := s.passwordItems(env, w)
	return append(p, more...), err
}

func (s Accounts) createItems(env string, w account.Write, importID int64, transfers keyTransfers) (transaction,
	error) {
	a := w.After
	row, username := rowKey(env, a.DirectoryKey()), a.DirectoryKey()
	it := item{"PK": str(row.pk), "SK": str(row.sk), attrID: str(a.ID), attrImage: mapValue(imageOf(a)), attrTries: num(0)}
	if a.PasswordHash != "" {
		it[attrHash] = str(a.PasswordHash)
	}
	born, err := creationItem(w.Event)
	if err != nil {
		return nil, err
	}
	anchor := anchorKey(a.ID)
	anchored := item{
		"PK": str(anchor.pk), "SK": str(anchor.sk), attrID: str(a.ID), "env": str(env), "row": str(username),
		attrImage: mapValue(anchorImage(a.Anchor())), attrCreation: mapValue(born),
	}
	if importID != 0 {
		it[attrImportID], anchored[attrImportID] = num(importID), num(importID)
	}
	var p transaction
	p.put(s.Table, it, identifierTaken("username"))
	for _, identifier := range a.LoginKeys() {
		s.addKeyClaim(&p, env, identifier, a, importID, transfers)
	}
	p.put(s.Table, anchored, concurrentChange)
	return p, nil
}

// creationItem is the birth record that an anchor keeps: the log's first line.
func creationItem(e auditlog.Event) (item, error) {
	e.Changes = nil
	it, err := eventItem("", e)
	delete(it, "PK")
	delete(it, "SK")
	delete(it, "ttl") // it lives as long as the account
	return it, err
}

func loginKeyItem(env, identifier string, a account.Account, importID int64) item {
	k := loginKey(env, identifier)
	it := item{"PK": str(k.pk), "SK": str(k.sk), attrID: str(a.ID), "row": str(a.DirectoryKey())}
	if importID != 0 {
		it[attrImportID] = num(importID)
	}
	return it
}

// addKeyClaim claims an identifier: one that is free, or that the import takes from an account which gives it up. The
// key then names both, and who is led to follows from whether the import counts.
func (s Accounts) addKeyClaim(p *transaction, env, identifier string, a account.Account, importID int64,
	transfers keyTransfers) {
	previousOwner, takes := transfers.takes[identifier]
	if !takes {
		p.put(s.Table, loginKeyItem(env, identifier, a, importID), identifierTaken(identifierField(a, identifier)))
		return
	}
	*p = append(*p, op{types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: loginKey(env, identifier).attributes(),
		UpdateExpression:         aws.String("SET wasId = id, wasRow = #row, id = :id, #row = :row, imp = :mark"),
		ConditionExpression:      aws.String("id = :former AND attribute_not_exists(gone)"),
		ExpressionAttributeNames: map[string]string{"#row": "row"},
		ExpressionAttributeValues: item{
			":id": str(a.ID), ":row": str(a.DirectoryKey()), ":mark": num(importID), ":former": str(previousOwner),
		},
	}}, concurrentChange})
}

func identifierField(a account.Account, identifier string) string {
	if email, ok := account.Normalise(a.Email); ok && email == identifier {
		return "email"
	}
	return "username"
}

// identifierTaken is the conflict of an identifier that is another account's, in any spelling, as a username or as an
// email (C08).
func identifierTaken(name string) func(item) error {
	return func(current item) error {
		if current[attrImage] != nil && flag(current, attrTombstone) {
			return undoInProgress()
		}
		message := "This username is taken, as a username or an email, perhaps in another spelling; choose another."
		if name == "email" {
			message = "This email is taken, as an email or a username, perhaps in another spelling; use another."
		}
		return fault.New(fault.Conflict, "taken", "%s",
			message).WithFields(fault.Field{Field: name, Code: "taken", Message: message})
	}
}

// rowUnchanged is the condition that a row is as the write read it.
func rowUnchanged(a *account.Account, values item) string {
	values[":seen"] = num(a.Stored.Version)
	if a.Stored.Import == 0 {
		return "v.version = :seen AND attribute_not_exists(imp)"
	}
	values[":imp"] = num(a.Stored.Import)
	return "v.version = :seen AND imp = :imp"
}

// providersUnchanged is the condition that a row has the links that it was read with.
func providersUnchanged(a *account.Account, values item) string {
	if len(a.LinkedProviders) == 0 {
		return " AND attribute_not_exists(signOn)"
	}
	values[":signOn"] = &types.AttributeValueMemberSS{Value: a.LinkedProviders}
	return " AND signOn = :signOn"
}

func (s Accounts) addRowUpdate(p *transaction, env string, w account.Write, importID int64) {
	before, after := w.Before, w.After
	values := item{}
	condition := rowUnchanged(before, values)
	if before.DirectoryKey() != after.DirectoryKey() {
		s.addRowMove(p, env, w, condition, values)
		return
	}
	if w.RequireSameProviders {
		condition += providersUnchanged(before, values)
	}
	values[":v"] = mapValue(imageOf(after))
	set, remove := "SET v = :v", " REMOVE "+importAttributes
	if importID != 0 {
		set, remove = stageImage(before.Stored.Import, before.Stored.HasPrevious), ""
		values[":mark"] = num(importID)
	}
	drop := func(name string) {
		if remove == "" {
			remove = " REMOVE " + name
		} else {
			remove += ", " + name
		}
	}
	switch {
	case importID != 0: // the image says whether there is a password; an import gives none
	case after.PasswordHash == "":
		drop(attrHash)
		drop(attrHashExpires)
		drop(attrHashSetAt)
	case after.PasswordHash != before.PasswordHash:
		set += ", pw = :pw"
		values[":pw"] = str(after.PasswordHash)
		if after.PasswordChangedAt.IsZero() {
			drop(attrHashSetAt)
		} else {
			set += ", pwAt = :pwAt"
			values[":pwAt"] = timestamp(after.PasswordChangedAt)
		}
		if hasTemporaryPassword(after) {
			set += ", pwEnds = :ends"
			values[":ends"] = timestamp(after.PasswordExpires)
		} else {
			drop(attrHashExpires)
		}
	}
	if w.ClearTries {
		set += ", tries = :none"
		values[":none"] = num(0)
		drop(attrBlockedAt)
	}
	*p = append(*p, op{types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: rowKey(env, after.DirectoryKey()).attributes(),
		UpdateExpression: aws.String(set + remove), ConditionExpression: &condition, ExpressionAttributeValues: values,
	}}, concurrentChange})
}

// hasTemporaryPassword reports whether the account's password expires: one that an administrator gave, until the person
// has chosen their own.
func hasTemporaryPassword(a account.Account) bool {
	return a.ForcePasswordChange && !a.PasswordExpires.IsZero()
}

// addRowMove renames: the row leaves its place and appears at the new one, with its tries as read or not at all.
func (s Accounts) addRowMove(p *transaction, env string, w account.Write, condition string, values item) {
	before, after := w.Before, w.After
	values[":tries"] = num(before.FailedTries)
	condition += " AND tries = :tries" + providersUnchanged(before, values)
	if before.PasswordExpires.IsZero() {
		condition += " AND attribute_not_exists(pwEnds)"
	} else {
		condition += " AND pwEnds = :ends" // which a sign-in may bring forward
		values[":ends"] = timestamp(before.PasswordExpires)
	}
	*p = append(*p, op{types.TransactWriteItem{Delete: &types.Delete{
		TableName: &s.Name, Key: rowKey(env, before.DirectoryKey()).attributes(),
		ConditionExpression: &condition, ExpressionAttributeValues: values,
	}}, concurrentChange})
	row := rowKey(env, after.DirectoryKey())
	it := item{
		"PK": str(row.pk), "SK": str(row.sk), attrID: str(after.ID), attrImage: mapValue(imageOf(after)),
		attrTries: num(after.FailedTries),
	}
	if after.PasswordHash != "" {
		it[attrHash] = str(after.PasswordHash)
	}
	if !after.PasswordExpires.IsZero() {
		it[attrHashExpires] = timestamp(after.PasswordExpires)
	}
	if !after.PasswordChangedAt.IsZero() {
		it[attrHashSetAt] = timestamp(after.PasswordChangedAt)
	}
	if !after.TriesBlockedAt.IsZero() {
		it[attrBlockedAt] = timestamp(after.TriesBlockedAt)
	}
	if !after.LastLogin.IsZero() {
		it[attrLastLogin] = timestamp(after.LastLogin)
	}
	if len(after.LinkedProviders) > 0 {
		it[attrProviders] = &types.AttributeValueMemberSS{Value: after.LinkedProviders}
	}
	p.put(s.Table, it, identifierTaken("username"))
}

// addLoginKeyChanges claims the identifiers that are new, releases those that are gone, and points the rest at a moved
// row.
func (s Accounts) addLoginKeyChanges(p *transaction, env string, w account.Write, importID int64,
	transfers keyTransfers) {
	had, has := w.Before.LoginKeys(), w.After.LoginKeys()
	moved := w.Before.DirectoryKey() != w.After.DirectoryKey()
	for _, identifier := range has {
		switch {
		case !slices.Contains(had, identifier):
			s.addKeyClaim(p, env, identifier, w.After, importID, transfers)
		case moved:
			// What an import staged of the key is overtaken with the rest: its taking back finds no row any more that would lead
			// here.
			*p = append(*p,
				s.loginKeyUpdate(env, identifier, w.After.ID, "SET #row = :row REMOVE gone, imp, wasId, wasRow",
					item{":row": str(w.After.DirectoryKey())}))
		}
	}
	for _, identifier := range had {
		if slices.Contains(has, identifier) || slices.Contains(transfers.leaves, identifier) {
			continue
		}
		if importID != 0 {
			*p = append(*p,
				s.loginKeyUpdate(env, identifier, w.After.ID, "SET gone = :yes, imp = :mark REMOVE wasId, wasRow",
					item{":yes": boolean(true), ":mark": num(importID)}))
			continue
		}
		*p = append(*p, op{types.TransactWriteItem{Delete: &types.Delete{
			TableName: &s.Name, Key: loginKey(env, identifier).attributes(),
			ConditionExpression: aws.String(ownedOrTransferred), ExpressionAttributeValues: item{":id": str(w.After.ID)},
		}}, concurrentChange})
	}
}

// ownedOrTransferred is the condition that a key is an account's, also while an import hands it on, which has then been
// overtaken.
const ownedOrTransferred = "(id = :id OR wasId = :id)"

func (s Accounts) loginKeyUpdate(env, identifier, id, update string, values item) op {
	values[":id"] = str(id)
	u := &types.Update{
		TableName: &s.Name, Key: loginKey(env, identifier).attributes(), UpdateExpression: &update,
		ConditionExpression: aws.String("id = :id"), ExpressionAttributeValues: values,
	}
	if _, ok := values[":row"]; ok {
		u.ExpressionAttributeNames = map[string]string{"#row": "row"}
	}
	return op{types.TransactWriteItem{Update: u}, concurrentChange}
}

func (s Accounts) addAnchorUpdate(p *transaction, env string, w account.Write, importID int64) {
	before, after := w.Before.Anchor(), w.After.Anchor()
	same := before.Username == after.Username && before.Epoch == after.Epoch && before.DateFrom == after.DateFrom &&
		before.DateTo == after.DateTo && slices.Equal(before.Roles, after.Roles) &&
		slices.Equal(before.Groups, after.Groups) &&
		before.UserType == after.UserType && before.Active == after.Active && before.AccessLocked == after.AccessLocked
	if same && !w.Before.Stored.Pending {
		return
	}
	values := item{":v": mapValue(anchorImage(after)), ":row": str(w.After.DirectoryKey())}
	update := "SET v = :v, #row = :row REMOVE " + importAttributes
	if importID != 0 {
		update = "SET was = v, v = :v, imp = :mark, #row = :row"
		values[":mark"] = num(importID)
	}
	*p = append(*p, op{types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: anchorKey(after.ID).attributes(), UpdateExpression: &update,
		ConditionExpression: aws.String("attribute_exists(PK)"), ExpressionAttributeValues: values,
		ExpressionAttributeNames: map[string]string{"#row": "row"},
	}}, concurrentChange})
}

// callerUnchanged makes a write depend on the caller's own access not having been ended meanwhile.
func (s Accounts) callerUnchanged(id string, epoch int64) op {
	return op{types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
		TableName: &s.Name, Key: anchorKey(id).attributes(), ConditionExpression: aws.String("v.epoch = :epoch"),
		ExpressionAttributeValues: item{":epoch": num(epoch)},
	}}, func(item) error {
		return fault.New(fault.Unauthenticated, "session", "Your own access was ended meanwhile; sign in again.")
	}}
}
