// Package mail is the mails that the product sends: what each kind says, how one waits in the outbox until it is sent,
// and the log of what was sent to whom.
//
// A mail is written in the transaction of the change that causes it, so that there is neither a change without its mail
// nor a mail without its change. Another function sends it (Sending). The one secret that a mail can hold, a link's
// token or a code, waits sealed and goes once the mail is sent.
package mail

import (
	"context"
	"errors"
	"time"

	"useraccounts/internal/environment"
)

// Kind says what a mail is about.
type Kind string

// The kinds of mail.
const (
	// PasswordLink is a link to set a password, sent by an administrator; Welcome is the first one of an account.
	PasswordLink Kind = "passwordLink"
	Welcome      Kind = "welcome"
	// ForgottenPassword is such a link that the person asked for.
	ForgottenPassword Kind = "forgottenPassword"
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
	// SignInCode is a code for one sign-in.
	SignInCode Kind = "code"
	// KeyExpires tells that an API key is about to expire.
	KeyExpires Kind = "keyExpires"
)

// Kinds returns every kind, in the order in which they are described.
func Kinds() []Kind {
	return []Kind{
		Welcome, PasswordLink, ForgottenPassword, PasswordChanged, BlockedByTries, FactorAdded, FactorRemoved, FactorExempt,
		DevicesRemoved, IdentityLinked, IdentityUnlinked, EmailChanged, SignInCode, KeyExpires,
	}
}

// AboutPassword reports whether the mail sets, or tells of, a password.
func (k Kind) AboutPassword() bool {
	return k == Welcome || k == PasswordLink || k == ForgottenPassword || k == PasswordChanged
}

// State is how far a mail is.
type State string

// The states of a mail. One that is Underway when its lease ends is sent again: whether it left is not known then, and
// a link that comes twice is better than one that never comes.
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
	// Kind, AccountID and Username say what the mail is about and whose it is.
	Kind      Kind
	AccountID string
	Username  string
	// To and Name are the address and the name that the mail goes to, Sender the name that it comes from.
	To, Name, Sender string
	At               time.Time
	// Detail is what else the text says: a reason, a device's or a key's name, a new address.
	Detail string
	// Expires is when what the mail is about ends: its link, its code, a key. A link or a code is not sent any more then.
	Expires time.Time
	// Sealed is the link's token or the code, readable to the mailer alone.
	Sealed []byte
	// RetentionDays is for how many days the log is kept.
	RetentionDays int
}

// HasSecret reports whether mails of the kind hold a link or a code, which is of no use after Message.Expires.
func (k Kind) HasSecret() bool {
	return k == Welcome || k == PasswordLink || k == ForgottenPassword || k == SignInCode
}

// Sealer closes a secret until the mail is sent. The context says whose it is, and has to be the same to open it.
type Sealer interface {
	Seal(ctx context.Context, plain, context []byte) ([]byte, error)
}

// Opener opens what a Sealer closed.
type Opener interface {
	Open(ctx context.Context, sealed, context []byte) ([]byte, error)
}

// sealContext binds a sealed secret to its mail and its addressee: put into another mail it cannot be opened.
func (m Message) sealContext() []byte {
	return []byte("mail\x00" + m.Env + "\x00" + m.ID + "\x00" + m.AccountID + "\x00" + m.To)
}

// Composer writes mails. A nil Desk writes none: who makes the first data has nobody to tell.
type Composer struct {
	NewID  func() string
	Sealer Sealer
}

// Recipient is whom a mail goes to.
type Recipient struct {
	AccountID, Username, Name, Email string
}

// Notice returns a mail without a secret; none for an account without an address, such as an API client's (C20).
func (d *Composer) Notice(env environment.Environment, kind Kind, to Recipient, at time.Time, detail string) []Message {
	if d == nil || to.Email == "" {
		return nil
	}
	return []Message{d.message(env, kind, to, at, detail)}
}

// ExpiringNotice returns a notice about something that ends at a time.
func (d *Composer) ExpiringNotice(env environment.Environment, kind Kind, to Recipient, at, expires time.Time,
	detail string) []Message {
	out := d.Notice(env, kind, to, at, detail)
	for i := range out {
		out[i].Expires = expires
	}
	return out
}

// errNoComposer is a function that was built to send secrets without what it takes.
var errNoComposer = errors.New("mail: no desk to write a secret at")

// SecretMail returns a mail that holds a link's token or a code until it expires.
func (d *Composer) SecretMail(ctx context.Context, env environment.Environment, kind Kind, to Recipient, at,
	expires time.Time, secret string) (Message, error) {
	if d == nil || d.Sealer == nil {
		return Message{}, errNoComposer
	}
	m := d.message(env, kind, to, at, "")
	m.Expires = expires
	var err error
	m.Sealed, err = d.Sealer.Seal(ctx, []byte(secret), m.sealContext())
	return m, err
}

func (d *Composer) message(env environment.Environment, kind Kind, to Recipient, at time.Time, detail string) Message {
	return Message{
		ID: d.NewID(), Env: env.ID, Kind: kind, AccountID: to.AccountID, Username: to.Username, To: to.Email, Name: to.Name,
		Sender: env.Settings.MailSenderName, At: at, Detail: detail, RetentionDays: env.Settings.LogRetentionDays,
	}
}
