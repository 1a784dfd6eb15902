// Package session has sessions, the tickets between the steps of a sign-in, and API keys: what they hold and when they
// expire. Expiry is always a comparison with the clock and never left to the table's time-to-live (C46).
package session

import "time"

// Session is one sign-in of one account on one client.
type Session struct {
	AccountID string
	ID        string
	// AccessHash and RefreshHash are the SHA-256 of the current tokens. UsedRefreshHash is that of the previous refresh
	// token, which was exchanged at Renewed.
	AccessHash      []byte
	RefreshHash     []byte
	UsedRefreshHash []byte
	Renewed         time.Time
	// FamilyHash recognises every refresh token that the session ever had: the second use of any closes it. Salt is for
	// deriving the successors of its tokens (token.Successors).
	FamilyHash []byte
	Salt       []byte
	// Epoch is the account's when the session began.
	Epoch int64

	Client    string
	UserAgent string
	Address   string
	// ByCookie is true for a session of our own web pages, whose tokens are cookies. It is renewed by its cookie, any
	// other by the token itself (C35).
	ByCookie bool
	// KeyID is the id of the API key that opened it, empty for a person's. Such a session ends with its key.
	KeyID string

	Start time.Time
	// Proved is when the person last proved who they are within the session, zero for not since its start.
	Proved time.Time
	// RefreshDue is when the session ends unless it is refreshed, HardEnd when it ends in any case.
	RefreshDue time.Time
	HardEnd    time.Time
	// Closed is when it was closed, zero while it is not; Reason says by what.
	Closed time.Time
	Reason Reason
	// ClosedBy and ClosedByID say who closed it, empty for the system; ClosedFrom is from which network address.
	ClosedBy, ClosedByID, ClosedFrom string
}

// AuthenticatedAt returns when the person last proved who they are.
func (s Session) AuthenticatedAt() time.Time {
	if s.Proved.After(s.Start) {
		return s.Proved
	}
	return s.Start
}

// End is how a session is closed: when, why, by whom and from where.
type End struct {
	At          time.Time
	Reason      Reason
	By, ByID    string
	FromAddress string
}

// RefreshGrace is for how long after a refresh the previous token still gets the same answer: long enough for a client
// whose answer was lost to ask again, too short for a thief to follow the owner.
const RefreshGrace = 10 * time.Second

// InRefreshGrace reports whether the previous refresh token may get its answer again at now.
func (s Session) InRefreshGrace(now time.Time) bool {
	return !s.Renewed.IsZero() && !now.Before(s.Renewed.Add(-RefreshGrace)) && now.Before(s.Renewed.Add(RefreshGrace))
}

// MaxLifetime is how long a session can last at most, whatever the settings say.
const MaxLifetime = 24 * time.Hour

// Reason says what closed a session.
type Reason string

// The reasons for which a session is closed.
const (
	SignedOut     Reason = "signedOut"
	ClosedByOwner Reason = "closedByOwner"
	ClosedByAdmin Reason = "closedByAdministrator"
	RefreshReused Reason = "refreshReused"
)

// Live reports whether the session is open at now for an account of the given epoch.
func (s Session) Live(now time.Time, epoch int64) bool {
	return s.Closed.IsZero() && now.Before(s.RefreshDue) && now.Before(s.HardEnd) && s.Epoch == epoch
}

// NextRefreshDue returns when a session refreshed at now has to be refreshed again.
func (s Session) NextRefreshDue(now time.Time, idle time.Duration) time.Time {
	due := now.Add(idle)
	if due.After(s.HardEnd) {
		return s.HardEnd
	}
	return due
}

// Step is what a sign-in needs next.
type Step string

// The steps. Done means that the session is open.
const (
	Done              Step = "done"
	SecondFactor      Step = "secondFactor"
	SetUpSecondFactor Step = "setUpSecondFactor"
	ChangePassword    Step = "changePassword"
)

// Proof is something that a sign-in proved so far.
type Proof string

// The proofs. A passkey that verified its user is two factors at once. A provider's sign-in is the first factor, and
// the second only where the environment trusts the provider to ask for one. ByOwnSecondFactor is any second factor of
// the account, or its set-up just now; ByTrustedDevice is a trusted device in place of one.
const (
	ByPassword        Proof = "password"
	ByPasskey         Proof = "passkey"
	ByProvider        Proof = "provider"
	ByProviderWithMFA Proof = "providerWithSecondFactor"
	ByOwnSecondFactor Proof = "secondFactor"
	ByTrustedDevice   Proof = "rememberedDevice"
)

// IsUnguessable reports whether the proof is a first factor that cannot be guessed.
func (p Proof) IsUnguessable() bool {
	return p == ByPasskey || p == ByProvider || p == ByProviderWithMFA
}

// Ticket lets its holder take one step of a sign-in, once.
type Ticket struct {
	AccountID string
	ID        string
	Hash      []byte
	Step      Step
	// Proved is what the sign-in proved before it got the ticket.
	Proved []Proof
	// SeparateTries says that the account's failed tries concern this sign-in neither now nor in its next steps.
	SeparateTries bool
	Epoch         int64
	Client        string
	Expires       time.Time
}

// TicketLife is how long a ticket is valid (V34: at most 5 minutes).
const TicketLife = 5 * time.Minute

// Usable reports whether the ticket is valid for a step at now, for an account of the given epoch.
func (t Ticket) Usable(step Step, now time.Time, epoch int64) bool {
	return t.Step == step && now.Before(t.Expires) && t.Epoch == epoch
}
