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
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/journal"
	"useraccounts/internal/mfa"
)

// part is one item of a write and what it means if its condition does not hold.
type part struct {
	write   types.TransactWriteItem
	refused func(current item) error
}

// parts collects the items of one transaction.
type parts []part

func (p parts) items() []types.TransactWriteItem {
	out := make([]types.TransactWriteItem, len(p))
	for i := range p {
		out[i] = p[i].write
	}
	return out
}

func (p *parts) put(t *Table, it item, refused func(item) error) {
	*p = append(*p, part{types.TransactWriteItem{Put: &types.Put{
		TableName: &t.Name, Item: it, ConditionExpression: aws.String("attribute_not_exists(PK)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}, refused})
}

// identifiers is how many login keys an account can have: its email and its username.
const identifiers = 2

func raced(item) error { return account.ErrRaced }

// Write implements account.Store.
func (s Accounts) Write(ctx context.Context, env environment.Environment, w account.Write) error {
	for attempt := 1; ; attempt++ {
		p, err := s.plan(env.ID, w, 0)
		if err != nil {
			return err
		}
		p = append(p, s.atCounters(env.ID, env.CatalogueVersion, rulesFor(givesCodes(w), w.CallerEpoch), w.SeatChanges())...)
		err = s.transact(ctx, p.items())
		var cancelled *errCancelled
		if !errors.As(err, &cancelled) {
			return err
		}
		i := cancelled.failed()
		current := cancelled.reasons[i].Item
		if attempt <= identifiers && flag(current, attrGone) && current[attrImage] == nil {
			// An import took the identifier from its account; if that import is committed the key is only left over. An account
			// itself is left to the sweep of its undo, which finds the rest of it by its row.
			if freed, err := s.free(ctx, env, current); err != nil || freed {
				if err != nil {
					return err
				}
				continue
			}
		}
		return p[i].refused(current)
	}
}

// free deletes a login key that a committed import released, and reports whether it is gone.
func (s Accounts) free(ctx context.Context, env environment.Environment, it item) (bool, error) {
	head, err := s.get(ctx, headKey(env.ID))
	if err != nil {
		return false, err
	}
	now, err := headOf(env.ID, head)
	if err != nil || !now.Imports.Sees(number(it, attrImport)) {
		return false, err
	}
	_, err = s.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &s.Name, Key: item{"PK": it["PK"], "SK": it["SK"]},
		ConditionExpression:       aws.String("attribute_not_exists(PK) OR (gone = :yes AND imp = :imp)"),
		ExpressionAttributeValues: item{":yes": yes(true), ":imp": it[attrImport]},
	})
	freed, _, err := conditionHeld(err)
	return freed, err
}

// handed says which identifiers change hands within an import: those that the account takes from others, with the ids of
// those, and those that others take from it.
type handed struct {
	takes  map[string]string
	leaves []string
}

// plan returns the items of a write. mark is the number of the import that stages it, 0 for a write that counts at once.
func (s Accounts) plan(env string, w account.Write, mark int64) (parts, error) {
	return s.planHanded(env, w, mark, handed{})
}

// planHanded returns the items of a write of an import in which identifiers change hands.
func (s Accounts) planHanded(env string, w account.Write, mark int64, hand handed) (parts, error) {
	if w.Before == nil {
		return s.planCreate(env, w, mark, hand)
	}
	if w.Gone {
		return s.planGone(env, w, mark, hand), nil
	}
	if w.Before.Stored.Pending && w.Before.DirectoryKey() != w.After.DirectoryKey() {
		// What the import staged is found again by the username when it is taken back.
		return nil, fault.New(fault.Conflict, "busy", "An import is changing this account just now; try again in a moment.").After(2 * time.Second)
	}
	var p parts
	s.planRow(&p, env, w, mark)
	s.planKeys(&p, env, w, mark, hand)
	s.planAnchor(&p, env, w, mark)
	event, err := eventItem(w.After.ID, w.Event)
	if err != nil {
		return nil, err
	}
	if mark != 0 {
		event[attrImport] = num(mark)
	}
	p.put(s.Table, event, raced)
	if w.Before.Stored.Pending {
		p = append(p, part{s.doom(env, w.Before.Stored.Import, w.Event.By), raced})
	}
	if w.CallerEpoch != 0 {
		p = append(p, s.callerUnchanged(w.Event.ByID, w.CallerEpoch))
	}
	if mark != 0 {
		return p, nil // an import tells nobody, and what it takes away is only unseen until it is committed
	}
	if w.DropFactors {
		if err := s.planFactors(&p, w.After.ID, mfa.Change{Drop: true}); err != nil {
			return nil, err
		}
	}
	if w.Former != nil {
		p = append(p, s.formerPart(w.After.ID, w.Former))
	}
	more, err := s.passwordParts(env, w)
	return append(p, more...), err
}

func (s Accounts) planCreate(env string, w account.Write, mark int64, hand handed) (parts, error) {
	a := w.After
	row, username := rowKey(env, a.DirectoryKey()), a.DirectoryKey()
	it := item{"PK": str(row.pk), "SK": str(row.sk), attrID: str(a.ID), attrImage: nested(imageOf(a)), attrTries: num(0)}
	if a.PasswordHash != "" {
		it[attrHash] = str(a.PasswordHash)
	}
	born, err := bornOf(w.Event)
	if err != nil {
		return nil, err
	}
	anchor := anchorKey(a.ID)
	anchored := item{
		"PK": str(anchor.pk), "SK": str(anchor.sk), attrID: str(a.ID), "env": str(env), "row": str(username),
		attrImage: nested(anchorImage(a.Anchor())), attrBorn: nested(born),
	}
	if mark != 0 {
		it[attrImport], anchored[attrImport] = num(mark), num(mark)
	}
	var p parts
	p.put(s.Table, it, taken("username"))
	for _, identifier := range a.LoginKeys() {
		s.claimKey(&p, env, identifier, a, mark, hand)
	}
	p.put(s.Table, anchored, raced)
	return p, nil
}

// bornOf is the birth record that an anchor keeps: the log's first line.
func bornOf(e journal.Event) (item, error) {
	e.Changes = nil
	it, err := eventItem("", e)
	delete(it, "PK")
	delete(it, "SK")
	delete(it, "ttl") // it lives as long as the account
	return it, err
}

func loginItem(env, identifier string, a account.Account, mark int64) item {
	k := loginKey(env, identifier)
	it := item{"PK": str(k.pk), "SK": str(k.sk), attrID: str(a.ID), "row": str(a.DirectoryKey())}
	if mark != 0 {
		it[attrImport] = num(mark)
	}
	return it
}

// claimKey claims an identifier: one that is free, or that the import takes from an account which gives it up. The key then
// names both, and who is led to follows from whether the import counts.
func (s Accounts) claimKey(p *parts, env, identifier string, a account.Account, mark int64, hand handed) {
	former, takes := hand.takes[identifier]
	if !takes {
		p.put(s.Table, loginItem(env, identifier, a, mark), taken(identifierField(a, identifier)))
		return
	}
	*p = append(*p, part{types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: loginKey(env, identifier).attributes(),
		UpdateExpression:         aws.String("SET wasId = id, wasRow = #row, id = :id, #row = :row, imp = :mark"),
		ConditionExpression:      aws.String("id = :former AND attribute_not_exists(gone)"),
		ExpressionAttributeNames: map[string]string{"#row": "row"},
		ExpressionAttributeValues: item{
			":id": str(a.ID), ":row": str(a.DirectoryKey()), ":mark": num(mark), ":former": str(former),
		},
	}}, raced})
}

func identifierField(a account.Account, identifier string) string {
	if email, ok := account.Normalise(a.Email); ok && email == identifier {
		return "email"
	}
	return "username"
}

// taken is the conflict of an identifier that is another account's, in any spelling, as a username or as an email (C08).
func taken(name string) func(item) error {
	return func(current item) error {
		if current[attrImage] != nil && flag(current, attrGone) {
			return beingUndone()
		}
		message := "This username is taken, as a username or an email, perhaps in another spelling; choose another."
		if name == "email" {
			message = "This email is taken, as an email or a username, perhaps in another spelling; use another."
		}
		return fault.New(fault.Conflict, "taken", "%s", message).WithFields(fault.Field{Field: name, Code: "taken", Message: message})
	}
}

// asRead is the condition that a row is as the write read it.
func asRead(a *account.Account, values item) string {
	values[":seen"] = num(a.Stored.Version)
	if a.Stored.Import == 0 {
		return "v.version = :seen AND attribute_not_exists(imp)"
	}
	values[":imp"] = num(a.Stored.Import)
	return "v.version = :seen AND imp = :imp"
}

// asLinked is the condition that a row has the links that it was read with.
func asLinked(a *account.Account, values item) string {
	if len(a.SignOn) == 0 {
		return " AND attribute_not_exists(signOn)"
	}
	values[":signOn"] = &types.AttributeValueMemberSS{Value: a.SignOn}
	return " AND signOn = :signOn"
}

func (s Accounts) planRow(p *parts, env string, w account.Write, mark int64) {
	before, after := w.Before, w.After
	values := item{}
	condition := asRead(before, values)
	if before.DirectoryKey() != after.DirectoryKey() {
		s.planMove(p, env, w, condition, values)
		return
	}
	if w.AsLinked {
		condition += asLinked(before, values)
	}
	values[":v"] = nested(imageOf(after))
	set, remove := "SET v = :v", " REMOVE "+importMarks
	if mark != 0 {
		set, remove = stagedOver(before.Stored.Import, before.Stored.Former), ""
		values[":mark"] = num(mark)
	}
	drop := func(name string) {
		if remove == "" {
			remove = " REMOVE " + name
		} else {
			remove += ", " + name
		}
	}
	switch {
	case mark != 0: // the image says whether there is a password; an import gives none
	case after.PasswordHash == "":
		drop(attrHash)
		drop(attrHashEnds)
		drop(attrHashSet)
	case after.PasswordHash != before.PasswordHash:
		set += ", pw = :pw"
		values[":pw"] = str(after.PasswordHash)
		if after.PasswordChangedAt.IsZero() {
			drop(attrHashSet)
		} else {
			set += ", pwAt = :pwAt"
			values[":pwAt"] = when(after.PasswordChangedAt)
		}
		if temporary(after) {
			set += ", pwEnds = :ends"
			values[":ends"] = when(after.PasswordExpires)
		} else {
			drop(attrHashEnds)
		}
	}
	if w.ClearTries {
		set += ", tries = :none"
		values[":none"] = num(0)
		drop(attrBlocked)
	}
	*p = append(*p, part{types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: rowKey(env, after.DirectoryKey()).attributes(),
		UpdateExpression: aws.String(set + remove), ConditionExpression: &condition, ExpressionAttributeValues: values,
	}}, raced})
}

// temporary reports whether the account's password expires: one that an administrator gave, until the person has chosen
// their own.
func temporary(a account.Account) bool { return a.ForcePasswordChange && !a.PasswordExpires.IsZero() }

// planMove renames: the row leaves its place and appears at the new one, with its tries as read or not at all.
func (s Accounts) planMove(p *parts, env string, w account.Write, condition string, values item) {
	before, after := w.Before, w.After
	values[":tries"] = num(before.FailedTries)
	condition += " AND tries = :tries" + asLinked(before, values)
	if before.PasswordExpires.IsZero() {
		condition += " AND attribute_not_exists(pwEnds)"
	} else {
		condition += " AND pwEnds = :ends" // which a sign-in may bring forward
		values[":ends"] = when(before.PasswordExpires)
	}
	*p = append(*p, part{types.TransactWriteItem{Delete: &types.Delete{
		TableName: &s.Name, Key: rowKey(env, before.DirectoryKey()).attributes(),
		ConditionExpression: &condition, ExpressionAttributeValues: values,
	}}, raced})
	row := rowKey(env, after.DirectoryKey())
	it := item{
		"PK": str(row.pk), "SK": str(row.sk), attrID: str(after.ID), attrImage: nested(imageOf(after)),
		attrTries: num(after.FailedTries),
	}
	if after.PasswordHash != "" {
		it[attrHash] = str(after.PasswordHash)
	}
	if !after.PasswordExpires.IsZero() {
		it[attrHashEnds] = when(after.PasswordExpires)
	}
	if !after.PasswordChangedAt.IsZero() {
		it[attrHashSet] = when(after.PasswordChangedAt)
	}
	if !after.TriesBlockedAt.IsZero() {
		it[attrBlocked] = when(after.TriesBlockedAt)
	}
	if !after.LastLogin.IsZero() {
		it[attrLogin] = when(after.LastLogin)
	}
	if len(after.SignOn) > 0 {
		it[attrSignOn] = &types.AttributeValueMemberSS{Value: after.SignOn}
	}
	p.put(s.Table, it, taken("username"))
}

// planKeys claims the identifiers that are new, releases those that are gone, and points the rest at a moved row.
func (s Accounts) planKeys(p *parts, env string, w account.Write, mark int64, hand handed) {
	had, has := w.Before.LoginKeys(), w.After.LoginKeys()
	moved := w.Before.DirectoryKey() != w.After.DirectoryKey()
	for _, identifier := range has {
		switch {
		case !slices.Contains(had, identifier):
			s.claimKey(p, env, identifier, w.After, mark, hand)
		case moved:
			// What an import staged of the key is overtaken with the rest: its taking back finds no row any more that would lead here.
			*p = append(*p, s.ownedKey(env, identifier, w.After.ID, "SET #row = :row REMOVE gone, imp, wasId, wasRow", item{":row": str(w.After.DirectoryKey())}))
		}
	}
	for _, identifier := range had {
		if slices.Contains(has, identifier) || slices.Contains(hand.leaves, identifier) {
			continue
		}
		if mark != 0 {
			*p = append(*p, s.ownedKey(env, identifier, w.After.ID, "SET gone = :yes, imp = :mark REMOVE wasId, wasRow", item{":yes": yes(true), ":mark": num(mark)}))
			continue
		}
		*p = append(*p, part{types.TransactWriteItem{Delete: &types.Delete{
			TableName: &s.Name, Key: loginKey(env, identifier).attributes(),
			ConditionExpression: aws.String(heldBy), ExpressionAttributeValues: item{":id": str(w.After.ID)},
		}}, raced})
	}
}

// heldBy is the condition that a key is an account's, also while an import hands it on, which has then been overtaken.
const heldBy = "(id = :id OR wasId = :id)"

func (s Accounts) ownedKey(env, identifier, id, update string, values item) part {
	values[":id"] = str(id)
	u := &types.Update{
		TableName: &s.Name, Key: loginKey(env, identifier).attributes(), UpdateExpression: &update,
		ConditionExpression: aws.String("id = :id"), ExpressionAttributeValues: values,
	}
	if _, ok := values[":row"]; ok {
		u.ExpressionAttributeNames = map[string]string{"#row": "row"}
	}
	return part{types.TransactWriteItem{Update: u}, raced}
}

func (s Accounts) planAnchor(p *parts, env string, w account.Write, mark int64) {
	before, after := w.Before.Anchor(), w.After.Anchor()
	same := before.Username == after.Username && before.Epoch == after.Epoch && before.DateFrom == after.DateFrom &&
		before.DateTo == after.DateTo && slices.Equal(before.Roles, after.Roles) && slices.Equal(before.Groups, after.Groups) &&
		before.UserType == after.UserType && before.Active == after.Active && before.AccessLocked == after.AccessLocked
	if same && !w.Before.Stored.Pending {
		return
	}
	values := item{":v": nested(anchorImage(after)), ":row": str(w.After.DirectoryKey())}
	update := "SET v = :v, #row = :row REMOVE " + importMarks
	if mark != 0 {
		update = "SET was = v, v = :v, imp = :mark, #row = :row"
		values[":mark"] = num(mark)
	}
	*p = append(*p, part{types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: anchorKey(after.ID).attributes(), UpdateExpression: &update,
		ConditionExpression: aws.String("attribute_exists(PK)"), ExpressionAttributeValues: values,
		ExpressionAttributeNames: map[string]string{"#row": "row"},
	}}, raced})
}

// callerUnchanged makes a write depend on the caller's own access not having been ended meanwhile.
func (s Accounts) callerUnchanged(id string, epoch int64) part {
	return part{types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
		TableName: &s.Name, Key: anchorKey(id).attributes(), ConditionExpression: aws.String("v.epoch = :epoch"),
		ExpressionAttributeValues: item{":epoch": num(epoch)},
	}}, func(item) error {
		return fault.New(fault.Unauthenticated, "session", "Your own access was ended meanwhile; sign in again.")
	}}
}
