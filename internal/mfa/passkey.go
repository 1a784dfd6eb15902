package mfa

import (
	"crypto/sha256"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

const (
	// PasskeyLimit is how many passkeys an account can have.
	PasskeyLimit = 10
	// ChallengeLife is how long somebody has to answer a challenge.
	ChallengeLife = 5 * time.Minute
	// MaxCredential bounds what a browser sends of a passkey.
	MaxCredential = 16 << 10

	challengeSize = 32
)

// Passkey is one WebAuthn credential of an account.
type Passkey struct {
	ID string
	// Credential is the credential id, PublicKey the key in COSE.
	Credential, PublicKey []byte
	// Counter is the signature counter; many authenticators always send 0.
	Counter int64
	// Synced says that the passkey may be copied to other devices (backup eligible). It never changes.
	Synced     bool
	Transports []string
	Name       string
	// Created is when it was set up, LastUsed when it was used last, from Address.
	Created, LastUsed time.Time
	Address           string
}

// PasskeyChange is a change of a passkey, on the condition that its counter is still that of Before.
type PasskeyChange struct {
	Before, After Passkey
}

// PasskeyRegistrar registers passkeys. Options are JSON for the browser, a credential is JSON from the browser.
type PasskeyRegistrar interface {
	// CreationOptions returns the options to create a passkey for a user who has these already.
	CreationOptions(challenge []byte, who PasskeyUser, have []Passkey) ([]byte, error)
	// AttestationChallenge returns the challenge that a new credential claims to answer; Invalid if it is no credential.
	AttestationChallenge(credential []byte) ([]byte, error)
	// VerifyAttestation verifies a new credential and returns the passkey, without id, name and times; Invalid if it is
	// wrong.
	VerifyAttestation(challenge []byte, who PasskeyUser, credential []byte) (Passkey, error)
}

// PasskeyVerifier asks for passkeys and verifies the answers.
type PasskeyVerifier interface {
	// RequestOptions returns the options to use one of the passkeys, or any that the person chooses where none is given.
	RequestOptions(challenge []byte, from []Passkey) ([]byte, error)
	// ParseAssertion reads an assertion without verifying it; Invalid if it is none.
	ParseAssertion(credential []byte) (Assertion, error)
	// VerifyAssertion verifies the assertion for a challenge: signed by the passkey, for our origin, with user presence,
	// and with user verification where that is required. It returns the assertion's counter and whether it is right.
	VerifyAssertion(challenge []byte, a Assertion, accountID string, key Passkey, userVerification bool) (
		counter int64, right bool)
}

// Assertion is a browser's answer when a passkey was used.
type Assertion struct {
	Credential, UserHandle, Challenge []byte
	Raw                               []byte
}

// PasskeyUser is the user of a passkey, as the authenticator shows it.
type PasskeyUser struct {
	AccountID, Username, Name string
}

// UserHandle returns the WebAuthn user handle of an account, which is its id: the same for life whatever the username
// becomes (C16), and known to its owner anyway.
func UserHandle(accountID string) []byte {
	id, err := ulid.ParseStrict(accountID)
	if err != nil {
		return nil
	}
	return id.Bytes()
}

// AccountFromHandle returns the account id of a user handle, or "".
func AccountFromHandle(handle []byte) string {
	var id ulid.ULID
	if id.UnmarshalBinary(handle) != nil {
		return ""
	}
	return id.String()
}

// NewChallenge returns a new challenge.
func NewChallenge(random io.Reader) ([]byte, error) {
	out := make([]byte, challengeSize)
	if _, err := io.ReadFull(random, out); err != nil {
		return nil, fmt.Errorf("read random: %w", err)
	}
	return out, nil
}

// TicketChallenge derives the challenge of a step from its ticket. A ticket is random and valid once, for minutes, and
// so is the challenge. Nothing has to be stored, and an answer to one ticket answers no other (C31).
func TicketChallenge(ticketHash []byte, purpose string) []byte {
	out := sha256.Sum256(append([]byte("useraccounts/1 challenge "+purpose+"\x00"), ticketHash...))
	return out[:]
}

// What a ticket's challenge is for.
const (
	PurposeAssertion = "use"
	PurposeCreation  = "create"
)

// FindPasskey returns the passkey with a credential id.
func (f Factors) FindPasskey(credential []byte) (Passkey, bool) {
	for _, p := range f.Passkeys {
		if string(p.Credential) == string(credential) {
			return p, true
		}
	}
	return Passkey{}, false
}

// Cloned reports whether a signature counter that did not rise says that there is a copy of the passkey.
func (p Passkey) Cloned(counter int64) bool {
	return (counter != 0 || p.Counter != 0) && counter <= p.Counter
}

// WithUse returns the use of the passkey at now.
func (p Passkey) WithUse(counter int64, now time.Time, address string) *PasskeyChange {
	after := p
	after.Counter, after.LastUsed, after.Address = counter, now, address
	return &PasskeyChange{Before: p, After: after}
}

// PasskeyName reads the name that a person gives a passkey; otherwise is the name of one without.
func PasskeyName(text, otherwise string) (string, error) {
	def := field.Def[Passkey]{Name: "name", Label: "Name", Kind: field.Text, Max: 100}
	name, bad := def.Clean(text)
	if bad != nil {
		return "", fault.InvalidFields([]fault.Field{*bad})
	}
	if name = strings.TrimSpace(name); name == "" {
		name = otherwise
	}
	return name, nil
}

// ConfirmPasskey verifies a new credential of somebody who has these factors. It returns the change that keeps it and,
// for a first second factor, new recovery codes to show once.
func (s *Enroller) ConfirmPasskey(challenge []byte, who PasskeyUser, have Factors, firstFactor bool, credential []byte,
	name string,
) (Change, []string, error) {
	name, err := PasskeyName(name, "Passkey")
	if err != nil {
		return Change{}, nil, err
	}
	if err := checkPasskeyLimit(have); err != nil {
		return Change{}, nil, err
	}
	made, err := s.Passkeys.VerifyAttestation(challenge, who, credential)
	if err != nil {
		return Change{}, nil, err
	}
	if _, known := have.FindPasskey(made.Credential); known {
		return Change{}, nil, fault.New(fault.Conflict, "passkeyKnown", "This passkey is already set up.")
	}
	made.ID, made.Name, made.Created = s.NewID(), name, s.now()
	out := Change{NewPasskey: &made, FirstFactor: firstFactor}
	var shown []string
	if firstFactor {
		if shown, out.Codes, err = NewRecoveryCodes(s.Random, s.Hasher); err != nil {
			return Change{}, nil, err
		}
	}
	return out, shown, nil
}

// BeginPasskey returns the options to create a passkey for somebody who has these factors.
func (s *Enroller) BeginPasskey(challenge []byte, who PasskeyUser, have Factors) ([]byte, error) {
	if err := checkPasskeyLimit(have); err != nil {
		return nil, err
	}
	return s.Passkeys.CreationOptions(challenge, who, have.Passkeys)
}

func checkPasskeyLimit(have Factors) error {
	if len(have.Passkeys) >= PasskeyLimit {
		return fault.New(fault.Conflict, "passkeysFull", "There are already %d passkeys. Remove one first.", PasskeyLimit)
	}
	return nil
}
