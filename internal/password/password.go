// Package password hashes and verifies passwords, and checks new ones against the policy.
package password

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"useraccounts/internal/environment"
)

// Argon2id parameters: OWASP Password Storage Cheat Sheet, first choice (19 MiB, two passes, one lane).
const (
	memoryKiB = 19456
	passes    = 2
	lanes     = 1
	saltSize  = 16
	keySize   = 32

	// A stored hash that asks for more is rejected: a damaged or planted row costs at most 128 MiB and ten times the work
	// of a usual verification.
	maxMemoryKiB = 128 << 10
	maxWork      = 10 * memoryKiB * passes
)

// MaxLength is the longest password in characters; more is refused rather than cut (V03).
const MaxLength = 128

// Argon2id is the product's password hash. The zero value is ready to use.
type Argon2id struct{}

// Hash returns the PHC string of the password in Unicode NFC.
func (Argon2id) Hash(password string) (string, error) {
	salt := make([]byte, saltSize)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("read random: %w", err)
	}
	key := argon2.IDKey([]byte(norm.NFC.String(password)), salt, passes, memoryKiB, lanes, keySize)
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, memoryKiB, passes, lanes, enc.EncodeToString(salt), enc.EncodeToString(key)), nil
}

// Verify reports whether hash is that of the password. An empty or unreadable hash costs the same work and is never
// right, so that accounts without a password and unknown accounts answer in the same time (C24).
func (Argon2id) Verify(hash, password string) bool {
	h, err := parse(hash)
	if err != nil {
		h = dummyHash()
	}
	// The policy accepts no longer password, in any Unicode form: one character can decompose into three. Hashing a
	// longer one would only cost time.
	tooLong := len(password) > MaxLength*3*utf8.UTFMax
	if tooLong {
		password = ""
	}
	key := argon2.IDKey([]byte(norm.NFC.String(password)), h.salt, h.passes, h.memory, h.lanes,
		uint32(len(h.key))) //nolint:gosec // parse bounds it
	return subtle.ConstantTimeCompare(key, h.key) == 1 && err == nil && !tooLong
}

// NeedsRehash reports whether a hash was made with less work than Hash does now, and should be replaced at the next
// sign-in (V08). Text that is no hash needs none.
func (Argon2id) NeedsRehash(hash string) bool {
	h, err := parse(hash)
	return err == nil &&
		(h.memory < memoryKiB || h.passes < passes || h.lanes < lanes || len(h.salt) < saltSize || len(h.key) < keySize)
}

type phcHash struct {
	memory, passes uint32
	lanes          uint8
	salt, key      []byte
}

func dummyHash() phcHash {
	return phcHash{
		memory: memoryKiB, passes: passes, lanes: lanes, salt: make([]byte, saltSize),
		key: make([]byte, keySize),
	}
}

var errInvalidHash = errors.New("not an argon2id hash")

// parse reads a PHC string within bounds, so that a damaged row cannot ask for gigabytes.
func parse(hash string) (phcHash, error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return phcHash{}, errInvalidHash
	}
	var p phcHash
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.passes, &p.lanes); err != nil || n != 3 {
		return phcHash{}, errInvalidHash
	}
	if p.memory < 8 || p.memory > maxMemoryKiB || p.passes < 1 || p.passes > 16 || p.lanes < 1 || p.lanes > 16 ||
		p.memory*p.passes > maxWork {
		return phcHash{}, errInvalidHash
	}
	var err1, err2 error
	p.salt, err1 = base64.RawStdEncoding.DecodeString(parts[4])
	p.key, err2 = base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(p.salt) < 8 || len(p.salt) > 64 || len(p.key) < 16 || len(p.key) > 64 {
		return phcHash{}, errInvalidHash
	}
	return p, nil
}

// alphabet has the characters of generated passwords besides hyphens: letters and digits that do not look alike.
const (
	lowerCase = "abcdefghijkmnpqrstuvwxyz"
	upperCase = "ABCDEFGHJKLMNPQRSTUVWXYZ"
	digits    = "23456789"
	alphabet  = lowerCase + upperCase + digits
)

// generatedLength is the length of a generated password, unless the policy wants more. 20 of the characters are random
// (116 bits).
const generatedLength = 24

// Generate returns a random password that Check allows: lower-case letters, capitals and digits in groups of four, with
// hyphens between. So it has every character class and can be read out.
func (a Argon2id) Generate(settings environment.Settings, words []string) (string, error) {
	length := min(max(generatedLength, settings.PasswordMinLength), MaxLength)
	// A password without a digit, for example, or with a word of the person in it, is drawn again. Most are accepted.
	for range 1000 {
		made, err := generate(length)
		if err != nil {
			return "", err
		}
		if len(a.Check(settings, made, words)) == 0 && strings.ContainsAny(made, lowerCase) &&
			strings.ContainsAny(made, upperCase) && strings.ContainsAny(made, digits) {
			return made, nil
		}
	}
	return "", errors.New("the policy allows none of the passwords generated")
}

func generate(length int) (string, error) {
	out := make([]byte, length)
	for i := range out {
		if i%5 == 4 && i != length-1 {
			out[i] = '-'
			continue
		}
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			return "", fmt.Errorf("read random: %w", err)
		}
		out[i] = alphabet[n.Int64()]
	}
	return string(out), nil
}
