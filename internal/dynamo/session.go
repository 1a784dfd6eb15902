package dynamo

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/account"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/journal"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
)

// Sessions keeps sessions and tickets.
type Sessions struct {
	*Table
}

var (
	_ signin.Sessions = Sessions{}
	_ signin.Checks   = Checks{}
)

// keepSession is how long an ended session stays listed before the table sweeps it, unless it is what the log knows of a
// sign-in (logged).
const keepSession = 30 * 24 * time.Hour

// logged is the item of a session that a person opens: the log's line about the sign-in, and kept as long.
func logged(env environment.Environment, s session.Session) item {
	it := sessionItem(s)
	it["ttl"] = num(s.HardEnd.Add(journal.Kept(env.Settings.LogRetentionDays)).Unix())
	return it
}

func sessionItem(s session.Session) item {
	k := sessionKey(s.AccountID, s.ID)
	it := item{
		"PK": str(k.pk), "SK": str(k.sk), attrID: str(s.ID), "access": bin(s.AccessHash),
		"epoch": num(s.Epoch), "start": when(s.Start), "due": when(s.RefreshDue), "end": when(s.HardEnd),
		"ttl": num(s.HardEnd.Add(keepSession).Unix()),
	}
	if s.RefreshHash != nil { // a session that a key opened has none
		it["refresh"], it["family"], it["salt"] = bin(s.RefreshHash), bin(s.FamilyHash), bin(s.Salt)
	}
	if s.ByCookie {
		it["web"] = yes(true)
	}
	for name, value := range map[string]string{"client": s.Client, "ua": s.UserAgent, "addr": s.Address, "key": s.Key} {
		if value != "" {
			it[name] = str(value)
		}
	}
	return it
}

func sessionOf(accountID string, it item) session.Session {
	return session.Session{
		AccountID: accountID, ID: text(it, attrID), AccessHash: blob(it, "access"), RefreshHash: blob(it, "refresh"),
		UsedRefreshHash: blob(it, "used"), Epoch: number(it, "epoch"), Client: text(it, "client"), UserAgent: text(it, "ua"),
		Address: text(it, "addr"), Key: text(it, "key"), ByCookie: flag(it, "web"), Start: instant(it, "start"), RefreshDue: instant(it, "due"), HardEnd: instant(it, "end"),
		Closed: instant(it, "closed"), Reason: session.Reason(text(it, "why")),
		ClosedBy: text(it, "by"), ClosedByID: text(it, "byId"), ClosedFrom: text(it, "from"),
		Renewed: instant(it, "renewed"), FamilyHash: blob(it, "family"), Salt: blob(it, "salt"),
	}
}

// sameEpoch is the condition that an account's row still has the epoch read, in the image that counted then, was not blocked
// by tries since, and has no temporary password that is over (V09), unless the account came without its password.
func sameEpoch(env environment.Environment, a account.Account, now time.Time) (string, item) {
	image := attrImage
	if !env.Imports.Sees(a.Stored.Import) {
		image = attrFormer
	}
	condition := "id = :id AND " + image + ".epoch = :epoch AND "
	values := item{":id": str(a.ID), ":epoch": num(a.Epoch)}
	if a.PasswordHash != "" {
		condition += "(attribute_not_exists(pwEnds) OR pwEnds > :now) AND "
		values[":now"] = when(now)
	}
	if a.Stored.TriedApart {
		return strings.TrimSuffix(condition, " AND "), values
	}
	if a.TriesBlockedAt.IsZero() && !a.Stored.BlockedAt.IsZero() { // the timed release let this try through, and no other block
		values[":blocked"] = when(a.Stored.BlockedAt)
		return condition + "blockedAt = :blocked", values
	}
	return condition + "attribute_not_exists(blockedAt)", values
}

// Open implements signin.Sessions.
func (s Sessions) Open(ctx context.Context, env environment.Environment, a account.Account, opened session.Session) error {
	condition, values := sameEpoch(env, a, opened.Start)
	update := "SET lastLogin = :now"
	if values[":now"] = when(opened.Start); !a.Stored.TriedApart {
		update, values[":none"] = "SET tries = :none, lastLogin = :now REMOVE blockedAt, tried", num(0)
	}
	return s.together(ctx, logged(env, opened), types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: rowKey(env.ID, a.DirectoryKey()).attributes(), ConditionExpression: &condition,
		UpdateExpression: &update, ExpressionAttributeValues: values,
	}})
}

// Offer implements signin.Sessions.
func (s Sessions) Offer(ctx context.Context, env environment.Environment, a account.Account, t session.Ticket) error {
	condition, values := sameEpoch(env, a, t.Expires.Add(-session.TicketLife))
	key := rowKey(env.ID, a.DirectoryKey()).attributes()
	set, remove := []string{}, ""
	if !a.Stored.TriedApart {
		set, remove = append(set, "tries = :none"), " REMOVE blockedAt, tried"
		values[":none"] = num(0)
	}
	if !a.PasswordExpires.IsZero() {
		set = append(set, "pwEnds = :ends")
		values[":ends"] = when(a.PasswordExpires)
	}
	if len(set) == 0 {
		return s.together(ctx, ticketItem(env.ID, t), types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
			TableName: &s.Name, Key: key, ConditionExpression: &condition, ExpressionAttributeValues: values,
		}})
	}
	return s.together(ctx, ticketItem(env.ID, t), types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: key, ConditionExpression: &condition,
		UpdateExpression: aws.String("SET " + strings.Join(set, ", ") + remove), ExpressionAttributeValues: values,
	}})
}

// together puts a new item and updates the account's row, or neither.
func (s Sessions) together(ctx context.Context, made item, row types.TransactWriteItem) error {
	var p parts
	p.put(s.Table, made, raced)
	p = append(p, part{row, raced})
	return racedIfCancelled(s.transact(ctx, p.items()))
}

func racedIfCancelled(err error) error {
	var cancelled *errCancelled
	if errors.As(err, &cancelled) {
		return account.ErrRaced
	}
	return err
}

// Ticket implements signin.Sessions.
func (s Sessions) Ticket(ctx context.Context, env, accountID, id string) (signin.Ticketed, error) {
	items, err := s.getAll(ctx, []key{ticketKey(accountID, id), headKey(env)})
	if err != nil {
		return signin.Ticketed{}, err
	}
	it := items[0]
	if it == nil || text(it, "env") != env {
		return signin.Ticketed{}, fault.New(fault.NotFound, "ticket", "There is no such ticket.")
	}
	head, err := headOf(env, items[1])
	if err != nil {
		return signin.Ticketed{}, err
	}
	a, err := Accounts(s).Account(ctx, head, accountID)
	if err != nil {
		return signin.Ticketed{}, err
	}
	return signin.Ticketed{Account: a, Env: head, Ticket: ticketOf(accountID, it)}, nil
}

// Renew implements signin.Sessions.
func (s Sessions) Renew(ctx context.Context, old, renewed session.Session) error {
	_, err := s.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: sessionKey(old.AccountID, old.ID).attributes(),
		UpdateExpression:         aws.String("SET #access = :access, refresh = :refresh, used = :used, due = :due, renewed = :now"),
		ConditionExpression:      aws.String("refresh = :was AND attribute_not_exists(closed)"),
		ExpressionAttributeNames: map[string]string{"#access": "access"},
		ExpressionAttributeValues: item{
			":access": bin(renewed.AccessHash), ":refresh": bin(renewed.RefreshHash), ":used": bin(renewed.UsedRefreshHash),
			":due": when(renewed.RefreshDue), ":now": when(renewed.Renewed), ":was": bin(old.RefreshHash),
		},
	})
	held, _, err := conditionHeld(err)
	if err == nil && !held {
		return account.ErrRaced
	}
	return err
}

// Close closes a session if it is open, and reports whether it was.
func (s Sessions) Close(ctx context.Context, accountID, sessionID string, end session.End) (bool, error) {
	update, values := "SET closed = :at, why = :why", item{":at": when(end.At), ":why": str(string(end.Why))}
	names := map[string]string{}
	for name, value := range map[string]string{"by": end.By, "byId": end.ByID, "from": end.FromAddress} {
		if value != "" {
			update += ", #" + name + " = :" + name
			names["#"+name], values[":"+name] = name, str(value)
		}
	}
	in := &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: sessionKey(accountID, sessionID).attributes(), UpdateExpression: &update,
		ConditionExpression:       aws.String("attribute_exists(PK) AND attribute_not_exists(closed)"),
		ExpressionAttributeValues: values,
	}
	if len(names) > 0 {
		in.ExpressionAttributeNames = names
	}
	_, err := s.Client.UpdateItem(ctx, in)
	closed, _, err := conditionHeld(err)
	return closed, err
}

// Sessions returns up to limit sessions of an account, newest first, after the given id, and the id to go on from.
func (s Sessions) Sessions(ctx context.Context, accountID, after string, limit int) ([]session.Session, string, error) {
	p := page{pk: accountPK(accountID), prefix: sessionSK, backwards: true, limit: int32(limit)} //nolint:gosec // limits are small
	if after != "" {
		p.after = sessionSK + after
	}
	items, more, err := s.query(ctx, p)
	if err != nil {
		return nil, "", err
	}
	out := make([]session.Session, len(items))
	for i, it := range items {
		out[i] = sessionOf(accountID, it)
	}
	if !more || len(out) == 0 {
		return out, "", nil
	}
	return out, out[len(out)-1].ID, nil
}

// Checks reads what every request needs.
type Checks struct {
	Sessions
	*Environments
}

// NewChecks returns Checks over the table. Keep one for the life of the process, as NewEnvironments says.
func NewChecks(t *Table) Checks {
	return Checks{Sessions: Sessions{Table: t}, Environments: NewEnvironments(t)}
}

// Check implements signin.Checks: one round trip for session, anchor and environment.
func (c Checks) Check(ctx context.Context, env, accountID, sessionID string) (signin.Checked, error) {
	items, err := c.Sessions.getAll(ctx, []key{sessionKey(accountID, sessionID), anchorKey(accountID), headKey(env)})
	if err != nil {
		return signin.Checked{}, err
	}
	if items[0] == nil || items[1] == nil || text(items[1], "env") != env {
		return signin.Checked{}, fault.New(fault.NotFound, "session", "There is no such session.")
	}
	head, err := headOf(env, items[2])
	if err != nil {
		return signin.Checked{}, err
	}
	anchor, ok := anchorOf(items[1], asSeen(head.Imports, items[1]))
	if !ok {
		return signin.Checked{}, fault.New(fault.NotFound, "session", "There is no such session.")
	}
	return signin.Checked{Session: sessionOf(accountID, items[0]), Anchor: anchor, Env: head}, nil
}
