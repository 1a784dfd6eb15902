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
	"useraccounts/internal/auditlog"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
)

// Sessions keeps sessions and tickets.
type Sessions struct {
	*Table
}

var (
	_ signin.Sessions        = Sessions{}
	_ signin.CredentialStore = Checks{}
)

// sessionRetention is how long an ended session stays listed before the table sweeps it, unless it is what the log
// knows of a sign-in (logged).
const sessionRetention = 30 * 24 * time.Hour

// loggedSessionItem is the item of a session that a person opens: the log's line about the sign-in, and kept as long.
func loggedSessionItem(env environment.Environment, s session.Session) item {
	it := sessionItem(s)
	it["ttl"] = num(s.HardEnd.Add(auditlog.Retention(env.Settings.LogRetentionDays)).Unix())
	return it
}

func sessionItem(s session.Session) item {
	k := sessionKey(s.AccountID, s.ID)
	it := item{
		"PK": str(k.pk), "SK": str(k.sk), attrID: str(s.ID), "access": bin(s.AccessHash),
		"epoch": num(s.Epoch), "start": timestamp(s.Start), "due": timestamp(s.RefreshDue), "end": timestamp(s.HardEnd),
		"ttl": num(s.HardEnd.Add(sessionRetention).Unix()),
	}
	if s.RefreshHash != nil { // a session that a key opened has none
		it["refresh"], it["family"], it["salt"] = bin(s.RefreshHash), bin(s.FamilyHash), bin(s.Salt)
	}
	if s.ByCookie {
		it["web"] = boolean(true)
	}
	for name, value := range map[string]string{"client": s.Client, "ua": s.UserAgent, "addr": s.Address, "key": s.KeyID} {
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
		Address: text(it, "addr"), KeyID: text(it, "key"), ByCookie: flag(it, "web"), Start: instant(it, "start"),
		RefreshDue: instant(it, "due"), HardEnd: instant(it, "end"),
		Closed: instant(it, "closed"), Reason: session.Reason(text(it, "why")),
		ClosedBy: text(it, "by"), ClosedByID: text(it, "byId"), ClosedFrom: text(it, "from"),
		Renewed: instant(it, "renewed"), FamilyHash: blob(it, "family"), Salt: blob(it, "salt"),
	}
}

// signInCondition is the condition that an account's row still has the epoch read, in the image that counted then, was
// not blocked by tries since, and has no temporary password that is over (V09), unless the account came without its
// password.
func signInCondition(env environment.Environment, a account.Account, now time.Time) (string, item) {
	image := attrImage
	if !env.Imports.Sees(a.Stored.Import) {
		image = attrPrevious
	}
	condition := "id = :id AND " + image + ".epoch = :epoch AND "
	values := item{":id": str(a.ID), ":epoch": num(a.Epoch)}
	if a.PasswordHash != "" {
		condition += "(attribute_not_exists(pwEnds) OR pwEnds > :now) AND "
		values[":now"] = timestamp(now)
	}
	if a.Stored.DeviceAttempt {
		return strings.TrimSuffix(condition, " AND "), values
	}
	// the timed release let this try through, and no other block
	if a.TriesBlockedAt.IsZero() && !a.Stored.BlockedAt.IsZero() {
		values[":blocked"] = timestamp(a.Stored.BlockedAt)
		return condition + "blockedAt = :blocked", values
	}
	return condition + "attribute_not_exists(blockedAt)", values
}

// Open implements signin.Sessions.
func (s Sessions) Open(ctx context.Context, env environment.Environment, a account.Account,
	opened session.Session) error {
	condition, values := signInCondition(env, a, opened.Start)
	update := "SET lastLogin = :now"
	if values[":now"] = timestamp(opened.Start); !a.Stored.DeviceAttempt {
		update, values[":none"] = "SET tries = :none, lastLogin = :now REMOVE blockedAt, tried", num(0)
	}
	return s.putWithRow(ctx, loggedSessionItem(env, opened), types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: rowKey(env.ID, a.DirectoryKey()).attributes(), ConditionExpression: &condition,
		UpdateExpression: &update, ExpressionAttributeValues: values,
	}})
}

// IssueTicket implements signin.Sessions.
func (s Sessions) IssueTicket(ctx context.Context, env environment.Environment, a account.Account,
	t session.Ticket) error {
	condition, values := signInCondition(env, a, t.Expires.Add(-session.TicketLife))
	key := rowKey(env.ID, a.DirectoryKey()).attributes()
	set, remove := []string{}, ""
	if !a.Stored.DeviceAttempt {
		set, remove = append(set, "tries = :none"), " REMOVE blockedAt, tried"
		values[":none"] = num(0)
	}
	if !a.PasswordExpires.IsZero() {
		set = append(set, "pwEnds = :ends")
		values[":ends"] = timestamp(a.PasswordExpires)
	}
	if len(set) == 0 {
		return s.putWithRow(ctx, ticketItem(env.ID, t), types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
			TableName: &s.Name, Key: key, ConditionExpression: &condition, ExpressionAttributeValues: values,
		}})
	}
	return s.putWithRow(ctx, ticketItem(env.ID, t), types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: key, ConditionExpression: &condition,
		UpdateExpression: aws.String("SET " + strings.Join(set, ", ") + remove), ExpressionAttributeValues: values,
	}})
}

// putWithRow puts a new item and updates the account's row, or neither.
func (s Sessions) putWithRow(ctx context.Context, created item, row types.TransactWriteItem) error {
	var p transaction
	p.put(s.Table, created, concurrentChange)
	p = append(p, op{row, concurrentChange})
	return asConcurrentChange(s.transact(ctx, p.items()))
}

func asConcurrentChange(err error) error {
	var cancelled *cancelledError
	if errors.As(err, &cancelled) {
		return account.ErrConcurrentChange
	}
	return err
}

// Ticket implements signin.Sessions.
func (s Sessions) Ticket(ctx context.Context, env, accountID, id string) (signin.TicketContext, error) {
	items, err := s.batchGet(ctx, []key{ticketKey(accountID, id), headKey(env)})
	if err != nil {
		return signin.TicketContext{}, err
	}
	it := items[0]
	if it == nil || text(it, "env") != env {
		return signin.TicketContext{}, fault.New(fault.NotFound, "ticket", "There is no such ticket.")
	}
	head, err := headOf(env, items[1])
	if err != nil {
		return signin.TicketContext{}, err
	}
	a, err := Accounts(s).Account(ctx, head, accountID)
	if err != nil {
		return signin.TicketContext{}, err
	}
	return signin.TicketContext{Account: a, Env: head, Ticket: ticketOf(accountID, it)}, nil
}

// Renew implements signin.Sessions.
func (s Sessions) Renew(ctx context.Context, old, renewed session.Session) error {
	_, err := s.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: sessionKey(old.AccountID, old.ID).attributes(),
		UpdateExpression: aws.String(
			"SET #access = :access, refresh = :refresh, used = :used, due = :due, renewed = :now"),
		ConditionExpression:      aws.String("refresh = :was AND attribute_not_exists(closed)"),
		ExpressionAttributeNames: map[string]string{"#access": "access"},
		ExpressionAttributeValues: item{
			":access": bin(renewed.AccessHash), ":refresh": bin(renewed.RefreshHash), ":used": bin(renewed.UsedRefreshHash),
			":due": timestamp(renewed.RefreshDue), ":now": timestamp(renewed.Renewed), ":was": bin(old.RefreshHash),
		},
	})
	held, _, err := conditionHeld(err)
	if err == nil && !held {
		return account.ErrConcurrentChange
	}
	return err
}

// Close closes a session if it is open, and reports whether it was.
func (s Sessions) Close(ctx context.Context, accountID, sessionID string, end session.End) (bool, error) {
	update, values := "SET closed = :at, why = :why", item{":at": timestamp(end.At), ":why": str(string(end.Reason))}
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
	p := pageQuery{pk: accountPK(accountID), prefix: sessionSK, backwards: true,
		limit: int32(limit)} //nolint:gosec // limits are small
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

// FindSession implements signin.CredentialStore: one round trip for session, anchor and environment.
func (c Checks) FindSession(ctx context.Context, env, accountID, sessionID string) (signin.SessionContext, error) {
	items, err := c.Sessions.batchGet(ctx, []key{sessionKey(accountID, sessionID), anchorKey(accountID), headKey(env)})
	if err != nil {
		return signin.SessionContext{}, err
	}
	if items[0] == nil || items[1] == nil || text(items[1], "env") != env {
		return signin.SessionContext{}, fault.New(fault.NotFound, "session", "There is no such session.")
	}
	head, err := headOf(env, items[2])
	if err != nil {
		return signin.SessionContext{}, err
	}
	anchor, ok := anchorOf(items[1], visibleAt(head.Imports, items[1]))
	if !ok {
		return signin.SessionContext{}, fault.New(fault.NotFound, "session", "There is no such session.")
	}
	return signin.SessionContext{Session: sessionOf(accountID, items[0]), Anchor: anchor, Env: head}, nil
}
