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

// FailedAttempt is one sign-in that failed, as the log of the account tells of it and nobody else does.
type FailedAttempt struct {
	// Account is whose it was; Known is false where the identifier was nobody's.
	Account account.Account
	Known   bool
	// Reserved is false for a try beyond the limit, of which nothing was verified. Those are counted in one line for each
	// hour, so that a flood of them does not fill the log.
	Reserved bool
	// Reason is what the log says.
	Reason string
	At     time.Time
	// EventID is for the line, BlockID for that of the block, where the try was the last one allowed and Blocks.
	EventID, BlockID string
	Blocks           bool
	Client           ClientInfo
	// RevokedDevice is the trusted device whose last try this was: it is trusted no longer. Zero for none.
	RevokedDevice mfa.TrustedDevice
	// Mails tell the owner of the block.
	Mails []mail.Message
}

// What the log, or the access record, says of a sign-in that failed.
const (
	reasonUnknown       = "No such username or email."
	reasonUsedUp        = "The tries are used up; the password was not looked at."
	reasonWrong         = "Wrong password."
	reasonLocked        = "The account is locked."
	reasonBlocked       = "Login access is blocked."
	reasonDates         = "Out of the account's dates."
	reasonNoPassword    = "The account has no password: none was set yet, or its licence is for API clients."
	reasonExpired       = "The temporary password is over, or was used."
	reasonDeviceRevoked = "It came from a remembered device, which is forgotten: its tries are used up."
	reasonChanged       = "The account was changed, or blocked, at the same moment."
)

// refusalReasons returns why a charged try does not let in, or "" if it does.
func refusalReasons(a account.Account, right bool, now time.Time) string {
	var out []string
	add := func(bad bool, reason string) {
		if bad {
			out = append(out, reason)
		}
	}
	add(!right && a.PasswordHash != "", reasonWrong)
	add(a.PasswordHash == "", reasonNoPassword)
	add(!a.Active, reasonLocked)
	add(a.AccessLocked, reasonBlocked)
	add(!a.TriesBlockedAt.IsZero(), reasonUsedUp)
	add(!a.InDates(field.DateOf(now)), reasonDates)
	add(right && a.PasswordExpired(now), reasonExpired)
	return strings.Join(out, " ")
}

// refuse writes down that a sign-in failed, and returns the one answer to it. An identifier that is nobody's makes the
// same write on a decoy, so that it is the same work (C24, V22); its text, which may be a password typed into the wrong
// box, is kept nowhere. The person who gave the right password of a blocked account hears nothing else than anybody
// (V21): a different answer would tell a guesser that the guess was right, and of which account.
func (s *Service) refuse(ctx context.Context, env environment.Environment, got Attempt, reason string,
	d ClientInfo) (Result, error) {
	r := FailedAttempt{
		Account: got.Account, Known: got.Found, Reserved: got.Reserved, Reason: reason, At: s.now(),
		EventID: s.NewID().String(), Client: d,
	}
	if !got.Found {
		r.Reason = reasonUnknown
	}
	a := got.Account
	switch byDevice := got.Device.ID != ""; {
	case byDevice && got.Device.Tries >= int64(env.Settings.TryLimit()):
		r.RevokedDevice = got.Device
		r.Reason = strings.TrimSpace(r.Reason + " " + reasonDeviceRevoked)
	case byDevice: // strangers' tries do not count here, and these are not theirs
	case got.Found && a.FailedTries >= int64(env.Settings.TryLimit()) && a.Stored.BlockedAt.IsZero() &&
		a.TriesBlockedAt.IsZero():
		r.Blocks, r.BlockID = true, s.NewID().String()
		r.Mails = s.Mail.Notice(env, mail.BlockedByTries,
			mail.Recipient{AccountID: a.ID, Username: a.Username, Name: a.Name, Email: a.Email}, r.At, "")
	}
	if d.OnRefused != nil {
		d.OnRefused(a.ID, r.Reason)
	}
	if err := s.withStats(ctx, true, func() error { return s.Accounts.RecordFailure(ctx, env, r) }); err != nil {
		return Result{}, err
	}
	return Result{}, refused()
}
