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
	// Credential is the authenticator's own id of it, PublicKey its key in COSE.
	Credential, PublicKey []byte
	// Counter is how often the authenticator says it has signed; many always say 0.
	Counter int64
	// Synced says that the authenticator may keep copies of it elsewhere. It never changes.
	Synced     bool
	Transports []string
	Name       string
	// Created is when it was set up, Last when it was used, from Address.
	Created, LastUsed time.Time
	Address           string
}

// PasskeyChange is what one use of a passkey writes: it has to have the counter of Was still.
type PasskeyChange struct {
	Before, After Passkey
}

// PasskeyRegistrar makes what a browser is asked for to make a passkey, and checks what it made. Options are JSON, to
// be handed to the browser as they are; so is a credential, the other way.
type PasskeyRegistrar interface {
	// CreationOptions returns the options to make a passkey for who, who has some already.
	CreationOptions(challenge []byte, who PasskeyUser, have []Passkey) ([]byte, error)
	// AttestationChallenge returns which challenge a new credential says that it answers; Invalid if it is none.
	AttestationChallenge(credential []byte) ([]byte, error)
	// VerifyAttestation checks a new credential, and returns the passkey without id, name and times; Invalid if it is not
	// right.
	VerifyAttestation(challenge []byte, who PasskeyUser, credential []byte) (Passkey, error)
}

// PasskeyVerifier makes what a browser is asked for to use a passkey, and checks what it answers.
type PasskeyVerifier interface {
	// RequestOptions returns the options to use one of the passkeys, or any that the person chooses where there are none.
	RequestOptions(challenge []byte, from []Passkey) ([]byte, error)
	// ParseAssertion returns what an answer says of itself, before anything is verified; Invalid if it is none.
	ParseAssertion(credential []byte) (Assertion, error)
	// VerifyAssertion checks the answer to a challenge and returns the counter it came with, and whether it is right:
	// signed by the passkey, for our origin, by a person who was there, and who proved to the authenticator who they are
	// if verified asks so.
	VerifyAssertion(challenge []byte, a Assertion, accountID string, key Passkey, verified bool) (counter int64,
		right bool)
}

// Assertion is what a browser sends when a passkey was used.
type Assertion struct {
	Credential, UserHandle, Challenge []byte
	Raw                               []byte
}

// PasskeyUser is for whom a passkey is made, as the authenticator lists it.
type PasskeyUser struct {
	AccountID, Username, Name string
}

// UserHandle returns what authenticators know an account by. It is the account's id: random but for the time at which
// it was made, the same for life whatever the username becomes (C16), and known to its owner anyway.
func UserHandle(accountID string) []byte {
	id, err := ulid.ParseStrict(accountID)
	if err != nil {
		return nil
	}
	return id.Bytes()
}

// AccountFromHandle returns the account that a handle is of, or "".
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

// TicketChallenge returns the challenge of a step's ticket. A ticket is random, good once and for minutes, and so is
// what follows from it: there is nothing to store, and what answers the one ticket answers no other (C31).
func TicketChallenge(ticketHash []byte, purpose string) []byte {
	out := sha256.Sum256(append([]byte("useraccounts/1 challenge "+purpose+"\x00"), ticketHash...))
	return out[:]
}

// What a ticket's challenge is for.
const (
	PurposeAssertion = "use"
	PurposeCreation  = "create"
)

// FindPasskey returns the passkey with an authenticator's id.
func (f Factors) FindPasskey(credential []byte) (Passkey, bool) {
	for _, p := range f.Passkeys {
		if string(p.Credential) == string(credential) {
			return p, true
		}
	}
	return Passkey{}, false
}

// Cloned reports whether a counter says that the passkey is in two places: it fell, or stood still, where it is
// counted.
func (p Passkey) Cloned(counter int64) bool {
	return (counter != 0 || p.Counter != 0) && counter <= p.Counter
}

// WithUse returns the use of the passkey at now.
func (p Passkey) WithUse(counter int64, now time.Time, address string) *PasskeyChange {
	after := p
	after.Counter, after.LastUsed, after.Address = counter, now, address
	return &PasskeyChange{Before: p, After: after}
}

// PasskeyName reads what a person calls a passkey; one without a name gets another.
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

// ConfirmPasskey checks a new credential of somebody who has others. It returns the change that keeps it, and where it
// is the first second factor (anew) new recovery codes to show once.
func (s *Enroller) ConfirmPasskey(challenge []byte, who PasskeyUser, have Factors, firstFactor bool, credential []byte,
	name string) (Change, []string, error) {
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
		return Change{}, nil, fault.New(fault.Conflict, "passkeyKnown", "This passkey is set up already.")
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

// BeginPasskey returns the options to make a passkey for somebody who has others.
func (s *Enroller) BeginPasskey(challenge []byte, who PasskeyUser, have Factors) ([]byte, error) {
	if err := checkPasskeyLimit(have); err != nil {
		return nil, err
	}
	return s.Passkeys.CreationOptions(challenge, who, have.Passkeys)
}

func checkPasskeyLimit(have Factors) error {
	if len(have.Passkeys) >= PasskeyLimit {
		return fault.New(fault.Conflict, "passkeysFull", "There are %d passkeys already; remove one first.", PasskeyLimit)
	}
	return nil
}
