package auditlog

import "useraccounts/internal/fault"

// Stale is the fault of a change whose If-Match names a version that is no longer the latest. It says which fields
// changed since, by whom and when, as far as the events tell. what names the resource, at the start of a sentence.
func Stale(what string, version int64, since []Event) error {
	e := fault.New(fault.Stale, "stale",
		"%s was changed since you read it; it is at version %d now. Read it again, check what changed, and send your "+
			"change with the new ETag.", what,
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
