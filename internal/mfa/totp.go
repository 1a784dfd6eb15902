package mfa

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"image/png"
	"io"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"
)

const (
	// seedSize is 160 bits (RFC 4226, 4), period the length of a time step in seconds.
	seedSize = 20
	period   = 30
	digits   = 6
	qrSize   = 240
)

// TOTPEnrolment is what a person sets up an authenticator from, shown once.
type TOTPEnrolment struct {
	// Secret is for typing, URI is what the QR code says, QR the code as a data: URI of a PNG image.
	Secret, URI, QR string
}

// NewSeed returns a new seed from random, which is crypto/rand.Reader outside tests (V30).
func NewSeed(random io.Reader) ([]byte, error) {
	seed := make([]byte, seedSize)
	_, err := io.ReadFull(random, seed)
	return seed, err
}

// NewTOTPEnrolment returns what an authenticator is set up from.
func NewTOTPEnrolment(seed []byte, issuer, username string) (TOTPEnrolment, error) {
	key, err := totp.Generate(totp.GenerateOpts{
		// A second colon in the label is refused by FreeOTP and others.
		Issuer: strings.ReplaceAll(issuer, ":", " "), AccountName: strings.ReplaceAll(username, ":", " "),
		Secret: seed, Period: period,
		Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1, // what every authenticator knows
	})
	if err != nil {
		return TOTPEnrolment{}, err
	}
	picture, err := key.Image(qrSize, qrSize)
	if err != nil {
		return TOTPEnrolment{}, err
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		return TOTPEnrolment{}, err
	}
	return TOTPEnrolment{
		Secret: key.Secret(), URI: key.URL(),
		QR: "data:image/png;base64," + base64.StdEncoding.EncodeToString(out.Bytes()),
	}, nil
}

// maxCodeLength bounds a code before it is parsed.
const maxCodeLength = 64

// ParseCode reads the six digits that a person typed, with spaces anywhere. Nothing else is accepted, digits of other
// scripts neither, so that each code has one text (C11).
func ParseCode(text string) (string, bool) {
	if len(text) > maxCodeLength {
		return "", false
	}
	code := strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' || r == '\r' || r == '\n' {
			return -1
		}
		return r
	}, text)
	if len(code) != digits || strings.Trim(code, "0123456789") != "" {
		return "", false
	}
	return code, true
}

// MatchTOTP returns the time step for which a parsed code is right: the current one or the one before (V29), and later
// than used. The library's own Validate also accepts the next step, and does not return the step.
func MatchTOTP(seed []byte, code string, now time.Time, used int64) (int64, bool) {
	secret := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(seed)
	current := now.Unix() / period
	matched, found := int64(0), false
	for _, step := range []int64{current, current - 1} {
		right, err := hotp.ValidateCustom(code, uint64(step), secret, //nolint:gosec // after 1970
			hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if right && err == nil && step > used && !found {
			matched, found = step, true
		}
	}
	return matched, found
}
