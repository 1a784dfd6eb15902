package auditlog

import (
	"maps"
	"slices"
)

// Labels returns the label of each kind of event.
func Labels() map[Kind]string {
	return map[Kind]string{ //nolint:gosec // labels of events, no password
		Created: "Created", Changed: "Changed", Deleted: "Deleted",
		AccessAllowed: "Login access allowed", AccessBlocked: "Login access blocked",
		BlockedByTries: "Blocked by failed tries",
		TriesReset:     "Failed tries reset", Locked: "Locked", Unlocked: "Unlocked",
		PasswordSet: "Password set by an administrator", PasswordReset: "Password reset automatically",
		PasswordChangeForced: "Password change forced", PasswordChanged: "Password changed by the person",
		SignedIn: "Signed in", SignInFailed: "Sign-in failed", SessionClosed: "Session closed",
		SessionExpired: "Session expired",
		RefreshReused:  "Session closed: a refresh token was used twice",
		KeyCreated:     "API key created", KeyLocked: "API key locked",
		CredentialCreated: "Application credential created", CredentialEnded: "Application credential ended",
		PasswordLinkSent: "Link to set a password sent", MailSent: "Mail",
		AccessCopied: "Access copied from another account", NoteAdded: "Note", ContactChanged: "Contact changed",
		SecondFactorAdded: "Second factor set up", SecondFactorRemoved: "Second factor removed",
		SecondFactorExempt: "Second factor not enforced", SecondFactorRenamed: "Passkey renamed",
		SecondFactorFailed: "Wrong second factor", RecoveryCodesMade: "Recovery codes created",
		RecoveryCodeUsed:      "Recovery code used",
		TrustedDevicesRemoved: "Trusted devices deleted",
		ProviderAdded:         "Sign-on provider added", ProviderChanged: "Sign-on provider changed",
		ProviderRemoved: "Sign-on provider removed",
		IdentityLinked:  "Linked for single sign-on", IdentityUnlinked: "Link for single sign-on removed",
		DelegationAdded: "Delegation added", DelegationChanged: "Delegation changed", DelegationRemoved: "Delegation removed",
	}
}

// Kinds returns every kind of event, in order.
func Kinds() []Kind { return slices.Sorted(maps.Keys(Labels())) }
