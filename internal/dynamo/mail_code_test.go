package dynamo_test

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/factors"
	"useraccounts/internal/dynamo/sessions"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/local/localtest"
	"useraccounts/internal/mail"
	"useraccounts/internal/mfa"
	"useraccounts/internal/seal"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

// mailCodeFixture is an owner who has to have a second factor, in an environment that allows codes by mail.
type mailCodeFixture struct {
	*owner
	mailbox *mailFixture
}

func newMailCodeFixture(t *testing.T) *mailCodeFixture {
	t.Helper()
	f := newFixture(t)
	scope := f.currentScope(t)
	if _, err := f.settingsService().Change(t.Context(), scope, scope.Env.SettingsVersion,
		field.Patch{"emailCodeAllowed": true}); err != nil {
		t.Fatal(err)
	}
	o := newOwner(t, f, "owner", field.Patch{"mfaRequired": true})
	table := f.table.WithOutbox(localtest.Outbox(t))
	path, err := seal.CreateKeyFile(filepath.Join(t.TempDir(), "key.json"))
	if err != nil {
		t.Fatal(err)
	}
	sealer := seal.New(aws.Config{}, path, true, o.auth.Now)
	o.auth.Mail = &mail.Composer{NewID: token.NewIDString, Sealer: sealer}
	o.auth.MailCodes = factors.Store{Table: table}
	o.auth.useSessions(sessions.Store{Table: table})
	return &mailCodeFixture{o, &mailFixture{fixture: f, sealer: sealer, outbox: dynamo.NewOutbox(table), now: o.now}}
}

// code has a code mailed and returns it.
func (m *mailCodeFixture) code(t *testing.T, ticket token.Token) string {
	t.Helper()
	if err := m.auth.SendMailCode(t.Context(), ticket.Reveal()); err != nil {
		t.Fatal(err)
	}
	m.mailbox.now = m.now
	all := m.mailbox.mails(t, "owner@example.com")
	return all[len(all)-1].secret
}

func (m *mailCodeFixture) enterCode(ticket token.Token, code string) error {
	_, err := m.auth.VerifySecondFactor(context.Background(), ticket.Reveal(),
		signin.SecondFactorResponse{Method: mfa.MailCode, Code: code}, signin.ClientInfo{})
	return err
}

// A code by mail stands in for a second factor that is required and not set up; it is for its sign-in alone, once, also
// of twenty at once (C31), the newest replaces the one before, five goes and ten minutes end it, and three are mailed
// in a quarter of an hour.
func TestACodeByMail(t *testing.T) {
	m := newMailCodeFixture(t)
	got := m.login(t, "")
	if got.Next != session.SecondFactor || len(got.Methods) != 1 || got.Methods[0] != mfa.MailCode {
		t.Fatalf("%+v", got)
	}
	if err := m.enterCode(got.Ticket, "123456"); !fault.HasCode(err, "mailCode") {
		t.Errorf("before one was mailed: %v", err)
	}
	first := m.code(t, got.Ticket)
	second := m.code(t, got.Ticket)
	other := m.login(t, "").Ticket
	if err := m.enterCode(other, second); !fault.HasCode(err, "mailCode") {
		t.Errorf("in another sign-in: %v", err)
	}
	if first != second {
		if err := m.enterCode(got.Ticket, first); !fault.HasCode(err, "code") {
			t.Errorf("the one before: %v", err)
		}
	}
	if n := countSuccesses(func() error { return m.enterCode(got.Ticket, second) }); n != 1 {
		t.Errorf("%d sessions by one code", n)
	}
	if err := m.enterCode(other, second); !fault.HasCode(err, "mailCode") {
		t.Errorf("a second time: %v", err)
	}
	third := m.code(t, other)
	if err := m.auth.SendMailCode(t.Context(), other.Reveal()); !fault.HasCode(err, "tooManyCodes") {
		t.Errorf("a fourth mail: %v", err)
	}
	for i := range mfa.MailCodeTryLimit {
		if err := m.enterCode(other, wrongCode(third)); !fault.HasCode(err, "code") {
			t.Errorf("go %d: %v", i+1, err)
		}
	}
	if err := m.enterCode(other, third); !fault.HasCode(err, "mailCode") {
		t.Errorf("the sixth go: %v", err)
	}
	m.now = m.now.Add(mfa.MailCodeWindow)
	last := m.login(t, "").Ticket
	fourth := m.code(t, last)
	m.now = m.now.Add(session.TicketLife - time.Second)
	if err := m.enterCode(last, fourth); err != nil {
		t.Errorf("within the ticket's life: %v", err)
	}
}

func wrongCode(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

// Tries are counted by the table, on conditions: a code that is over or was tried five times is not looked at, by
// whoever asks; a hundred wrong ones in a row end it until an administrator removes the second factor.
func TestGoesAtACodeByMail(t *testing.T) {
	m := newMailCodeFixture(t)
	store := factors.Store{Table: m.table}
	ticket := m.login(t, "").Ticket
	m.code(t, ticket)
	if _, ok, err := store.ReserveMailCodeAttempt(t.Context(), m.id, ticket.ID.String(),
		m.now.Add(mfa.MailCodeLife)); ok || err != nil {
		t.Errorf("over: %v, %v", ok, err)
	}
	if n := countSuccesses(func() error {
		if _, ok, err := store.ReserveMailCodeAttempt(context.Background(), m.id, ticket.ID.String(), m.now); !ok ||
			err != nil {
			return context.Canceled
		}
		return nil
	}); n != mfa.MailCodeTryLimit {
		t.Errorf("%d goes were counted", n)
	}
	for round := 1; round < mfa.StreakLimit/mfa.MailCodeTryLimit; round++ {
		m.now = m.now.Add(mfa.MailCodeWindow)
		ticket = m.login(t, "").Ticket
		m.code(t, ticket)
		for range mfa.MailCodeTryLimit {
			if _, _, err := store.ReserveMailCodeAttempt(t.Context(), m.id, ticket.ID.String(), m.now); err != nil {
				t.Fatal(err)
			}
		}
	}
	m.now = m.now.Add(mfa.MailCodeWindow)
	if err := m.auth.SendMailCode(t.Context(), m.login(t, "").Ticket.Reveal()); !fault.HasCode(err, "tooManyCodes") {
		t.Errorf("after a hundred wrong ones: %v", err)
	}
	if _, err := m.accounts.RemoveMFA(t.Context(), m.currentScope(t), m.id, 0); err != nil {
		t.Fatal(err)
	}
	if err := m.auth.SendMailCode(t.Context(), m.login(t, "").Ticket.Reveal()); err != nil {
		t.Errorf("after the removal: %v", err)
	}
}

// V99: a code by mail is no second factor beside one's own, nor for administrators: neither offered, nor mailed, nor
// taken at the step, also with a ticket from before.
func TestACodeByMailIsNoFactorBesideOnesOwnNorForAdministrators(t *testing.T) {
	m := newMailCodeFixture(t)
	const code = "123456"
	early, proved := m.login(t, "").Ticket, m.login(t, "").Ticket
	in, err := m.prove(proved, mfa.MailCode, m.code(t, proved), false)
	if err != nil {
		t.Fatal(err)
	}
	m.setUpTOTP(t, m.scope(t, in))
	check := func(who string, ticket token.Token) {
		t.Helper()
		if err := m.auth.SendMailCode(t.Context(), ticket.Reveal()); !fault.HasCode(err, "noMailCode") {
			t.Errorf("%s: a code is mailed: %v", who, err)
		}
		if err := m.enterCode(ticket, code); !fault.HasCode(err, "invalid") {
			t.Errorf("%s: a code is taken: %v", who, err)
		}
	}
	check("a ticket from before", early)
	got := m.login(t, "")
	if got.Next != session.SecondFactor || slices.Contains(got.Methods, mfa.MailCode) {
		t.Errorf("%+v", got)
	}
	check("beside an authenticator", got.Ticket)

	other := newMailCodeFixture(t)
	early = other.login(t, "").Ticket
	m = other
	if _, err := m.accounts.Change(t.Context(), m.currentScope(t), m.id, m.version(t),
		field.Patch{"roles": []string{"ADMIN"}}); err != nil {
		t.Fatal(err)
	}
	if got = m.login(t, ""); got.Next != session.SetUpSecondFactor {
		t.Errorf("an administrator is led to %s", got.Next)
	}
	check("an administrator", early)
}
