package account

import (
	"slices"
	"time"

	"useraccounts/internal/fault"
)

// SignInMethods is by what a person can sign in to an account. Whoever lets people take away a way in of their own asks
// here what would be left, with Account as it would be then; an administrator may take away any, and can give another.
type SignInMethods struct {
	// Account says which password it has, whether it has a second factor, and which providers it is linked to.
	Account Account
	// Passkeys is how many are stored. They count only while the account has a second factor.
	Passkeys int
	// Providers are those that let people in. A link to one that is turned off or deleted opens nothing.
	Providers []string
}

// RequireOne returns a Conflict if there is no way in at now. A temporary password counts until it is over: it leads to
// one of the person's own.
func (w SignInMethods) RequireOne(now time.Time) error {
	a := w.Account
	password := a.PasswordHash != "" && !a.PasswordExpired(now)
	passkey := a.MFAEnabled && w.Passkeys > 0
	if password || passkey || slices.ContainsFunc(w.Providers, a.LinkedTo) {
		return nil
	}
	return fault.New(fault.Conflict, "lastWayIn",
		"This is the only way by which you can sign in: there would be no password, no passkey and no link to a provider "+
			"that lets people in. Get another first.")
}

// PasswordExpired reports whether the account has a temporary password that signs in no more.
func (a Account) PasswordExpired(now time.Time) bool {
	return !a.PasswordExpires.IsZero() && !now.Before(a.PasswordExpires)
}
