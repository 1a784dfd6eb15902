package signin

import (
	"context"
	"strings"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/environment"
	"useraccounts/internal/field"
	"useraccounts/internal/mail"
	"useraccounts/internal/mfa"
)

// FailedAttempt is one sign-in that failed. Only the account's log tells of it.
type FailedAttempt struct {
	// Account is whose sign-in it was; Known is false where no account has the identifier.
	Account account.Account
	Known   bool
	// Reserved is false for an attempt beyond the limit, of which nothing was verified. One event counts those of an
	// hour, so that a flood of them does not fill the log.
	Reserved bool
	// Reason is what the log says.
	Reason string
	At     time.Time
	// EventID is the event's id. Blocks says that this was the last attempt allowed; BlockID is the id of the block's
	// event.
	EventID, BlockID string
	Blocks           bool
	Client           ClientInfo
	// RevokedDevice is the trusted device that used up its last attempt: it is trusted no longer. Zero for none.
	RevokedDevice mfa.TrustedDevice
	// ForgottenNetwork is the known network that used up its last attempt: it is known no longer. Empty for none.
	ForgottenNetwork string
	// Mails tell the account's owner of the block.
	Mails []mail.Message
}

// What the log, or the access record, says of a sign-in that failed.
const (
	reasonUnknown       = "No such username or email."
	reasonUsedUp        = "Too many failed tries; the password was not checked."
	reasonWrong         = "Wrong password."
	reasonLocked        = "The account is locked."
	reasonBlocked       = "Login access is blocked."
	reasonDates         = "Outside the account's dates."
	reasonNoPassword    = "The account has no password: none was set yet, or its licence is for API clients."
	reasonExpired       = "The temporary password has expired or was used."
	reasonDeviceRevoked = "It came from a trusted device, which was removed: too many failed tries."
	reasonForgotten     = "It came from a known network, which is known no longer: too many failed tries."
	reasonChanged       = "The account was changed or blocked at the same time."
)

// reasons collects why a sign-in is refused.
type reasons []string

func (r *reasons) add(applies bool, reason string) {
	if applies {
		*r = append(*r, reason)
	}
}

func (r *reasons) addAccess(a account.Account, now time.Time) {
	r.add(!a.Active, reasonLocked)
	r.add(a.AccessLocked, reasonBlocked)
	r.add(!a.TriesBlockedAt.IsZero(), reasonUsedUp)
	r.add(!a.InDates(field.DateOf(now)), reasonDates)
}

// refusalReasons returns why a sign-in with a password is refused, or "" if it is not.
func refusalReasons(a account.Account, right bool, now time.Time) string {
	var r reasons
	r.add(!right && a.PasswordHash != "", reasonWrong)
	r.add(a.PasswordHash == "", reasonNoPassword)
	r.addAccess(a, now)
	r.add(right && a.PasswordExpired(now), reasonExpired)
	return strings.Join(r, " ")
}

// accessReasons returns why an account may not sign in whatever it proved, or "".
func accessReasons(a account.Account, now time.Time) string {
	var r reasons
	r.addAccess(a, now)
	return strings.Join(r, " ")
}

// refuse records that a sign-in failed and returns the one answer to it. For an identifier that no account has it makes
// the same write on a decoy, so that it is the same work (C24, V22). The identifier's text is kept nowhere: it may be a
// password typed into the wrong box. Whoever gives the right password of a blocked account gets the same answer (V21):
// another one would tell a guesser that the guess was right.
func (s *Attempts) refuse(ctx context.Context, env environment.Environment, got Attempt, reason string,
	c ClientInfo,
) (Result, error) {
	r := FailedAttempt{
		Account: got.Account, Known: got.Found, Reserved: got.Reserved, Reason: reason, At: s.now(),
		EventID: s.NewID().String(), Client: c,
	}
	if !got.Found {
		r.Reason = reasonUnknown
	}
	a := got.Account
	switch byDevice := got.Device.ID != ""; {
	case byDevice && got.Device.Tries >= int64(env.Settings.TryLimit()):
		r.RevokedDevice = got.Device
		r.Reason = strings.TrimSpace(r.Reason + " " + reasonDeviceRevoked)
	case a.Stored.Network != "" &&
		a.Stored.Networks[a.Stored.Network].Tries >= account.NetworkTryLimit(env.Settings.TryLimit()):
		r.ForgottenNetwork = a.Stored.Network
		r.Reason = strings.TrimSpace(r.Reason + " " + reasonForgotten)
	case byDevice || a.Stored.SeparateTries: // the account's own count is of other attempts
	case got.Found && a.FailedTries >= int64(env.Settings.TryLimit()) && a.Stored.BlockedAt.IsZero() &&
		a.TriesBlockedAt.IsZero():
		r.Blocks, r.BlockID = true, s.NewID().String()
		r.Mails = s.Mail.Notice(env, mail.BlockedByTries,
			mail.Recipient{AccountID: a.ID, Username: a.Username, Name: a.Name, Email: a.Email}, r.At, "")
	}
	if c.OnRefused != nil {
		c.OnRefused(a.ID, r.Reason)
	}
	if err := s.withStats(ctx, true, func() error { return s.Accounts.RecordFailure(ctx, env, r) }); err != nil {
		return Result{}, err
	}
	return Result{}, refused()
}
