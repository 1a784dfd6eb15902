package schema

import (
	"time"

	"useraccounts/internal/auditlog"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
	"useraccounts/internal/session"
)

// sessionRetention is how long an ended session stays listed before the table expires it, unless the session is the
// log's record of a sign-in (LoggedSession).
const sessionRetention = 30 * 24 * time.Hour

// LoggedSession is the item of a session that a person opens. The log shows it as the sign-in, so it is kept as long as
// the log.
func LoggedSession(env environment.Environment, s session.Session) table.Item {
	it := Session(s)
	it["ttl"] = table.N(s.HardEnd.Add(auditlog.Retention(env.Settings.LogRetentionDays)).Unix())
	return it
}

// Session is the item of a session.
func Session(s session.Session) table.Item {
	k := SessionKey(s.AccountID, s.ID)
	it := table.Item{
		"PK": table.S(k.PK), "SK": table.S(k.SK), AttrID: table.S(s.ID), "access": table.B(s.AccessHash),
		"epoch": table.N(s.Epoch), "start": table.Timestamp(s.Start), "due": table.Timestamp(s.RefreshDue),
		"end": table.Timestamp(s.HardEnd),
		"ttl": table.N(s.HardEnd.Add(sessionRetention).Unix()),
	}
	if s.RefreshHash != nil { // a session that a key opened has none
		it["refresh"], it["family"], it["salt"] = table.B(s.RefreshHash), table.B(s.FamilyHash), table.B(s.Salt)
	}
	if s.ByCookie {
		it["web"] = table.BOOL(true)
	}
	for name, value := range map[string]string{"client": s.Client, "ua": s.UserAgent, "addr": s.Address, "key": s.KeyID} {
		if value != "" {
			it[name] = table.S(value)
		}
	}
	return it
}

// SessionOf reads a session.
func SessionOf(accountID string, it table.Item) session.Session {
	return session.Session{
		AccountID: accountID, ID: table.String(it, AttrID), AccessHash: table.Bytes(it, "access"),
		RefreshHash:     table.Bytes(it, "refresh"),
		UsedRefreshHash: table.Bytes(it, "used"), Epoch: table.Int(it, "epoch"), Client: table.String(it, "client"),
		UserAgent: table.String(it, "ua"),
		Address:   table.String(it, "addr"), KeyID: table.String(it, "key"), ByCookie: table.Bool(it, "web"),
		Start: table.Time(it, "start"), Proved: table.Time(it, "proved"),
		RefreshDue: table.Time(it, "due"), HardEnd: table.Time(it, "end"),
		Closed: table.Time(it, "closed"), Reason: session.Reason(table.String(it, "why")),
		ClosedBy: table.String(it, "by"), ClosedByID: table.String(it, "byId"), ClosedFrom: table.String(it, "from"),
		Renewed: table.Time(it, "renewed"), FamilyHash: table.Bytes(it, "family"), Salt: table.Bytes(it, "salt"),
	}
}
