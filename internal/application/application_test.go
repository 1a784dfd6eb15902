package application_test

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/application"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
	"useraccounts/internal/token"
)

var now = time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)

// fakeEntries is one application.
type fakeEntries struct {
	entry  catalogue.Entry
	events []auditlog.Kind
}

func (f *fakeEntries) Amend(_ context.Context, _ access.Scope, kind catalogue.Kind, code string, event auditlog.Kind,
	amend func(catalogue.Entry) (catalogue.Entry, string, error),
) (catalogue.Entry, error) {
	if kind != catalogue.Application || code != f.entry.Code {
		return catalogue.Entry{}, fault.New(fault.NotFound, "notFound", "none")
	}
	after, _, err := amend(f.entry)
	if err == nil {
		f.entry, f.events = after, append(f.events, event)
	}
	return after, err
}

type fakeProver struct{}

func (fakeProver) VerifyOwnPassword(_ context.Context, _ access.Scope, password string) error {
	if password != "right" {
		return errors.New("wrong")
	}
	return nil
}

func newService(kind string) (*application.Service, *fakeEntries) {
	entries := &fakeEntries{entry: catalogue.Entry{Kind: catalogue.Application, Code: "erp", Active: true,
		Application: catalogue.ApplicationData{Type: kind}}}
	return &application.Service{Entries: entries, Prover: fakeProver{}, Now: func() time.Time { return now },
		NewID: token.NewID, Random: rand.Reader}, entries
}

func signedIn(at time.Time) access.Scope {
	return access.Scope{Caller: access.Caller{AccountID: "A", Username: "boss", AuthenticatedAt: at}}
}

func (f *fakeEntries) accepts(secret token.Token) bool {
	_, ok := application.Authenticate(catalogue.New([]catalogue.Entry{f.entry}), "erp", secret.Reveal())
	return ok
}

// Two credentials at a time; each works until it is ended, and nothing else does.
func TestCredentialsAreRotated(t *testing.T) {
	s, entries := newService("web")
	first, one, err := s.Create(t.Context(), signedIn(now), "erp", "")
	if err != nil {
		t.Fatal(err)
	}
	_, two, err := s.Create(t.Context(), signedIn(now), "erp", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Create(t.Context(), signedIn(now), "erp", ""); !fault.HasCode(err, "tooManyCredentials") {
		t.Errorf("a third: %v", err)
	}
	if !entries.accepts(one) || !entries.accepts(two) || entries.accepts(token.Token{Kind: token.ClientSecret}) {
		t.Error("not just the two are accepted")
	}
	if err := s.End(t.Context(), signedIn(now), "erp", first.ID); err != nil {
		t.Fatal(err)
	}
	if entries.accepts(one) || !entries.accepts(two) {
		t.Error("the wrong one ended")
	}
	if err := s.End(t.Context(), signedIn(now), "erp", first.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("ended twice: %v", err)
	}
	entries.entry.Active = false
	if entries.accepts(two) {
		t.Error("an inactive application is accepted")
	}
	if len(entries.events) != 3 || entries.events[2] != auditlog.CredentialEnded {
		t.Errorf("%v", entries.events)
	}
}

// C15: a credential is made after a fresh proof only, and by no key.
func TestACredentialNeedsAProof(t *testing.T) {
	s, _ := newService("web")
	old := signedIn(now.Add(-5*time.Minute - time.Second))
	if _, _, err := s.Create(t.Context(), old, "erp", ""); !fault.HasCode(err, "proofNeeded") {
		t.Errorf("an old sign-in: %v", err)
	}
	if _, _, err := s.Create(t.Context(), old, "erp", "wrong"); err == nil {
		t.Error("a wrong password is a proof")
	}
	if _, _, err := s.Create(t.Context(), old, "erp", "right"); err != nil {
		t.Error(err)
	}
	key := signedIn(time.Time{})
	key.Caller.KeyID = "K"
	if _, _, err := s.Create(t.Context(), key, "erp", "right"); !fault.HasCode(err, "proofNeeded") {
		t.Errorf("a key: %v", err)
	}
}

func TestANativeApplicationHasNoCredentials(t *testing.T) {
	s, _ := newService("native")
	if _, _, err := s.Create(t.Context(), signedIn(now), "erp", ""); !fault.HasCode(err, "native") {
		t.Errorf("%v", err)
	}
}
