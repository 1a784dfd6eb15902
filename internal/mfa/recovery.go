package mfa

import (
	"fmt"
	"io"
	"strings"
)

// A recovery code has 12 characters. Two say which code it is, so that verifying one costs one hash. Ten are the
// secret: 50 bits behind a slow hash and the limit of tries (V32).
const (
	// RecoveryCodeCount is how many are made.
	RecoveryCodeCount = 10

	lookupSize   = 2
	secretSize   = 10
	codeAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
)

// Hasher hashes and verifies with the password hash.
type Hasher interface {
	Hash(secret string) (string, error)
	Verify(hash, secret string) bool
}

// NewRecoveryCodes makes recovery codes: the texts to show once, and the hashes by lookup to keep.
func NewRecoveryCodes(random io.Reader, h Hasher) (shown []string, kept map[string]string, err error) {
	kept = make(map[string]string, RecoveryCodeCount)
	for len(shown) < RecoveryCodeCount {
		raw := make([]byte, lookupSize+secretSize)
		if _, err := io.ReadFull(random, raw); err != nil {
			return nil, nil, fmt.Errorf("read random: %w", err)
		}
		for i := range raw {
			raw[i] = codeAlphabet[raw[i]%32] // 256 is a multiple of 32
		}
		code := string(raw)
		if kept[code[:lookupSize]] != "" {
			continue
		}
		if kept[code[:lookupSize]], err = h.Hash(code); err != nil {
			return nil, nil, err
		}
		shown = append(shown, code[:4]+"-"+code[4:8]+"-"+code[8:])
	}
	return shown, kept, nil
}

// ParseRecovery reads a recovery code as typed: in upper or lower case, with spaces and hyphens anywhere.
func ParseRecovery(text string) (lookup, code string, ok bool) {
	if len(text) > maxCodeLength {
		return "", "", false
	}
	b := make([]byte, 0, lookupSize+secretSize)
	for i := range len(text) {
		c := text[i]
		switch {
		case c == ' ' || c == '-' || c == '\t' || c == '\r' || c == '\n':
			continue
		case c >= 'a' && c <= 'z':
			c -= 'a' - 'A'
		}
		if !strings.Contains(codeAlphabet, string(rune(c))) {
			return "", "", false
		}
		b = append(b, c)
	}
	if len(b) != lookupSize+secretSize {
		return "", "", false
	}
	return string(b[:lookupSize]), string(b), true
}
