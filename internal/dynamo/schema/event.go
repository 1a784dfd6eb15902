package schema

import (
	"strings"

	"github.com/go-json-experiment/json"

	"useraccounts/internal/auditlog"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/field"
)

// Event is the item of an event in an account's log.
func Event(account string, e auditlog.Event) (table.Item, error) {
	return EventAt(EventKey(account, e.ID), e)
}

// EventAt is the item of an event at a key. It is written once and only read whole, so its changes are one JSON text
// rather than nested attributes.
func EventAt(k table.Key, e auditlog.Event) (table.Item, error) {
	out := table.Item{
		"PK": table.S(k.PK), "SK": table.S(k.SK), "at": table.Timestamp(e.At), "kind": table.S(string(e.Kind)),
		"ttl": table.N(e.ExpiresAt().Unix()),
	}
	for name, value := range map[string]string{"by": e.By, "byId": e.ByID, "key": e.Key, "note": e.Note, "job": e.Job,
		"addr": e.Address, "subject": e.Subject, "client": e.Client, "ua": e.UserAgent} {
		if value != "" {
			out[name] = table.S(value)
		}
	}
	if e.Version != 0 {
		out["version"] = table.N(e.Version)
	}
	if e.Count != 0 {
		out["count"] = table.N(int64(e.Count))
	}
	if e.Row != 0 {
		out["row"] = table.N(int64(e.Row))
	}
	if len(e.Changes) > 0 {
		changes, err := json.Marshal(e.Changes)
		if err != nil {
			return nil, err
		}
		out["changes"] = table.S(string(changes))
	}
	return out, nil
}

// EventOf reads an event.
func EventOf(it table.Item) auditlog.Event {
	e := auditlog.Event{
		ID: strings.TrimPrefix(table.String(it, "SK"), EventSK), At: table.Time(it, "at"),
		Kind: auditlog.Kind(table.String(it, "kind")),
		By:   table.String(it, "by"), ByID: table.String(it, "byId"), Key: table.String(it, "key"),
		Note: table.String(it, "note"), Job: table.String(it, "job"),
		Address: table.String(it, "addr"), Subject: table.String(it, "subject"), Version: table.Int(it, "version"),
		Row:    int(table.Int(it, "row")),
		Client: table.String(it, "client"), UserAgent: table.String(it, "ua"), Count: int(table.Int(it, "count")),
	}
	var changes []field.Diff
	if raw := table.String(it, "changes"); raw != "" && json.Unmarshal([]byte(raw), &changes) == nil {
		e.Changes = changes
	}
	return e
}
