package auditlog

import "useraccounts/internal/fault"

// Stale is the fault of a change whose If-Match names a version that is no longer the newest: it says which fields
// changed since, by whom and when, as far as the events tell. what names the thing, as a sentence begins.
func Stale(what string, version int64, since []Event) error {
	e := fault.New(fault.Stale, "stale",
		"%s is at version %d by now. Read it again, look at what changed, and send your change with the new ETag.", what,
		version)
	for _, event := range since {
		for _, diff := range event.Changes {
			at := event.At
			e.Fields = append(e.Fields, fault.Field{
				Field: diff.Field, Code: "changed", Message: "Changed since you read it.", By: event.By, At: &at,
			})
		}
	}
	return e
}
