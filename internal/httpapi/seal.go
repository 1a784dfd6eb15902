package httpapi

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
)

// minSealKey is the minimum length of an environment's key: 256 bits.
const minSealKey = 32

// errSealed is returned for anything that was not sealed with this key and context. It does not say why.
var errSealed = errors.New("not sealed by this key for this use")

// sealer returns authenticated encryption (AES-256-GCM with random nonces) under a derived key for each purpose and
// account. So a text sealed for one cannot be opened for another, and no key is used often enough for nonces to repeat.
func sealer(key []byte, purpose, account string) (cipher.AEAD, error) {
	if len(key) < minSealKey {
		return nil, fmt.Errorf("the environment's key has %d bytes, not %d", len(key), minSealKey)
	}
	derived, err := hkdf.Key(sha256.New, key, []byte(purpose), account, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// seal encrypts text so that it opens only with the same key and context.
func seal(aead cipher.AEAD, text []byte, context string) []byte {
	//nolint:gosec // sealer's AEAD draws the nonce itself, which is why none is given
	return aead.Seal(nil, nil, text, []byte(context))
}

// open is the reverse of seal.
func open(aead cipher.AEAD, sealed []byte, context string) ([]byte, error) {
	text, err := aead.Open(nil, nil, sealed, []byte(context))
	if err != nil {
		return nil, errSealed
	}
	return text, nil
}
