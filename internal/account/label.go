package account

import "strings"

// FieldLabel returns the label of a field in an account's log: of the account, its contact or its delegations.
func FieldLabel(name string) string {
	if d := Fields().Find(name); d != nil {
		return d.Label
	}
	of, inContact := strings.CutPrefix(name, contactPrefix)
	if d := ContactFields().Find(of); inContact && d != nil {
		return d.Label
	}
	switch name {
	case contactPrefix + "emails":
		return "Emails"
	case contactPrefix + "phones":
		return "Phones"
	case contactPrefix + "addresses":
		return "Addresses"
	case DelegationField:
		return "Delegation"
	}
	return name
}
