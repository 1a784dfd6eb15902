package signin_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/fault"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

func TestLoginOpensASession(t *testing.T) {
	w := newFakeStore(doejWith(func(a *account.Account) { a.FailedTries = 4 }))
	got := login(t, w)
	s := got.Session
	want := session.Session{
		AccountID: doej().ID, ID: s.ID, AccessHash: got.Access.Hash(), RefreshHash: got.Refresh.Hash(), Epoch: 7,
		Client: "curl", UserAgent: "ua",
		FamilyHash: got.Refresh.FamilyHash(), Salt: s.Salt, Address: "192.0.2.1", Start: noon,
		RefreshDue: noon.Add(30 * time.Minute), HardEnd: noon.Add(12 * time.Hour),
	}
	if got.Next != session.Done || !reflect.DeepEqual(s, want) || !reflect.DeepEqual(w.sessions[s.ID], want) {
		t.Errorf("%+v", got)
	}
	if a := w.accounts["doej"]; a.FailedTries != 0 || !a.LastLogin.Equal(noon) {
		t.Errorf("%+v", a)
	}
	// V37: what is stored opens nothing.
	for _, secret := range []string{got.Access.Reveal(), got.Refresh.Reveal()} {
		if strings.Contains(string(s.AccessHash)+string(s.RefreshHash), secret) {
			t.Error("a token is stored")
		}
	}
	again := login(t, w) // V38
	if again.Session.ID == s.ID || again.Access == got.Access || again.Refresh == got.Refresh {
		t.Error("a second sign-in has the same session or tokens")
	}
}

// C03, C04: every spelling of the username and of the email leads to the one account.
func TestLoginTakesEverySpelling(t *testing.T) {
	for _, identifier := range []string{
		"doej", "DOEJ", " doej ", "ｄｏｅｊ", "john@example.com", "JOHN@EXAMPLE.COM",
		"John＠example.com\u00a0",
	} {
		w := newFakeStore(doej())
		if got, err := w.services().Login(context.Background(), identifier, secret, signin.ClientInfo{}); err != nil ||
			got.Next != session.Done {
			t.Errorf("%q: %v", identifier, err)
		}
	}
}

// refusals are the reasons for which the right password, or a wrong one, does not let in.
func refusals() map[string]struct {
	account  account.Account
	password string
} {
	type refusal = struct {
		account  account.Account
		password string
	}
	return map[string]refusal{
		"wrong password":       {doej(), "wrong"},
		"empty password":       {doej(), ""},
		"another case":         {doej(), strings.ToUpper(secret)},
		"blocked":              {doejWith(func(a *account.Account) { a.AccessLocked = true }), secret},
		"blocked and wrong":    {doejWith(func(a *account.Account) { a.AccessLocked = true }), "wrong"},
		"blocked by tries":     {doejWith(func(a *account.Account) { a.FailedTries, a.TriesBlockedAt = 5, noon }), secret},
		"the last try":         {doejWith(func(a *account.Account) { a.FailedTries = 4 }), "wrong"},
		"locked":               {doejWith(func(a *account.Account) { a.Active = false }), secret},
		"not yet":              {doejWith(func(a *account.Account) { a.DateFrom, a.DateTo = tomorrow, "" }), secret},
		"no longer":            {doejWith(func(a *account.Account) { a.DateFrom, a.DateTo = yesterday, yesterday }), secret},
		"no password":          {doejWith(func(a *account.Account) { a.PasswordHash = "" }), secret},
		"API client, no input": {doejWith(func(a *account.Account) { a.PasswordHash, a.UserType = "", "API" }), ""},
		"nobody":               {account.Account{ID: "x", Username: "another"}, secret},
	}
}

// V21, C23: whatever the reason, the refusal is the same fault, with the same words, and nothing besides.
func TestEveryRefusalIsTheSameFault(t *testing.T) {
	var first error
	for name, c := range refusals() {
		w := newFakeStore(c.account)
		got, err := w.services().Login(context.Background(), "doej", c.password, signin.ClientInfo{})
		if first == nil {
			first = err
		}
		if !fault.Is(err, fault.Unauthenticated) || !reflect.DeepEqual(err, first) {
			t.Errorf("%s: %#v", name, err)
		}
		if !reflect.DeepEqual(got, signin.Result{}) || len(w.sessions)+len(w.tickets) > 0 {
			t.Errorf("%s: %+v was given", name, got)
		}
		if w.work != 1 || len(w.reserved) != 1 || w.slept > 0 { // C24
			t.Errorf("%s: %d hashes and %d attempts, slept %d times", name, w.work, len(w.reserved), w.slept)
		}
	}
	for _, identifier := range []string{"", " ", "doe\x00j", strings.Repeat("x", 5000), "doe\xffj", "nobody@example.com"} {
		w := newFakeStore(doej())
		_, err := w.services().Login(context.Background(), identifier, secret, signin.ClientInfo{})
		if !reflect.DeepEqual(err, first) || w.work != 1 || len(w.reserved) != 1 || w.reserved[0] != "" {
			t.Errorf("%.20q: %v, %d hashes, reserved %q", identifier, err, w.work, w.reserved)
		}
	}
}

// C01, C02, V11: five wrong tries in all, however the account is named; then nothing is verified any more, not even the
// right password.
func TestTheLimitHoldsOverAllSpellings(t *testing.T) {
	w := newFakeStore(doej())
	for i, identifier := range []string{
		"doej", "john@example.com", " DOEJ ", "JOHN@example.com", "ｄｏｅｊ", "doej",
		"john@example.com",
	} {
		given := "wrong"
		if i > 4 {
			given = secret
		}
		if _, err := w.services().Login(context.Background(), identifier, given, signin.ClientInfo{}); !fault.Is(err,
			fault.Unauthenticated) {
			t.Errorf("try %d: %v", i+1, err)
		}
		if blocked := !w.accounts["doej"].TriesBlockedAt.IsZero(); blocked != (i >= 4) {
			t.Errorf("after try %d: blocked %v", i+1, blocked)
		}
	}
	if w.verified != 5 || w.work != 7 || len(w.blocks) != 1 {
		t.Errorf("%d passwords verified, %d hashes, %d blocks", w.verified, w.work, len(w.blocks))
	}
}

// V16: no stored limit counts for more than a hundred, and none turns the counting off.
func TestTheLimitItselfHasOne(t *testing.T) {
	for stored, want := range map[int]int{0: 5, -7: 5, 3: 3, 1 << 30: 100} {
		w := newFakeStore(doej())
		w.env.Settings.FailedTryLimit = stored
		for range 110 {
			_, _ = w.services().Login(context.Background(), "doej", "wrong", signin.ClientInfo{})
		}
		if w.verified != want {
			t.Errorf("%d stored: %d verified, want %d", stored, w.verified, want)
		}
	}
}

// A refused sign-in counts, also with the right password: at the limit the account is blocked at once, so that the next
// try is not told from others by its time.
func TestTheRightPasswordOfABlockedAccountCountsToo(t *testing.T) {
	w := newFakeStore(doejWith(func(a *account.Account) { a.AccessLocked = true }))
	for range 7 {
		_, _ = w.services().Login(context.Background(), "doej", secret, signin.ClientInfo{})
	}
	if w.slept > 0 || w.accounts["doej"].TriesBlockedAt.IsZero() || w.verified != 5 {
		t.Errorf("slept %d times, %d verified, %+v", w.slept, w.verified, w.accounts["doej"])
	}
}

// V14: where tries in flight fill the limit, a right one waits for them rather than fail.
func TestARightTryWaitsForThoseInFlight(t *testing.T) {
	w := newFakeStore(doejWith(func(a *account.Account) { a.FailedTries = 5 }))
	s := w.services()
	s.Sleep = func(context.Context, time.Duration) error {
		if w.slept++; w.slept == 3 {
			w.change("doej", func(a *account.Account) { a.FailedTries = 0 }) // one of them was right
		}
		return nil
	}
	if got, err := s.Login(context.Background(), "doej", secret, signin.ClientInfo{}); err != nil ||
		got.Next != session.Done || w.slept != 3 {
		t.Errorf("%v after %d waits", err, w.slept)
	}
}

// Attempts of a process that died are not waited for without an end: the account is blocked.
func TestWaitingEndsInABlock(t *testing.T) {
	w := newFakeStore(doejWith(func(a *account.Account) { a.FailedTries = 5 }))
	if _, err := w.services().Login(context.Background(), "doej", secret, signin.ClientInfo{}); !fault.HasCode(err,
		"signInRefused") {
		t.Errorf("%v", err)
	}
	if w.verified > 0 || len(w.blocks) != 1 || w.slept != 14 {
		t.Errorf("%d verified, %d blocks, %d waits", w.verified, len(w.blocks), w.slept)
	}
}

// C07: whoever is blocked, or given another password, between the password and the session does not get in, and is not
// told.
func TestABlockBetweenPasswordAndSessionRefuses(t *testing.T) {
	for name, forced := range map[string]bool{"Open": false, "IssueTicket": true} {
		w := newFakeStore(doejWith(func(a *account.Account) { a.ForcePasswordChange = forced }))
		w.beforeWrite = func() { w.change("doej", func(a *account.Account) { a.Epoch++ }) }
		_, err := w.services().Login(context.Background(), "doej", secret, signin.ClientInfo{})
		if !fault.HasCode(err, "signInRefused") || len(w.sessions)+len(w.tickets) > 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// V33: the next step, for all there is to decide it.
func TestTheNextStep(t *testing.T) {
	for _, c := range []struct {
		forced bool
		next   session.Step
	}{{false, session.Done}, {true, session.ChangePassword}} {
		w := newFakeStore(doejWith(func(a *account.Account) { a.ForcePasswordChange = c.forced }))
		got := login(t, w)
		if got.Next != c.next {
			t.Errorf("forced %v: %s", c.forced, got.Next)
		}
		var none token.Token
		if done := c.next == session.Done; (got.Access != none) != done || (got.Refresh != none) != done ||
			(got.Ticket != none) == done {
			t.Errorf("forced %v: tokens do not fit the step", c.forced)
		}
	}
}

// V84: whatever fails, nobody is let in, and the failure is not dressed as a refusal.
func TestFailuresLetNobodyIn(t *testing.T) {
	down := errors.New("down")
	for _, method := range []string{"Find", "ReserveAttempt", "Open", "IssueTicket"} {
		w := newFakeStore(doejWith(func(a *account.Account) { a.ForcePasswordChange = method == "IssueTicket" }))
		w.fail[method] = down
		if _, err := w.services().Login(context.Background(), "doej", secret, signin.ClientInfo{}); !errors.Is(err, down) ||
			len(w.sessions)+len(w.tickets) > 0 {
			t.Errorf("%s: %v", method, err)
		}
	}
	for name, tries := range map[string]int64{"RecordFailure": 4, "Sleep": 5} {
		w := newFakeStore(doejWith(func(a *account.Account) { a.FailedTries = tries }))
		w.fail[name] = down
		if _, err := w.services().Login(context.Background(), "doej", "wrong", signin.ClientInfo{}); !errors.Is(err, down) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i, forced := range []bool{false, false, true} {
		w := newFakeStore(doejWith(func(a *account.Account) { a.ForcePasswordChange = forced }))
		s := w.services()
		s.Steps.Random = strings.NewReader(strings.Repeat("x", 32*(i%2))) // enough for the first token, not for the second
		if _, err := s.Login(context.Background(), "doej", secret, signin.ClientInfo{}); err == nil ||
			len(w.sessions)+len(w.tickets) > 0 {
			t.Errorf("without random bytes: %v", err)
		}
	}
	for _, forced := range []bool{false, true} {
		w := newFakeStore(doejWith(func(a *account.Account) { a.ID, a.ForcePasswordChange = "damaged", forced }))
		if _, err := w.services().Login(context.Background(), "doej", secret, signin.ClientInfo{}); err == nil {
			t.Error("an account whose id is none gets in")
		}
	}
}

func TestSleepEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := signin.Sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if err := signin.Sleep(context.Background(), 0); err != nil {
		t.Errorf("%v", err)
	}
}
