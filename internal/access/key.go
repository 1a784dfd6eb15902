package access

import "maps"

// InteractiveOnly reports whether p is kept from callers that come by an API key: whoever finds a key must not be able
// to make more of it, so keys manage neither credentials nor keys nor administrators (V47).
func (p Permission) InteractiveOnly() bool {
	switch p {
	case AccountAdmin, AccountPassword, AccountSession, AccountKey, AccountLink, AccessWrite, SettingsWrite:
		return true
	}
	return false
}

// AsAPIKey returns the caller as one that comes by an API key: without the permissions that only people use. They are
// taken away rather than looked for, so that no rule can forget to: what asks for account.admin, or compares the
// caller's rights with another's, answers for the key.
func (c Caller) AsAPIKey(id string) Caller {
	c.KeyID = id
	c.Permissions = maps.Clone(c.Permissions)
	maps.DeleteFunc(c.Permissions, func(p Permission, _ struct{}) bool { return p.InteractiveOnly() })
	return c
}
