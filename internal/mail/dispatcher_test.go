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
	ours "useraccounts/internal/mail"
)

// fakeOutbox is an outbox in memory, with the rules of the real one.
type fakeOutbox struct {
	waiting    map[string]*outboxItem
	ended      map[string]ours.DeliveryResult
	failFinish bool // the next Finish fails, as when the process dies
}

type outboxItem struct {
	m       ours.Message
	due     time.Time
	attempt int64
	reason  string
}

func (o *fakeOutbox) Claim(_ context.Context, _, id string, now, lease time.Time) (ours.ClaimedMessage, bool, error) {
	r := o.waiting[id]
	if r == nil || r.due.After(now) {
		return ours.ClaimedMessage{}, false, nil
	}
	r.due, r.attempt = lease, r.attempt+1
	return ours.ClaimedMessage{Message: r.m, Attempt: r.attempt}, true, nil
}

func (o *fakeOutbox) Finish(_ context.Context, c ours.ClaimedMessage, end ours.DeliveryResult) error {
	if o.failFinish {
		o.failFinish = false
		return errors.New("the table does not answer")
	}
	if r := o.waiting[c.ID]; r != nil && r.attempt == c.Attempt {
		delete(o.waiting, c.ID)
		o.ended[c.ID] = end
	}
	return nil
}

func (o *fakeOutbox) Postpone(_ context.Context, c ours.ClaimedMessage, due time.Time, why string) error {
	if r := o.waiting[c.ID]; r != nil && r.attempt == c.Attempt {
		r.due, r.reason = due, why
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

// fakeService is a mail service that answers as it is told.
type fakeService struct {
	err  error
	sent []ours.Email
}

func (s *fakeService) Send(_ context.Context, e ours.Email) (string, error) {
	if s.err != nil {
		return "", s.err
	}
	s.sent = append(s.sent, e)
	return fmt.Sprintf("ses-%d", len(s.sent)), nil
}

// fakeSealer seals by turning bytes over, and opens for the same context alone.
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
	*ours.Dispatcher
	outbox  *fakeOutbox
	service *fakeService
	logged  *bytes.Buffer
	now     time.Time
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	p := &fixture{outbox: &fakeOutbox{waiting: map[string]*outboxItem{}, ended: map[string]ours.DeliveryResult{}},
		service: &fakeService{}, logged: &bytes.Buffer{}}
	p.now = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	p.Dispatcher = &ours.Dispatcher{
		Outbox: p.outbox, Opener: fakeSealer{}, Renderer: renderer(), Service: p.service,
		Log: slog.New(slog.NewTextHandler(p.logged, nil)),
		Now: func() time.Time { return p.now },
	}
	return p
}

// enqueue writes a link's mail that works for a day.
func (p *fixture) enqueue(t *testing.T, id string) {
	t.Helper()
	composer := &ours.Composer{NewID: func() string { return id }, Sealer: fakeSealer{}}
	env := environment.Environment{ID: "main", Settings: environment.Defaults()}
	m, err := composer.SecretMail(t.Context(), env, ours.PasswordLink,
		ours.Recipient{AccountID: "a", Username: "doej", Email: "j@example.com"}, p.now, p.now.Add(24*time.Hour), "upl_S")
	if err != nil {
		t.Fatal(err)
	}
	p.outbox.waiting[id] = &outboxItem{m: m, due: p.now}
}

func (p *fixture) send(t *testing.T, id string) {
	t.Helper()
	if err := p.Send(t.Context(), "main", id); err != nil {
		t.Fatal(err)
	}
}

// A record that comes twice sends one mail, and what was sent is out of the outbox with its secret.
func TestTwoDeliveriesSendOnce(t *testing.T) {
	p := newFixture(t)
	p.enqueue(t, "1")
	p.send(t, "1")
	p.send(t, "1")
	if len(p.service.sent) != 1 || p.outbox.ended["1"].State != ours.Sent || p.outbox.ended["1"].MessageID != "ses-1" ||
		len(p.outbox.waiting) != 0 {
		t.Errorf("%d sent, %+v", len(p.service.sent), p.outbox)
	}
	if strings.Contains(p.logged.String(), "upl_S") || strings.Contains(p.logged.String(), "j@example.com") {
		t.Errorf("the log tells too much (V82): %s", p.logged)
	}
}

// A mail service that is down loses nothing: the mail waits longer each time, and goes when it is back.
func TestServiceDownLosesNothing(t *testing.T) {
	p := newFixture(t)
	p.enqueue(t, "1")
	p.service.err = errors.New("connection refused")
	var waits []time.Duration
	for range 12 {
		p.send(t, "1")
		p.send(t, "1") // not due yet: no second try
		r := p.outbox.waiting["1"]
		waits = append(waits, r.due.Sub(p.now))
		p.now = r.due
	}
	if p.outbox.waiting["1"].attempt != 12 || waits[0] != 5*time.Second || waits[1] != 10*time.Second ||
		waits[11] != 15*time.Minute {
		t.Errorf("waits %v, attempt %d", waits, p.outbox.waiting["1"].attempt)
	}
	p.service.err = nil
	if err := p.Sweep(t.Context(), "main"); err != nil || len(p.service.sent) != 1 ||
		p.outbox.ended["1"].State != ours.Sent {
		t.Errorf("%v, %d sent, %+v", err, len(p.service.sent), p.outbox.ended)
	}
}

// A process that dies between sending and writing it down leaves the mail claimed. Nobody touches it until the lease is
// over; then it is sent again.
func TestCrashAfterSendingSendsAgainLater(t *testing.T) {
	p := newFixture(t)
	p.enqueue(t, "1")
	p.outbox.failFinish = true
	if err := p.Send(t.Context(), "main", "1"); err == nil {
		t.Fatal("no error")
	}
	p.send(t, "1") // the stream brings the record again
	p.now = p.now.Add(ours.Lease - time.Second)
	if err := p.Sweep(t.Context(), "main"); err != nil || len(p.service.sent) != 1 {
		t.Fatalf("%v, %d sent within the lease", err, len(p.service.sent))
	}
	p.now = p.now.Add(2 * time.Second)
	if err := p.Sweep(t.Context(), "main"); err != nil || len(p.service.sent) != 2 ||
		p.outbox.ended["1"].State != ours.Sent {
		t.Errorf("%v, %d sent, %+v", err, len(p.service.sent), p.outbox.ended)
	}
}

// What can never be sent ends at once; what could not be sent for too long, or is of no use any more, ends too.
func TestMailsThatEndUnsent(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		after  time.Duration
		change func(*ours.Message)
	}{
		"refused":    {err: errors.Join(ours.ErrRefused, errors.New("no"))},
		"no address": {change: func(m *ours.Message) { m.To = "nobody"; m.Sealed = nil }},
		"link over":  {after: 25 * time.Hour},
		"three days": {err: errors.New("down"), after: 73 * time.Hour,
			change: func(m *ours.Message) { m.Kind = ours.PasswordChanged }},
	} {
		p := newFixture(t)
		p.enqueue(t, "1")
		if c.change != nil {
			c.change(&p.outbox.waiting["1"].m)
		}
		p.service.err, p.now = c.err, p.now.Add(c.after)
		p.send(t, "1")
		if end := p.outbox.ended["1"]; end.State != ours.Failed || end.Reason == "" || len(p.service.sent) != 0 {
			t.Errorf("%s: %+v, %d sent", name, end, len(p.service.sent))
		}
	}
}

// A key that does not answer postpones (V84); a secret that was moved to another mail does not open.
func TestSecretsThatDoNotOpen(t *testing.T) {
	p := newFixture(t)
	p.enqueue(t, "1")
	p.Opener = fakeSealer{err: errors.New("key service down")}
	p.send(t, "1")
	if r := p.outbox.waiting["1"]; r == nil || r.reason == "" || len(p.service.sent) != 0 {
		t.Errorf("%+v, %d sent", r, len(p.service.sent))
	}
	p = newFixture(t)
	p.enqueue(t, "1")
	p.enqueue(t, "2")
	p.outbox.waiting["2"].m.Sealed = p.outbox.waiting["1"].m.Sealed
	p.send(t, "2")
	if len(p.service.sent) != 0 {
		t.Error("a secret of another mail was sent")
	}
}

// A sweep leaves a mail service in peace that takes nothing.
func TestSweepStopsAtAServiceThatIsDown(t *testing.T) {
	p := newFixture(t)
	for i := range 10 {
		p.enqueue(t, fmt.Sprint(i))
	}
	p.service.err = errors.New("down")
	if err := p.Sweep(t.Context(), "main"); err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, r := range p.outbox.waiting {
		tried += int(r.attempt)
	}
	if tried != 3 || len(p.outbox.waiting) != 10 {
		t.Errorf("%d tried, %d wait", tried, len(p.outbox.waiting))
	}
}

// Who has no address gets no notice (C20), and first data is told to nobody.
func TestNoNoticeWithoutAnAddressOrAComposer(t *testing.T) {
	env := environment.Environment{ID: "main", Settings: environment.Defaults()}
	composer := &ours.Composer{NewID: func() string { return "1" }}
	if got := composer.Notice(env, ours.PasswordChanged, ours.Recipient{AccountID: "a"}, time.Now(), ""); len(got) != 0 {
		t.Errorf("to nobody: %+v", got)
	}
	var none *ours.Composer
	if got := none.Notice(env, ours.PasswordChanged, ours.Recipient{AccountID: "a", Email: "a@example.com"}, time.Now(),
		""); len(got) != 0 {
		t.Errorf("from nobody: %+v", got)
	}
	if _, err := none.SecretMail(t.Context(), env, ours.SignInCode, ours.Recipient{Email: "a@example.com"}, time.Now(),
		time.Now(), "1"); err == nil {
		t.Error("a secret was lost without an error")
	}
}
