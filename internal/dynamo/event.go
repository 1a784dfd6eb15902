package dynamo

import (
	"strings"

	"github.com/go-json-experiment/json"

	"useraccounts/internal/auditlog"
	"useraccounts/internal/field"
)

// An event is written once and only read whole, so its changes are one JSON text rather than nested attributes.
func eventItem(account string, e auditlog.Event) (item, error) {
	return eventAt(eventKey(account, e.ID), e)
}

func eventAt(k key, e auditlog.Event) (item, error) {
	out := item{
		"PK": str(k.pk), "SK": str(k.sk), "at": timestamp(e.At), "kind": str(string(e.Kind)),
		"ttl": num(e.ExpiresAt().Unix()),
	}
	for name, value := range map[string]string{"by": e.By, "byId": e.ByID, "key": e.Key, "note": e.Note, "job": e.Job,
		"addr": e.Address, "subject": e.Subject, "client": e.Client, "ua": e.UserAgent} {
		if value != "" {
			out[name] = str(value)
		}
	}
	if e.Version != 0 {
		out["version"] = num(e.Version)
	}
	if e.Count != 0 {
		out["count"] = num(int64(e.Count))
	}
	if e.Row != 0 {
		out["row"] = num(int64(e.Row))
	}
	if len(e.Changes) > 0 {
		changes, err := json.Marshal(e.Changes)
		if err != nil {
			return nil, err
		}
		out["changes"] = str(string(changes))
	}
	return out, nil
}

func eventOf(it item) auditlog.Event {
	e := auditlog.Event{
		ID: strings.TrimPrefix(text(it, "SK"), eventSK), At: instant(it, "at"), Kind: auditlog.Kind(text(it, "kind")),
		By: text(it, "by"), ByID: text(it, "byId"), Key: text(it, "key"), Note: text(it, "note"), Job: text(it, "job"),
		Address: text(it, "addr"), Subject: text(it, "subject"), Version: number(it, "version"), Row: int(number(it, "row")),
		Client: text(it, "client"), UserAgent: text(it, "ua"), Count: int(number(it, "count")),
	}
	var changes []field.Diff
	if raw := text(it, "changes"); raw != "" && json.Unmarshal([]byte(raw), &changes) == nil {
		e.Changes = changes
	}
	return e
}
