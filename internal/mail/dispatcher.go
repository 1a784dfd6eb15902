package mail

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Outbox is the store of the Dispatcher.
type Outbox interface {
	// Claim leases a mail for sending and counts the attempt. It returns false if the mail is sent, leased or not due.
	Claim(ctx context.Context, env, id string, now, lease time.Time) (ClaimedMessage, bool, error)
	// Finish moves a mail that this attempt claimed from the outbox to the log, with its result and without its secret.
	Finish(ctx context.Context, c ClaimedMessage, result DeliveryResult) error
	// Postpone returns a mail that this attempt claimed to the outbox until due.
	Postpone(ctx context.Context, c ClaimedMessage, due time.Time, reason string) error
	// Due returns the ids of mails that are due, oldest first, up to limit.
	Due(ctx context.Context, env string, now time.Time, limit int) ([]string, error)
}

// ClaimedMessage is a mail with the attempt that has it.
type ClaimedMessage struct {
	Message
	Attempt int64
}

// DeliveryResult is the final result of a mail.
type DeliveryResult struct {
	State State // Sent or Failed
	At    time.Time
	// MessageID is the id that the mail service gave it.
	MessageID string
	// Reason says why it failed.
	Reason string
}

// Service sends one mail and returns the mail service's id of it. ErrRefused is permanent, any other error is
// temporary.
type Service interface {
	Send(ctx context.Context, e Email) (messageID string, err error)
}

// ErrRefused is returned for a mail that the mail service will never accept.
var ErrRefused = errors.New("the mail service refused the mail")

// WaitError is a temporary error of which people can be told more than that the mail service did not accept a mail.
type WaitError struct {
	// Reason is for the communication log: what happened, and what to do.
	Reason string
	Err    error
}

func (e *WaitError) Error() string { return e.Err.Error() }

func (e *WaitError) Unwrap() error { return e.Err }

const (
	// Lease is how long a mail is leased to an attempt. It is longer than a function can run.
	Lease = 2 * time.Minute
	// giveUpAfter is after how long a mail that cannot be sent counts as failed.
	giveUpAfter = 72 * time.Hour
	// maxPerSweep is the maximum number of mails in a sweep.
	maxPerSweep = 500
)

// Dispatcher sends the mails of the outbox. It claims a mail first, so that a record that is delivered twice is sent
// once. A process that dies between sending and Finish leaves the mail claimed. When the lease is over the mail is sent
// again: whether it was sent is unknown, and a link or warning that comes twice does less harm than one that never
// comes.
type Dispatcher struct {
	Outbox   Outbox
	Opener   Opener
	Renderer Renderer
	Service  Service
	Log      *slog.Logger
	Now      func() time.Time
}

// Send sends one mail of the outbox if it is due. It returns errors of the store only: a mail that could not be sent
// stays in the outbox.
func (s *Dispatcher) Send(ctx context.Context, env, id string) error {
	_, err := s.send(ctx, env, id)
	return err
}

func (s *Dispatcher) send(ctx context.Context, env, id string) (postponed bool, err error) {
	now := s.Now().UTC()
	c, claimed, err := s.Outbox.Claim(ctx, env, id, now, now.Add(Lease))
	if err != nil || !claimed {
		return false, err
	}
	if c.Kind.HasSecret() && !now.Before(c.Expires) {
		return false, s.fail(ctx, c, "It could not be sent before its link or code expired.")
	}
	messageID, err := s.deliver(ctx, c)
	switch {
	case err == nil:
		s.Log.InfoContext(ctx, "mail sent", "mail", c.ID, "kind", string(c.Kind), "account", c.AccountID, "attempt",
			c.Attempt)
		return false, s.Outbox.Finish(ctx, c, DeliveryResult{State: Sent, At: s.Now().UTC(), MessageID: messageID})
	case errors.Is(err, ErrRefused), errors.Is(err, ErrAddress):
		return false, s.fail(ctx, c, "The mail service refused it permanently.")
	}
	reason := "The mail service did not accept it."
	if wait, ok := errors.AsType[*WaitError](err); ok {
		reason = wait.Reason
	}
	if now.Sub(c.At) > giveUpAfter {
		return false, s.fail(ctx, c, "It could not be sent for three days. "+reason)
	}
	s.Log.WarnContext(ctx, "mail postponed", "mail", c.ID, "kind", string(c.Kind), "attempt", c.Attempt, "error",
		err.Error())
	return true, s.Outbox.Postpone(ctx, c, now.Add(backoff(c.Attempt)), reason)
}

func (s *Dispatcher) fail(ctx context.Context, c ClaimedMessage, reason string) error {
	s.Log.ErrorContext(ctx, "mail failed", "mail", c.ID, "kind", string(c.Kind), "attempt", c.Attempt, "why", reason)
	return s.Outbox.Finish(ctx, c, DeliveryResult{State: Failed, At: s.Now().UTC(), Reason: reason})
}

func (s *Dispatcher) deliver(ctx context.Context, c ClaimedMessage) (string, error) {
	secret := ""
	if len(c.Sealed) > 0 {
		opened, err := s.Opener.Open(ctx, c.Sealed, c.sealContext())
		if err != nil {
			return "", err
		}
		secret = string(opened)
	}
	email, err := s.Renderer.Render(c.Message, secret)
	if err != nil {
		return "", err
	}
	return s.Service.Send(ctx, email)
}

// backoff is the time until the next attempt: it doubles from 5 s to 15 min.
func backoff(attempt int64) time.Duration {
	return min(5*time.Second<<min(attempt-1, 20), 15*time.Minute)
}

// Sweep sends the mails that are due: postponed ones, and those whose attempt died or whose stream record was lost.
// After three failures in a row it leaves the rest to the next sweep.
func (s *Dispatcher) Sweep(ctx context.Context, env string) error {
	ids, err := s.Outbox.Due(ctx, env, s.Now().UTC(), maxPerSweep)
	if err != nil {
		return err
	}
	failuresInARow := 0
	for _, id := range ids {
		postponed, err := s.send(ctx, env, id)
		if err != nil {
			return err
		}
		if failuresInARow++; !postponed {
			failuresInARow = 0
		}
		if deadline, ok := ctx.Deadline(); failuresInARow == 3 || ok && deadline.Sub(s.Now()) < 20*time.Second {
			return nil
		}
	}
	return nil
}
