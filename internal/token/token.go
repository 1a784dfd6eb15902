// Package token issues and parses the opaque tokens of this product: access and refresh tokens, tickets, API keys.
//
// A token has ids, which say where its record is, and a 256-bit secret. Only the SHA-256 of the secret is stored, so a
// copy of the table opens nothing. 256 random bits need no slow hash (OWASP ASVS 5.0, 11.4.2 asks for one only for low
// entropy).
package token

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/oklog/ulid/v2"
)

// secretSize is the secret's length in bytes: 256 bits (ASVS 7.2.3 asks for at least 128).
const secretSize = 32

// maxLen bounds a token before it is parsed (C34).
const maxLen = 256

// ErrMalformed is what Parse returns for anything that Issue did not make, without a reason.
var ErrMalformed = errors.New("malformed token")

// Kind is the kind of a token. One kind never passes for another, because it is part of the token and of its hash.
type Kind string

// The kinds of token.
const (
	Access        Kind = "uas" // opens the API for one session
	Refresh       Kind = "uar" // renews that session, once
	Ticket        Kind = "uat" // one step of a sign-in
	TrustedDevice Kind = "uad" // a trusted device, in place of the second factor
	PasswordLink  Kind = "upl" // sets a password, once; mailed

	APIKey    Kind = "ua"  // an API client's long-lived credential, in a form of its own (key.go)
	KeyAccess Kind = "uak" // opens the API for one session that a key opened

	ClientSecret Kind = "uac" // proves who an application is; it belongs to no account
)

// Token is a parsed token: the ids of its account and its record, and the secret to compare with the record's hash.
type Token struct {
	Kind    Kind
	Account ulid.ULID
	ID      ulid.ULID
	// KeyID is the API key that opened the session of a KeyAccess, so that one read finds both; zero for the other kinds.
	KeyID ulid.ULID
	// family is the part of a Refresh that its successors share (refresh.go); zero for the other kinds.
	family [secretSize]byte
	secret [secretSize]byte
}

// Issue returns a new token of a kind for the record id of an account. random is crypto/rand.Reader outside tests.
// It returns an error only if random fails.
func Issue(random io.Reader, kind Kind, account, id ulid.ULID) (Token, error) {
	t := Token{Kind: kind, Account: account, ID: id}
	if _, err := io.ReadFull(random, t.secret[:]); err != nil {
		return Token{}, fmt.Errorf("read random: %w", err)
	}
	if kind == Refresh {
		if _, err := io.ReadFull(random, t.family[:]); err != nil {
			return Token{}, fmt.Errorf("read random: %w", err)
		}
	}
	return t, nil
}

// Reveal returns the token's text, for the one answer that hands it to its owner.
func (t Token) Reveal() string {
	if t.Kind == APIKey {
		return t.revealKey()
	}
	raw := make([]byte, 0, 3*16+2*secretSize)
	raw = append(raw, t.Account[:]...)
	raw = append(raw, t.ID[:]...)
	if t.Kind == KeyAccess {
		raw = append(raw, t.KeyID[:]...)
	}
	if t.Kind == Refresh {
		raw = append(raw, t.family[:]...)
	}
	raw = append(raw, t.secret[:]...)
	return string(t.Kind) + "_" + base64.RawURLEncoding.EncodeToString(raw)
}

// String keeps a token out of logs and error texts.
func (t Token) String() string { return "[secret]" }

// GoString keeps a token out of %#v.
func (t Token) GoString() string { return "[secret]" }

// Hash returns what is stored: SHA-256 over the kind and the secret.
func (t Token) Hash() []byte {
	h := sha256.New()
	h.Write([]byte(t.Kind))
	if t.Kind == Refresh {
		h.Write(t.family[:])
	}
	h.Write(t.secret[:])
	return h.Sum(nil)
}

// Matches reports, in constant time, whether the token is the one that hash was stored for.
func (t Token) Matches(hash []byte) bool {
	return subtle.ConstantTimeCompare(t.Hash(), hash) == 1
}

// Parse reads a token of the wanted kind. Anything else, longer, shorter or of another kind, is ErrMalformed.
func Parse(kind Kind, text string) (Token, error) {
	if len(text) > maxLen {
		return Token{}, ErrMalformed
	}
	body, ok := strings.CutPrefix(text, string(kind)+"_")
	if !ok {
		return Token{}, ErrMalformed
	}
	if kind == APIKey {
		return parseKey(body)
	}
	ids, family := 2*16, 0
	switch kind {
	case KeyAccess:
		ids = 3 * 16
	case Refresh:
		family = secretSize
	default: // two ids and a secret
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(body)
	if err != nil || len(raw) != ids+family+secretSize || strings.ContainsAny(body, "\r\n") {
		return Token{}, ErrMalformed
	}
	t := Token{Kind: kind}
	copy(t.Account[:], raw[:16])
	copy(t.ID[:], raw[16:32])
	copy(t.KeyID[:], raw[32:ids])
	copy(t.family[:family], raw[ids:])
	copy(t.secret[:], raw[ids+family:])
	return t, nil
}

// newID makes ids that sort in the order in which a process made them, within a millisecond too: of what is written
// together, such as a block and the mail that tells of it, the log shows the cause first.
var newID = monotonicIDs()

func monotonicIDs() func() ulid.ULID {
	entropy := &ulid.LockedMonotonicReader{MonotonicReader: ulid.Monotonic(rand.Reader, 0)}
	return func() ulid.ULID { return ulid.MustNew(ulid.Now(), entropy) }
}

// NewID returns a new sortable id (ULID). Ids are no secrets: those of one millisecond lie close together.
func NewID() ulid.ULID { return newID() }

// NewIDString is NewID as text.
func NewIDString() string { return NewID().String() }
