package account

import (
	"slices"
	"time"

	"useraccounts/internal/fault"
)

// SignInMethods are the methods by which a person can sign in to an account. Before people remove a method of their
// own, RequireOne checks what would be left. Administrators may remove any, because they can add another.
type SignInMethods struct {
	// Account is the account as it would be: its password, second factor and linked providers count.
	Account Account
	// Passkeys is how many passkeys are stored. They count only if the account has a second factor.
	Passkeys int
	// Providers are the enabled providers. A link to another one does not count.
	Providers []string
}

// RequireOne returns a Conflict if there is no method at the time. A temporary password counts until it expires.
func (m SignInMethods) RequireOne(now time.Time) error {
	a := m.Account
	password := a.PasswordHash != "" && !a.PasswordExpired(now)
	passkey := a.MFAEnabled && m.Passkeys > 0
	if password || passkey || slices.ContainsFunc(m.Providers, a.LinkedTo) {
		return nil
	}
	return fault.New(fault.Conflict, "lastWayIn",
		"This is your only way to sign in. Set a password, or add a passkey or a link to a provider, first.")
}

// PasswordExpired reports whether the account has a temporary password that has expired.
func (a Account) PasswordExpired(now time.Time) bool {
	return !a.PasswordExpires.IsZero() && !now.Before(a.PasswordExpires)
}
