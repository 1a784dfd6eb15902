package access

import "maps"

// InteractiveOnly reports whether callers with an API key never have p. Somebody who finds a key must not be able to
// gain more with it, so keys manage no credentials, keys or administrators (V47).
func (p Permission) InteractiveOnly() bool {
	switch p {
	case AccountAdmin, AccountPassword, AccountSession, AccountKey, AccountLink, AccessWrite, SettingsWrite,
		ApplicationWrite:
		return true
	default:
		return false
	}
}

// AsAPIKey returns the caller with an API key, without the permissions that only people use. They are removed rather
// than checked for, so that no rule can forget it.
func (c Caller) AsAPIKey(id string) Caller {
	c.KeyID = id
	c.Permissions = c.Permissions.ForAPIKeys()
	return c
}

// ForAPIKeys returns the permissions of the set that a caller by an API key can hold.
func (s Set) ForAPIKeys() Set {
	out := maps.Clone(s)
	maps.DeleteFunc(out, func(p Permission, _ struct{}) bool { return p.InteractiveOnly() })
	return out
}
