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

// PasswordLinkPurpose says who had a link to set a password sent. A link works for its purpose alone (C17).
type PasswordLinkPurpose string

// The purposes.
const (
	PasswordLinkFromAdministrator PasswordLinkPurpose = "administrator"
	PasswordLinkForgotten         PasswordLinkPurpose = "forgotten"
)

// ForgottenLinkLifetime is how long a link works that a person asked for (V24).
const ForgottenLinkLifetime = 30 * time.Minute

// PasswordLink is a link to set the password of an account. There is one for an account at most: a newer one takes its
// place.
type PasswordLink struct {
	AccountID string
	Purpose   PasswordLinkPurpose
	// Hash is the token's.
	Hash          []byte
	Sent, Expires time.Time
	// To is the address it was mailed to; Password is the digest of the password hash that the account had then.
	To             string
	PasswordDigest []byte
}

// passwordDigest tells one password of an account from the next, without its hash being written a second time.
func passwordDigest(hash string) []byte {
	sum := sha256.Sum256([]byte("password\x00" + hash))
	return sum[:16]
}

// NewPasswordLink returns the link that a token of this hash opens.
func NewPasswordLink(a Account, purpose PasswordLinkPurpose, hash []byte, now, expires time.Time) PasswordLink {
	return PasswordLink{
		AccountID: a.ID, Purpose: purpose, Hash: hash, Sent: now, Expires: expires, To: a.Email,
		PasswordDigest: passwordDigest(a.PasswordHash),
	}
}

// ValidFor reports whether the link may still set the account's password: it is not over, went to the address that the
// account has by now, the password has not been set since, and access was not taken away since (C07). A block by failed
// tries does not count, because a new password is the way out of it (V18).
func (l PasswordLink) ValidFor(a Account, now time.Time) bool {
	if len(l.Hash) == 0 || !now.Before(l.Expires) || !a.Active || a.Email == "" || a.Email != l.To ||
		subtle.ConstantTimeCompare(l.PasswordDigest, passwordDigest(a.PasswordHash)) != 1 {
		return false
	}
	switch l.Purpose {
	case PasswordLinkForgotten:
		return MayRequestPasswordLink(a, now)
	case PasswordLinkFromAdministrator:
		// Who is not allowed in yet may have their password ready; a block after the link was sent ends the link.
		return !a.AccessLocked || !a.LockedAt.After(l.Sent)
	}
	return false
}

// MayRequestPasswordLink reports whether the person may ask for a link themselves: anybody may who could sign in with
// the right password, failed tries aside.
func MayRequestPasswordLink(a Account, now time.Time) bool {
	return a.Active && !a.AccessLocked && a.InDates(field.DateOf(now)) && a.Email != ""
}

// Addressee returns whom mails about the account go to.
func (a Account) Addressee() mail.Recipient {
	return mail.Recipient{AccountID: a.ID, Username: a.Username, Name: a.Name, Email: a.Email}
}

// IssuePasswordLink makes a link and the token that opens it.
func IssuePasswordLink(random io.Reader, id ulid.ULID, a Account, purpose PasswordLinkPurpose, now,
	expires time.Time) (PasswordLink, token.Token, error) {
	owner, err := ulid.ParseStrict(a.ID)
	if err != nil {
		return PasswordLink{}, token.Token{}, err
	}
	issued, err := token.Issue(random, token.PasswordLink, owner, id)
	return NewPasswordLink(a, purpose, issued.Hash(), now, expires), issued, err
}
