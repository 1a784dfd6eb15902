package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"io"
)

// A refresh token has two secrets: its own, and one that all tokens of its session share, the family. Who shows a right
// family with an own secret that is not in force holds a former token, however many rotations ago it was: reuse is
// known by one stored hash, without a list of former tokens. Who only knows a session's ids can neither renew nor close
// it.
//
// A token's successor is derived from the token's own secret and the session's salt, which never leaves the table. So
// the same token, sent again because the answer was lost, gives the same successor, without a secret being stored: the
// table has the salt and not the secret, whoever holds a former token has the secret and not the salt.

// SaltSize is the length of a session's salt in bytes.
const SaltSize = secretSize

// NewSalt returns the salt of a new session.
func NewSalt(random io.Reader) ([]byte, error) {
	salt := make([]byte, SaltSize)
	_, err := io.ReadFull(random, salt)
	return salt, err
}

// FamilyHash returns what is stored to recognise every refresh token of one session.
func (t Token) FamilyHash() []byte {
	sum := sha256.Sum256(append([]byte("family"), t.family[:]...))
	return sum[:]
}

// InFamily reports, in constant time, whether the token is of the session that hash was stored for. An empty hash is
// nobody's.
func (t Token) InFamily(hash []byte) bool {
	return t.Kind == Refresh && subtle.ConstantTimeCompare(t.FamilyHash(), hash) == 1
}

// Successors returns the access and the refresh token that take the place of a refresh token, the same each time.
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
