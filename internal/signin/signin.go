// Package signin signs people in and checks every request after it.
//
// Steps do not call each other. Each proves one thing and nextStep decides what follows; a client follows the answer's
// "next" and needs no knowledge of policy.
//
// What every way to sign in shares is in two types. Attempts counts attempts and records failures. Steps adds the
// dispatcher: tickets, the next step, the session at the end. The services embed what they need:
//
//   - PasswordService: signing in with a password, and the step that changes it.
//   - PasskeyService, ProviderService: signing in with a passkey or at an OpenID provider.
//   - FactorService: the second factor, its set-up included.
//   - SessionService: refresh, sign-out, and sessions of API keys.
//   - Reauthenticator, SelfService: the password of somebody who is signed in.
//
// TokenAuthenticator checks the token of each request. It is all that a function needs which signs nobody in.
package signin

import (
	"context"
	"time"

	"useraccounts/internal/fault"
	"useraccounts/internal/mfa"
	"useraccounts/internal/session"
	"useraccounts/internal/token"
)

// Sleep waits for d, or less if ctx ends first; then it returns that error.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// ClientInfo is where a request comes from, as far as that is known.
type ClientInfo struct {
	Client, UserAgent, Address string
	// DeviceToken is the text of a trusted device's token, empty for none.
	DeviceToken string
	// Web is true for our own web pages, which keep their tokens as cookies.
	Web bool
	// OnRefused is told whose sign-in failed and why, for the access record; nil for nobody.
	OnRefused func(accountID, reason string)
	// reservedDevice is the id of the trusted device that the attempt was counted on, empty for the account.
	reservedDevice string
}

// Result is the answer to a step: what comes next, and what that needs.
type Result struct {
	Next session.Step
	// Ticket is for the next step; empty when Next is Done.
	Ticket token.Token
	// Session, Access and Refresh are set when Next is Done.
	Session         session.Session
	Access, Refresh token.Token
	// Methods are the ways to take the steps SecondFactor and SetUpSecondFactor.
	Methods []mfa.Method
	// DeviceToken is the new secret of a trusted device, empty where there is none.
	DeviceToken token.Token
	// RecoveryCodes are shown once, after a set-up.
	RecoveryCodes []string
}

const refusedCode = "signInRefused"

// refused is the one answer to a sign-in that fails, whatever the reason (C23): unknown, wrong, blocked, locked, out of
// dates or without a password.
func refused() error {
	return fault.New(fault.Unauthenticated, refusedCode,
		"The username or password is wrong, or the account may not sign in. Check both, or ask your administrator.")
}
