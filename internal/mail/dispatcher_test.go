package mail_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/environment"
	"useraccounts/internal/mail"
)

// fakeOutbox is an Outbox in memory, with the rules of the real one.
type fakeOutbox struct {
	waiting    map[string]*outboxItem
	ended      map[string]mail.DeliveryResult
	failFinish bool // the next Finish fails, as if the process died
}

type outboxItem struct {
	m       mail.Message
	due     time.Time
	attempt int64
	reason  string
}

func (o *fakeOutbox) Claim(_ context.Context, _, id string, now, lease time.Time) (mail.ClaimedMessage, bool, error) {
	r := o.waiting[id]
	if r == nil || r.due.After(now) {
		return mail.ClaimedMessage{}, false, nil
	}
	r.due, r.attempt = lease, r.attempt+1
	return mail.ClaimedMessage{Message: r.m, Attempt: r.attempt}, true, nil
}

func (o *fakeOutbox) Finish(_ context.Context, c mail.ClaimedMessage, result mail.DeliveryResult) error {
	if o.failFinish {
		o.failFinish = false
		return errors.New("the table does not answer")
	}
	if r := o.waiting[c.ID]; r != nil && r.attempt == c.Attempt {
		delete(o.waiting, c.ID)
		o.ended[c.ID] = result
	}
	return nil
}

func (o *fakeOutbox) Postpone(_ context.Context, c mail.ClaimedMessage, due time.Time, reason string) error {
	if r := o.waiting[c.ID]; r != nil && r.attempt == c.Attempt {
		r.due, r.reason = due, reason
	}
	return nil
}

func (o *fakeOutbox) Due(_ context.Context, _ string, now time.Time, limit int) ([]string, error) {
	var out []string
	for id, r := range o.waiting {
		if !r.due.After(now) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out[:min(limit, len(out))], nil
}

// fakeService is a mail service that fails with err, if set.
type fakeService struct {
	err  error
	sent []mail.Email
}

func (s *fakeService) Send(_ context.Context, e mail.Email) (string, error) {
	if s.err != nil {
		return "", s.err
	}
	s.sent = append(s.sent, e)
	return fmt.Sprintf("ses-%d", len(s.sent)), nil
}

// fakeSealer prefixes the secret with the context, and opens it for the same context only.
type fakeSealer struct{ err error }

func (b fakeSealer) Seal(_ context.Context, plain, bound []byte) ([]byte, error) {
	return append(append(bytes.Clone(bound), 0xff), plain...), b.err
}

func (b fakeSealer) Open(_ context.Context, sealed, bound []byte) ([]byte, error) {
	plain, ok := bytes.CutPrefix(sealed, append(bytes.Clone(bound), 0xff))
	if !ok && b.err == nil {
		return nil, errors.New("another context")
	}
	return plain, b.err
}

type fixture struct {
	*mail.Dispatcher
	outbox  *fakeOutbox
	service *fakeService
	logged  *bytes.Buffer
	now     time.Time
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{
		outbox:  &fakeOutbox{waiting: map[string]*outboxItem{}, ended: map[string]mail.DeliveryResult{}},
		service: &fakeService{}, logged: &bytes.Buffer{},
	}
	f.now = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	f.Dispatcher = &mail.Dispatcher{
		Outbox: f.outbox, Opener: fakeSealer{}, Renderer: renderer(), Service: f.service,
		Log: slog.New(slog.NewTextHandler(f.logged, nil)),
		Now: func() time.Time { return f.now },
	}
	return f
}

// enqueue puts a mail with a link that is valid for a day into the outbox.
func (f *fixture) enqueue(t *testing.T, id string) {
	t.Helper()
	composer := &mail.Composer{NewID: func() string { return id }, Sealer: fakeSealer{}}
	env := environment.Environment{ID: "main", Settings: environment.Defaults()}
	m, err := composer.SecretMail(t.Context(), env, mail.PasswordLink,
		mail.Recipient{AccountID: "a", Username: "doej", Email: "j@example.com"}, f.now, f.now.Add(24*time.Hour), "upl_S")
	if err != nil {
		t.Fatal(err)
	}
	f.outbox.waiting[id] = &outboxItem{m: m, due: f.now}
}

func (f *fixture) send(t *testing.T, id string) {
	t.Helper()
	if err := f.Send(t.Context(), "main", id); err != nil {
		t.Fatal(err)
	}
}

// A record that is delivered twice sends one mail, and a sent mail leaves the outbox with its secret.
func TestTwoDeliveriesSendOnce(t *testing.T) {
	f := newFixture(t)
	f.enqueue(t, "1")
	f.send(t, "1")
	f.send(t, "1")
	if len(f.service.sent) != 1 || f.outbox.ended["1"].State != mail.Sent || f.outbox.ended["1"].MessageID != "ses-1" ||
		len(f.outbox.waiting) != 0 {
		t.Errorf("%d sent, %+v", len(f.service.sent), f.outbox)
	}
	if strings.Contains(f.logged.String(), "upl_S") || strings.Contains(f.logged.String(), "j@example.com") {
		t.Errorf("the log tells too much (V82): %s", f.logged)
	}
}

// While the mail service is down nothing is lost: the mail waits longer each time, and is sent when the service is
// back.
func TestServiceDownLosesNothing(t *testing.T) {
	f := newFixture(t)
	f.enqueue(t, "1")
	f.service.err = errors.New("connection refused")
	var waits []time.Duration
	for range 12 {
		f.send(t, "1")
		f.send(t, "1") // not due yet: no second try
		r := f.outbox.waiting["1"]
		waits = append(waits, r.due.Sub(f.now))
		f.now = r.due
	}
	if f.outbox.waiting["1"].attempt != 12 || waits[0] != 5*time.Second || waits[1] != 10*time.Second ||
		waits[11] != 15*time.Minute {
		t.Errorf("waits %v, attempt %d", waits, f.outbox.waiting["1"].attempt)
	}
	f.service.err = nil
	if err := f.Sweep(t.Context(), "main"); err != nil || len(f.service.sent) != 1 ||
		f.outbox.ended["1"].State != mail.Sent {
		t.Errorf("%v, %d sent, %+v", err, len(f.service.sent), f.outbox.ended)
	}
}

// A process that dies between sending and Finish leaves the mail claimed. It is sent again when the lease is over.
func TestCrashAfterSendingSendsAgainLater(t *testing.T) {
	f := newFixture(t)
	f.enqueue(t, "1")
	f.outbox.failFinish = true
	if err := f.Send(t.Context(), "main", "1"); err == nil {
		t.Fatal("no error")
	}
	f.send(t, "1") // the stream brings the record again
	f.now = f.now.Add(mail.Lease - time.Second)
	if err := f.Sweep(t.Context(), "main"); err != nil || len(f.service.sent) != 1 {
		t.Fatalf("%v, %d sent within the lease", err, len(f.service.sent))
	}
	f.now = f.now.Add(2 * time.Second)
	if err := f.Sweep(t.Context(), "main"); err != nil || len(f.service.sent) != 2 ||
		f.outbox.ended["1"].State != mail.Sent {
		t.Errorf("%v, %d sent, %+v", err, len(f.service.sent), f.outbox.ended)
	}
}

// The communication log says why a mail waits, where the mail service said so, and in the end why it was given up.
func TestTheReasonOfAWaitingMailIsKept(t *testing.T) {
	f := newFixture(t)
	f.enqueue(t, "1")
	f.outbox.waiting["1"].m.Kind = mail.PasswordChanged
	f.service.err = &mail.WaitError{Reason: "Verify the address.", Err: errors.New("not verified")}
	f.send(t, "1")
	if r := f.outbox.waiting["1"]; r == nil || r.reason != "Verify the address." {
		t.Fatalf("%+v", r)
	}
	f.now = f.now.Add(73 * time.Hour)
	f.send(t, "1")
	if end := f.outbox.ended["1"]; end.State != mail.Failed || !strings.Contains(end.Reason, "Verify the address.") {
		t.Errorf("%+v", end)
	}
}

// A mail that can never be sent fails at once; so does one that could not be sent for too long, or is useless by now.
func TestMailsThatEndUnsent(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		after  time.Duration
		change func(*mail.Message)
	}{
		"refused":    {err: errors.Join(mail.ErrRefused, errors.New("no"))},
		"no address": {change: func(m *mail.Message) { m.To = "nobody"; m.Sealed = nil }},
		"link over":  {after: 25 * time.Hour},
		"three days": {
			err: errors.New("down"), after: 73 * time.Hour,
			change: func(m *mail.Message) { m.Kind = mail.PasswordChanged },
		},
	} {
		f := newFixture(t)
		f.enqueue(t, "1")
		if c.change != nil {
			c.change(&f.outbox.waiting["1"].m)
		}
		f.service.err, f.now = c.err, f.now.Add(c.after)
		f.send(t, "1")
		if end := f.outbox.ended["1"]; end.State != mail.Failed || end.Reason == "" || len(f.service.sent) != 0 {
			t.Errorf("%s: %+v, %d sent", name, end, len(f.service.sent))
		}
	}
}

// An unavailable key service postpones the mail (V84); a secret that was moved to another mail does not open.
func TestSecretsThatDoNotOpen(t *testing.T) {
	f := newFixture(t)
	f.enqueue(t, "1")
	f.Opener = fakeSealer{err: errors.New("key service down")}
	f.send(t, "1")
	if r := f.outbox.waiting["1"]; r == nil || r.reason == "" || len(f.service.sent) != 0 {
		t.Errorf("%+v, %d sent", r, len(f.service.sent))
	}
	f = newFixture(t)
	f.enqueue(t, "1")
	f.enqueue(t, "2")
	f.outbox.waiting["2"].m.Sealed = f.outbox.waiting["1"].m.Sealed
	f.send(t, "2")
	if len(f.service.sent) != 0 {
		t.Error("a secret of another mail was sent")
	}
}

// A sweep stops early while the mail service is down.
func TestSweepStopsAtAServiceThatIsDown(t *testing.T) {
	f := newFixture(t)
	for i := range 10 {
		f.enqueue(t, fmt.Sprint(i))
	}
	f.service.err = errors.New("down")
	if err := f.Sweep(t.Context(), "main"); err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, r := range f.outbox.waiting {
		tried += int(r.attempt)
	}
	if tried != 3 || len(f.outbox.waiting) != 10 {
		t.Errorf("%d tried, %d wait", tried, len(f.outbox.waiting))
	}
}

// Accounts without an address get no notice (C20), and a nil composer makes none.
func TestNoNoticeWithoutAnAddressOrAComposer(t *testing.T) {
	env := environment.Environment{ID: "main", Settings: environment.Defaults()}
	composer := &mail.Composer{NewID: func() string { return "1" }}
	if got := composer.Notice(env, mail.PasswordChanged, mail.Recipient{AccountID: "a"}, time.Now(), ""); len(got) != 0 {
		t.Errorf("to nobody: %+v", got)
	}
	var none *mail.Composer
	if got := none.Notice(env, mail.PasswordChanged, mail.Recipient{AccountID: "a", Email: "a@example.com"}, time.Now(),
		""); len(got) != 0 {
		t.Errorf("from nobody: %+v", got)
	}
	if _, err := none.SecretMail(t.Context(), env, mail.SignInCode, mail.Recipient{Email: "a@example.com"}, time.Now(),
		time.Now(), "1"); err == nil {
		t.Error("a secret was lost without an error")
	}
}
