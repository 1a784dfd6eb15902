package mail

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Outbox is what sending needs of the store.
type Outbox interface {
	// Claim takes a mail to send it until the lease ends, unless it is sent, claimed by another or not due; it counts the
	// attempt.
	Claim(ctx context.Context, env, id string, now, lease time.Time) (ClaimedMessage, bool, error)
	// Finish takes a mail that this attempt claimed out of the outbox, its secret with it, and writes into the log how it
	// ended.
	Finish(ctx context.Context, c ClaimedMessage, end DeliveryResult) error
	// Postpone gives a mail that this attempt claimed back until due.
	Postpone(ctx context.Context, c ClaimedMessage, due time.Time, why string) error
	// Due returns the ids of mails that are to be tried by now, oldest first, up to limit.
	Due(ctx context.Context, env string, now time.Time, limit int) ([]string, error)
}

// ClaimedMessage is a mail with the attempt that has it.
type ClaimedMessage struct {
	Message
	Attempt int64
}

// DeliveryResult is how a mail ended.
type DeliveryResult struct {
	State State // Sent or Failed
	At    time.Time
	// MessageID is what the mail service calls it.
	MessageID string
	// Reason says in words why it failed.
	Reason string
}

// Service sends one mail and returns what the mail service calls it. An error that is ErrRefused is for good; any other
// may pass.
type Service interface {
	Send(ctx context.Context, e Email) (messageID string, err error)
}

// ErrRefused is a mail that the mail service will never take.
var ErrRefused = errors.New("the mail service refused the mail")

const (
	// Lease is how long an attempt has a mail for itself; longer than a function can run.
	Lease = 2 * time.Minute
	// giveUpAfter is after how long a mail that cannot be sent is set aside as failed.
	giveUpAfter = 72 * time.Hour
	// maxPerSweep is how many mails a sweep tries at most.
	maxPerSweep = 500
)

// Dispatcher sends the mails of the outbox. Each is claimed first, so that two deliveries of one record send it once.
// An attempt that dies between sending and writing it down leaves the mail claimed: when the lease is over it is sent
// again, because nobody can say whether it left, and a link or a warning that comes twice does less harm than one that
// never comes.
type Dispatcher struct {
	Outbox   Outbox
	Opener   Opener
	Renderer Renderer
	Service  Service
	Log      *slog.Logger
	Now      func() time.Time
}

// Send sends one mail of the outbox if it is to be sent now. An error is of the store; a mail that could not be sent is
// no error, it waits in the outbox.
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
		return false, s.fail(ctx, c, "It could not be sent before its link or code was over.")
	}
	messageID, err := s.deliver(ctx, c)
	switch {
	case err == nil:
		s.Log.InfoContext(ctx, "mail sent", "mail", c.ID, "kind", string(c.Kind), "account", c.AccountID, "attempt",
			c.Attempt)
		return false, s.Outbox.Finish(ctx, c, DeliveryResult{State: Sent, At: s.Now().UTC(), MessageID: messageID})
	case errors.Is(err, ErrRefused), errors.Is(err, ErrAddress):
		return false, s.fail(ctx, c, "The mail service refused it for good.")
	case now.Sub(c.At) > giveUpAfter:
		return false, s.fail(ctx, c, "It could not be sent for three days.")
	}
	s.Log.WarnContext(ctx, "mail postponed", "mail", c.ID, "kind", string(c.Kind), "attempt", c.Attempt, "error",
		err.Error())
	return true, s.Outbox.Postpone(ctx, c, now.Add(backoff(c.Attempt)), "The mail service did not take it.")
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

// backoff is how long after an attempt the next one is due: doubling from 5 s to a quarter of an hour.
func backoff(attempt int64) time.Duration {
	return min(5*time.Second<<min(attempt-1, 20), 15*time.Minute)
}

// Sweep sends what waits in the outbox: mails that were postponed, whose attempt died, or whose record never came.
// After three in a row that the mail service did not take, it leaves the rest to the next sweep.
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
