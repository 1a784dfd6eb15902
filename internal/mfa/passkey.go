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
	// First is when it was set up, Last when it was used, from Address.
	First, Last time.Time
	Address     string
}

// PasskeyUse is what one use of a passkey writes: it has to have the counter of Was still.
type PasskeyUse struct {
	Was, Now Passkey
}

// PasskeyMaker makes what a browser is asked for to make a passkey, and checks what it made. Options are JSON, to be handed to
// the browser as they are; so is a credential, the other way.
type PasskeyMaker interface {
	// Creation returns the options to make a passkey for who, who has some already.
	Creation(challenge []byte, who Holder, have []Passkey) ([]byte, error)
	// Challenge returns which challenge a new credential says that it answers; Invalid if it is none.
	Challenge(credential []byte) ([]byte, error)
	// Created checks a new credential, and returns the passkey without id, name and times; Invalid if it is not right.
	Created(challenge []byte, who Holder, credential []byte) (Passkey, error)
}

// PasskeyChecker makes what a browser is asked for to use a passkey, and checks what it answers.
type PasskeyChecker interface {
	// Request returns the options to use one of the passkeys, or any that the person chooses where there are none.
	Request(challenge []byte, from []Passkey) ([]byte, error)
	// Read returns what an answer says of itself, before anything is verified; Invalid if it is none.
	Read(credential []byte) (Answer, error)
	// Verify checks the answer to a challenge and returns the counter it came with, and whether it is right: signed by the
	// passkey, for our origin, by a person who was there, and who proved to the authenticator who they are if verified asks so.
	Verify(challenge []byte, a Answer, accountID string, key Passkey, verified bool) (counter int64, right bool)
}

// Answer is what a browser sends when a passkey was used.
type Answer struct {
	Credential, Handle, Challenge []byte
	Raw                           []byte
}

// Holder is for whom a passkey is made, as the authenticator lists it.
type Holder struct {
	AccountID, Username, Name string
}

// Handle returns what authenticators know an account by. It is the account's id: random but for the time at which it was
// made, the same for life whatever the username becomes (C16), and known to its owner anyway.
func Handle(accountID string) []byte {
	id, err := ulid.ParseStrict(accountID)
	if err != nil {
		return nil
	}
	return id.Bytes()
}

// AccountOf returns the account that a handle is of, or "".
func AccountOf(handle []byte) string {
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

// TicketChallenge returns the challenge of a step's ticket. A ticket is random, good once and for minutes, and so is what
// follows from it: there is nothing to store, and what answers the one ticket answers no other (C31).
func TicketChallenge(ticketHash []byte, purpose string) []byte {
	out := sha256.Sum256(append([]byte("useraccounts/1 challenge "+purpose+"\x00"), ticketHash...))
	return out[:]
}

// What a ticket's challenge is for.
const (
	ToUse    = "use"
	ToCreate = "create"
)

// Find returns the passkey with an authenticator's id.
func (f Factors) Find(credential []byte) (Passkey, bool) {
	for _, p := range f.Passkeys {
		if string(p.Credential) == string(credential) {
			return p, true
		}
	}
	return Passkey{}, false
}

// Copied reports whether a counter says that the passkey is in two places: it fell, or stood still, where it is counted.
func (p Passkey) Copied(counter int64) bool {
	return (counter != 0 || p.Counter != 0) && counter <= p.Counter
}

// Used returns the use of the passkey at now.
func (p Passkey) Used(counter int64, now time.Time, address string) *PasskeyUse {
	after := p
	after.Counter, after.Last, after.Address = counter, now, address
	return &PasskeyUse{Was: p, Now: after}
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

// ConfirmPasskey checks a new credential of somebody who has others. It returns the change that keeps it, and where it is the
// first second factor (anew) new recovery codes to show once.
func (s *SetUp) ConfirmPasskey(challenge []byte, who Holder, have Factors, anew bool, credential []byte, name string) (Change, []string, error) {
	name, err := PasskeyName(name, "Passkey")
	if err != nil {
		return Change{}, nil, err
	}
	if err := passkeyRoom(have); err != nil {
		return Change{}, nil, err
	}
	made, err := s.Passkeys.Created(challenge, who, credential)
	if err != nil {
		return Change{}, nil, err
	}
	if _, known := have.Find(made.Credential); known {
		return Change{}, nil, fault.New(fault.Conflict, "passkeyKnown", "This passkey is set up already.")
	}
	made.ID, made.Name, made.First = s.NewID(), name, s.now()
	out := Change{Passkey: &made, Anew: anew}
	var shown []string
	if anew {
		if shown, out.Codes, err = NewCodes(s.Random, s.Hasher); err != nil {
			return Change{}, nil, err
		}
	}
	return out, shown, nil
}

// AskPasskey returns the options to make a passkey for somebody who has others.
func (s *SetUp) AskPasskey(challenge []byte, who Holder, have Factors) ([]byte, error) {
	if err := passkeyRoom(have); err != nil {
		return nil, err
	}
	return s.Passkeys.Creation(challenge, who, have.Passkeys)
}

func passkeyRoom(have Factors) error {
	if len(have.Passkeys) >= PasskeyLimit {
		return fault.New(fault.Conflict, "passkeysFull", "There are %d passkeys already; remove one first.", PasskeyLimit)
	}
	return nil
}
