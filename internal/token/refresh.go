package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"io"
)

// A refresh token has two secrets: its own, and the family, which all refresh tokens of its session share. A token with
// the right family and an own secret that is not valid any more is an earlier token, however many rotations ago. So one
// stored hash detects reuse, without a list of earlier tokens. Whoever only knows a session's ids can neither renew nor
// close it.
//
// A token's successor is derived from the token's own secret and the session's salt, which never leaves the table. So
// the same token, sent again because the answer was lost, gives the same successor, and no secret is stored: the table
// has the salt and not the secret, the holder of an earlier token has the secret and not the salt.

// SaltSize is the length of a session's salt in bytes.
const SaltSize = secretSize

// NewSalt returns the salt of a new session.
func NewSalt(random io.Reader) ([]byte, error) {
	salt := make([]byte, SaltSize)
	_, err := io.ReadFull(random, salt)
	return salt, err
}

// FamilyHash returns the hash that recognises every refresh token of one session.
func (t Token) FamilyHash() []byte {
	sum := sha256.Sum256(append([]byte("family"), t.family[:]...))
	return sum[:]
}

// InFamily reports, in constant time, whether the token belongs to the session with that family hash. None belongs to
// an empty hash.
func (t Token) InFamily(hash []byte) bool {
	return t.Kind == Refresh && subtle.ConstantTimeCompare(t.FamilyHash(), hash) == 1
}

// Successors returns the access and the refresh token that follow a refresh token, the same each time.
func (t Token) Successors(salt []byte) (access, refresh Token) {
	derive := func(kind Kind) (secret [secretSize]byte) {
		mac := hmac.New(sha256.New, salt)
		mac.Write([]byte(kind))
		mac.Write(t.secret[:])
		copy(secret[:], mac.Sum(nil))
		return secret
	}
	access = Token{Kind: Access, Account: t.Account, ID: t.ID, secret: derive(Access)}
	refresh = Token{Kind: Refresh, Account: t.Account, ID: t.ID, family: t.family, secret: derive(Refresh)}
	return access, refresh
}
