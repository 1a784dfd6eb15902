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

// Refusal is one sign-in that failed, as the log of the account tells of it and nobody else does.
type Refusal struct {
	// Account is whose it was; Known is false where the identifier was nobody's.
	Account account.Account
	Known   bool
	// Charged is false for a try beyond the limit, of which nothing was verified. Those are counted in one line for each hour,
	// so that a flood of them does not fill the log.
	Charged bool
	// Why is what the log says.
	Why string
	At  time.Time
	// EventID is for the line, BlockID for that of the block, where the try was the last one allowed and Blocks.
	EventID, BlockID string
	Blocks           bool
	Device           Device
	// Forgets is the trusted device whose last try this was: it is trusted no longer. Zero for none.
	Forgets mfa.Device
	// Mails tell the owner of the block.
	Mails []mail.Message
}

// What the log, or the access record, says of a sign-in that failed.
const (
	whyUnknown    = "No such username or email."
	whyUsedUp     = "The tries are used up; the password was not looked at."
	whyWrong      = "Wrong password."
	whyLocked     = "The account is locked."
	whyBlocked    = "Login access is blocked."
	whyDates      = "Out of the account's dates."
	whyNoPassword = "The account has no password: none was set yet, or its licence is for API clients."
	whyOver       = "The temporary password is over, or was used."
	whyForgotten  = "It came from a remembered device, which is forgotten: its tries are used up."
	whyOvertaken  = "The account was changed, or blocked, at the same moment."
)

// reasons returns why a charged try does not let in, or "" if it does.
func reasons(a account.Account, right bool, now time.Time) string {
	var out []string
	add := func(bad bool, why string) {
		if bad {
			out = append(out, why)
		}
	}
	add(!right && a.PasswordHash != "", whyWrong)
	add(a.PasswordHash == "", whyNoPassword)
	add(!a.Active, whyLocked)
	add(a.AccessLocked, whyBlocked)
	add(!a.TriesBlockedAt.IsZero(), whyUsedUp)
	add(!a.InDates(field.DateOf(now)), whyDates)
	add(right && a.PasswordOver(now), whyOver)
	return strings.Join(out, " ")
}

// refuse writes down that a sign-in failed, and returns the one answer to it. An identifier that is nobody's makes the same
// write on a decoy, so that it is the same work (C24, V22); its text, which may be a password typed into the wrong box, is
// kept nowhere. The person who gave the right password of a blocked account hears nothing else than anybody (V21): a
// different answer would tell a guesser that the guess was right, and of which account.
func (s *Service) refuse(ctx context.Context, env environment.Environment, got Charged, why string, d Device) (Result, error) {
	r := Refusal{
		Account: got.Account, Known: got.Found, Charged: got.Charged, Why: why, At: s.now(), EventID: s.NewID().String(), Device: d,
	}
	if !got.Found {
		r.Why = whyUnknown
	}
	a := got.Account
	switch apart := got.Device.ID != ""; {
	case apart && got.Device.Tries >= int64(env.Settings.TryLimit()):
		r.Forgets = got.Device
		r.Why = strings.TrimSpace(r.Why + " " + whyForgotten)
	case apart: // strangers' tries do not count here, and these are not theirs
	case got.Found && a.FailedTries >= int64(env.Settings.TryLimit()) && a.Stored.BlockedAt.IsZero() && a.TriesBlockedAt.IsZero():
		r.Blocks, r.BlockID = true, s.NewID().String()
		r.Mails = s.Mail.Notice(env, mail.Blocked, mail.Addressee{AccountID: a.ID, Username: a.Username, Name: a.Name, Email: a.Email}, r.At, "")
	}
	if d.Refused != nil {
		d.Refused(a.ID, r.Why)
	}
	if err := s.tallied(ctx, true, func() error { return s.Accounts.Refuse(ctx, env, r) }); err != nil {
		return Result{}, err
	}
	return Result{}, refused()
}
