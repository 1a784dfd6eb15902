package account

import (
	"crypto/sha256"
	"crypto/subtle"
	"io"
	"time"

	"github.com/oklog/ulid/v2"

	"useraccounts/internal/field"
	"useraccounts/internal/mail"
	"useraccounts/internal/token"
)

// PasswordLinkPurpose says who requested a password link. A link works for its purpose only (C17).
type PasswordLinkPurpose string

// The purposes.
const (
	PasswordLinkFromAdministrator PasswordLinkPurpose = "administrator"
	PasswordLinkForgotten         PasswordLinkPurpose = "forgotten"
)

// ForgottenLinkLifetime is how long a link works that its owner requested (V24).
const ForgottenLinkLifetime = 30 * time.Minute

// PasswordLink is a link to set the password of an account. An account has at most one: a newer one replaces it.
type PasswordLink struct {
	AccountID string
	Purpose   PasswordLinkPurpose
	// Hash is the hash of the token.
	Hash          []byte
	Sent, Expires time.Time
	// To is the address that the link was mailed to. PasswordDigest identifies the password that the account had then.
	To             string
	PasswordDigest []byte
}

// passwordDigest identifies a password of an account without storing its hash a second time.
func passwordDigest(hash string) []byte {
	sum := sha256.Sum256([]byte("password\x00" + hash))
	return sum[:16]
}

// NewPasswordLink returns the link of a token with this hash.
func NewPasswordLink(a Account, purpose PasswordLinkPurpose, hash []byte, now, expires time.Time) PasswordLink {
	return PasswordLink{
		AccountID: a.ID, Purpose: purpose, Hash: hash, Sent: now, Expires: expires, To: a.Email,
		PasswordDigest: passwordDigest(a.PasswordHash),
	}
}

// ValidFor reports whether the link may still set the account's password: it has not expired, and neither the email nor
// the password was changed, nor access ended, since it was sent (C07). A block by failed tries does not matter, because
// a new password ends it (V18).
func (l PasswordLink) ValidFor(a Account, now time.Time) bool {
	if len(l.Hash) == 0 || !now.Before(l.Expires) || !a.Active || a.Email == "" || a.Email != l.To ||
		subtle.ConstantTimeCompare(l.PasswordDigest, passwordDigest(a.PasswordHash)) != 1 {
		return false
	}
	switch l.Purpose {
	case PasswordLinkForgotten:
		return MayRequestPasswordLink(a, now)
	case PasswordLinkFromAdministrator:
		// A new account, not yet allowed to sign in, may have its password set. A later block ends the link.
		return !a.AccessLocked || !a.LockedAt.After(l.Sent)
	}
	return false
}

// MayRequestPasswordLink reports whether the person may request a link themselves: they could sign in with the right
// password, apart from failed tries.
func MayRequestPasswordLink(a Account, now time.Time) bool {
	return a.Active && !a.AccessLocked && a.InDates(field.DateOf(now)) && a.Email != ""
}

// Addressee returns the recipient of mails about the account.
func (a Account) Addressee() mail.Recipient {
	return mail.Recipient{AccountID: a.ID, Username: a.Username, Name: a.Name, Email: a.Email}
}

// IssuePasswordLink returns a new link and its token.
func IssuePasswordLink(random io.Reader, id ulid.ULID, a Account, purpose PasswordLinkPurpose,
	now, expires time.Time) (PasswordLink, token.Token, error) {
	owner, err := ulid.ParseStrict(a.ID)
	if err != nil {
		return PasswordLink{}, token.Token{}, err
	}
	issued, err := token.Issue(random, token.PasswordLink, owner, id)
	return NewPasswordLink(a, purpose, issued.Hash(), now, expires), issued, err
}
