package token

import (
	"encoding/base32"
	"io"
	"strings"

	"github.com/oklog/ulid/v2"
)

// ulidLength is the length of a ULID as text.
const ulidLength = 26

// keyEncoding is the alphabet of ULIDs, in which a key's secret is written too. People read keys from screens,
// double-click them and paste them into configuration files, so a key has capital letters, digits and two "_", and no
// other sign.
var keyEncoding = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// revealKey returns a key's text, ua_<id>_<secret>. The id is the key's own and then its account's. So the text begins
// with what tells one key from another, and one read finds both.
func (t Token) revealKey() string {
	return KeyPrefix(t.ID.String()) + t.Account.String() + "_" + keyEncoding.EncodeToString(t.secret[:])
}

// KeyPrefix returns the beginning of the text of the key with that id, which a list of keys shows.
func KeyPrefix(id string) string { return string(APIKey) + "_" + id }

// parseKey reads what follows "ua_".
func parseKey(body string) (Token, error) {
	ids, secret, _ := strings.Cut(body, "_")
	if len(ids) != 2*ulidLength {
		return Token{}, ErrMalformed
	}
	t := Token{Kind: APIKey}
	var err error
	if t.ID, err = ulid.ParseStrict(ids[:ulidLength]); err != nil {
		return Token{}, ErrMalformed
	}
	if t.Account, err = ulid.ParseStrict(ids[ulidLength:]); err != nil {
		return Token{}, ErrMalformed
	}
	raw, err := keyEncoding.DecodeString(secret)
	if err != nil || len(raw) != secretSize {
		return Token{}, ErrMalformed
	}
	copy(t.secret[:], raw)
	if t.revealKey() != string(APIKey)+"_"+body { // one text for each key: no other case, no stray bits at the end (C30)
		return Token{}, ErrMalformed
	}
	return t, nil
}

// IssueKeyAccess returns a new KeyAccess for the session id of an account, which the key keyID opened.
func IssueKeyAccess(random io.Reader, account, id, keyID ulid.ULID) (Token, error) {
	t, err := Issue(random, KeyAccess, account, id)
	t.KeyID = keyID
	return t, err
}

// KindOf returns the kind that the text of a bearer token claims, or Access by default. It only decides by which rules
// the text is parsed.
func KindOf(bearer string) Kind {
	for _, kind := range []Kind{APIKey, KeyAccess} {
		if strings.HasPrefix(bearer, string(kind)+"_") {
			return kind
		}
	}
	return Access
}
