// Package mail composes the mails of the product, dispatches them from the outbox, and reads the log of what was sent
// to whom.
//
// A Composer makes a Message, which is stored in the outbox by the transaction of the change that causes it: so there
// is neither a change without its mail nor a mail without its change. A Dispatcher in another function renders and
// sends it. The one secret that a mail can hold, a link's token or a code, is stored sealed and deleted once the mail
// is sent.
package mail

import (
	"context"
	"errors"
	"time"

	"useraccounts/internal/environment"
)

// Kind is what a mail is about.
type Kind string

// The kinds of mail.
const (
	// PasswordLink is a link to set a password, sent by an administrator; Welcome is the first link of an account.
	PasswordLink Kind = "passwordLink"
	Welcome      Kind = "welcome"
	// ForgottenPasswordLink is a link that the person requested.
	ForgottenPasswordLink Kind = "forgottenPassword"
	// PasswordChanged, Blocked, FactorAdded, FactorRemoved, FactorExempt, DevicesRemoved, IdentityLinked, IdentityUnlinked
	// and EmailChanged are notices.
	PasswordChanged  Kind = "passwordChanged"
	BlockedByTries   Kind = "blockedByTries"
	FactorAdded      Kind = "factorAdded"
	FactorRemoved    Kind = "factorRemoved"
	FactorExempt     Kind = "factorNotEnforced"
	DevicesRemoved   Kind = "devicesRemoved"
	IdentityLinked   Kind = "linkAdded"
	IdentityUnlinked Kind = "linkRemoved"
	EmailChanged     Kind = "emailChanged"
	UsernameChanged  Kind = "usernameChanged"
	// SignInSignInCode is a code for one sign-in.
	SignInCode Kind = "code"
	// KeyExpires is a notice that an API key expires soon, KeyCreated and KeyLocked that one was created or locked.
	KeyExpires Kind = "keyExpires"
	KeyCreated Kind = "keyCreated"
	KeyLocked  Kind = "keyLocked"
)

// Kinds returns every kind, in the order of the API reference.
func Kinds() []Kind {
	return []Kind{
		Welcome, PasswordLink, ForgottenPasswordLink, PasswordChanged, BlockedByTries, FactorAdded, FactorRemoved,
		FactorExempt, DevicesRemoved, IdentityLinked, IdentityUnlinked, EmailChanged, UsernameChanged, SignInCode, KeyExpires,
		KeyCreated, KeyLocked,
	}
}

// AboutPassword reports whether the mail is about setting a password.
func (k Kind) AboutPassword() bool {
	return k == Welcome || k == PasswordLink || k == ForgottenPasswordLink || k == PasswordChanged
}

// State is the state of a mail.
type State string

// The states of a mail. A mail that is still Sending when its lease ends is sent again: whether it was sent is unknown,
// and a link that comes twice is better than one that never comes.
const (
	Queued  State = "queued"
	Sending State = "sending"
	Sent    State = "sent"
	Failed  State = "failed"
)

// Message is one mail in the outbox.
type Message struct {
	// ID is a ULID; the communication log is in its order.
	ID  string
	Env string
	// Kind is what the mail is about, AccountID and Username whose account.
	Kind      Kind
	AccountID string
	Username  string
	// To and Name are the recipient's address and name, Sender is the sender's name.
	To, Name, Sender string
	At               time.Time
	// Detail completes the text: a reason, the name of a device or key, a new address.
	Detail string
	// Expires is when the link, code or key of the mail expires. An expired link or code is not sent.
	Expires time.Time
	// Sealed is the link's token or the code, which only the mailer can open.
	Sealed []byte
	// RetentionDays is how many days the log is kept.
	RetentionDays int
}

// HasSecret reports whether mails of the kind hold a link or a code, which is useless after Message.Expires.
func (k Kind) HasSecret() bool {
	return k == Welcome || k == PasswordLink || k == ForgottenPasswordLink || k == SignInCode
}

// Sealer encrypts a secret until the mail is sent. Opening it needs the same context.
type Sealer interface {
	Seal(ctx context.Context, plain, context []byte) ([]byte, error)
}

// Opener opens what a Sealer sealed.
type Opener interface {
	Open(ctx context.Context, sealed, context []byte) ([]byte, error)
}

// sealContext binds a sealed secret to its mail and recipient: it cannot be opened for another mail.
func (m Message) sealContext() []byte {
	return []byte("mail\x00" + m.Env + "\x00" + m.ID + "\x00" + m.AccountID + "\x00" + m.To)
}

// Composer makes messages for the outbox. A nil Composer makes none, for the seeding of first data.
type Composer struct {
	NewID  func() string
	Sealer Sealer
}

// Recipient is the person that a mail goes to.
type Recipient struct {
	AccountID, Username, Name, Email string
}

// IdentityChanged returns the notices of a change of username or email: to the address before the change, whose owner
// has to hear of it, and to the one after it (ASVS 6.3.7). A change of neither returns none.
func (c *Composer) IdentityChanged(env environment.Environment, before, after Recipient, at time.Time) []Message {
	if before.Email == after.Email && before.Username == after.Username {
		return nil
	}
	detail := ""
	if before.Username != after.Username {
		detail = "The username was " + before.Username + " before."
	}
	kind, to := UsernameChanged, []Recipient{after}
	if before.Email != after.Email {
		kind, to = EmailChanged, []Recipient{before, after}
	}
	var out []Message
	for _, r := range to {
		r.Username = after.Username
		out = append(out, c.Notice(env, kind, r, at, detail)...)
	}
	return out
}

// Notice returns a mail without a secret; none for an account without an address, such as an API client (C20).
func (c *Composer) Notice(env environment.Environment, kind Kind, to Recipient, at time.Time, detail string) []Message {
	if c == nil || to.Email == "" {
		return nil
	}
	return []Message{c.message(env, kind, to, at, detail)}
}

// ExpiringNotice returns a notice about something that expires.
func (c *Composer) ExpiringNotice(env environment.Environment, kind Kind, to Recipient, at, expires time.Time,
	detail string,
) []Message {
	out := c.Notice(env, kind, to, at, detail)
	for i := range out {
		out[i].Expires = expires
	}
	return out
}

// errNoComposer is returned where a function sends secrets, but was wired without a composer and sealer.
var errNoComposer = errors.New("mail: no composer with a sealer for a secret")

// SecretMail returns a mail with a link's token or a code.
func (c *Composer) SecretMail(ctx context.Context, env environment.Environment, kind Kind, to Recipient, at,
	expires time.Time, secret string,
) (Message, error) {
	if c == nil || c.Sealer == nil {
		return Message{}, errNoComposer
	}
	m := c.message(env, kind, to, at, "")
	m.Expires = expires
	var err error
	m.Sealed, err = c.Sealer.Seal(ctx, []byte(secret), m.sealContext())
	return m, err
}

func (c *Composer) message(env environment.Environment, kind Kind, to Recipient, at time.Time, detail string) Message {
	return Message{
		ID: c.NewID(), Env: env.ID, Kind: kind, AccountID: to.AccountID, Username: to.Username, To: to.Email, Name: to.Name,
		Sender: env.Settings.MailSenderName, At: at, Detail: detail, RetentionDays: env.Settings.LogRetentionDays,
	}
}
