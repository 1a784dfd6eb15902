package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"useraccounts/internal/auditlog"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/accountlog"
	"useraccounts/internal/dynamo/attempts"
	"useraccounts/internal/dynamo/sessions"
	"useraccounts/internal/fault"
	"useraccounts/internal/local/localtest"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
)

// withClock is the fixture's sign-in at a clock of its own, with passwords counted.
func (f *fixture) withClock(clock *time.Time) (*signIn, *countingHasher) {
	hasher := &countingHasher{}
	s := f.signin.clone()
	s.Now = func() time.Time { return *clock }
	s.useVerifier(hasher)
	return s, hasher
}

// The timed release in the table says what signin.AttemptPolicy.Wait says, at each rung and to the millisecond, and of
// many tries at once it lets one through.
func TestTheReleaseInTheTableIsThatOfTheRules(t *testing.T) {
	f := newFixture(t)
	a := f.member(t, "doej")
	clock := time.Now().UTC().Truncate(time.Millisecond)
	s, hasher := f.withClock(&clock)
	for range 5 {
		_ = f.login(t, s, "doej", "wrong")()
	}
	rule := signin.AttemptPolicy{Limit: 5, Release: true}
	for failures := int64(5); failures < 14; failures++ {
		wait, _ := rule.Wait(failures)
		shown, err := f.accounts.Get(t.Context(), f.currentScope(t), a.ID)
		if until := shown.WithBlockedUntil(f.currentScope(t).Env.Settings).BlockedUntil; err != nil ||
			!until.Equal(clock.Add(wait)) {
			t.Errorf("after %d failures the next try is shown at %s, not %s: %v", failures, until, clock.Add(wait), err)
		}
		before := hasher.verified.Load()
		clock = clock.Add(wait - time.Millisecond)
		_ = f.login(t, s, "doej", secret)()
		if n := hasher.verified.Load() - before; n != 0 {
			t.Fatalf("after %d failures, a millisecond before %s: %d verified", failures, wait, n)
		}
		clock = clock.Add(time.Millisecond)
		var operations []func() error
		for range 10 {
			operations = append(operations, f.login(t, s, "doej@example.com", "wrong"))
		}
		inParallel(operations...)
		if n := hasher.verified.Load() - before; n != 1 {
			t.Fatalf("after %d failures and %s: %d verified", failures, wait, n)
		}
	}
	clock = clock.Add(15 * time.Minute)
	if err := f.login(t, s, "doej", secret)(); err != nil {
		t.Fatalf("the right one: %v", err)
	}
	if got, err := f.accounts.Get(t.Context(), f.currentScope(t), a.ID); err != nil || got.FailedTries != 0 ||
		!got.TriesBlockedAt.IsZero() {
		t.Errorf("%+v %v", got, err)
	}
}

// NIST SP 800-63B-4, 3.2.2: of a hundred failures in a row the known networks have twenty; the others wait for an
// administrator, who clears the ladder.
func TestAHundredFailuresWaitForAnAdministrator(t *testing.T) {
	f := newFixture(t)
	a := f.member(t, "doej")
	clock := time.Now().UTC()
	s, hasher := f.withClock(&clock)
	for range 110 {
		_ = f.login(t, s, "doej", "wrong")()
		clock = clock.Add(15 * time.Minute)
	}
	if n := hasher.verified.Load(); n != 80 {
		t.Errorf("%d were verified", n)
	}
	clock = clock.Add(24 * time.Hour)
	if err := f.login(t, s, "doej", secret)(); !fault.HasCode(err, "signInRefused") {
		t.Errorf("the right one: %v", err)
	}
	if _, err := f.accounts.ResetTries(t.Context(), f.currentScope(t), a.ID, 0); err != nil {
		t.Fatal(err)
	}
	if err := f.login(t, s, "doej", secret)(); err != nil {
		t.Errorf("after the administrator: %v", err)
	}
}

// V81: failures are in the account's log with their reason, address and client; beyond the limit they are counted in
// one line of the hour; of an unknown identifier nothing is kept.
func TestFailedSignInsAreInTheLogAndBounded(t *testing.T) {
	f := newFixture(t)
	a := f.member(t, "doej")
	clock := time.Now().UTC().Truncate(time.Hour).Add(10 * time.Minute)
	s, _ := f.withClock(&clock)
	for range 60 {
		_, _ = s.Login(t.Context(), "doej", "wrong",
			signin.ClientInfo{Address: "192.0.2.66", Client: "curl", UserAgent: "agent"})
	}
	events, _, err := accountlog.Store{Table: f.table}.Events(t.Context(), f.currentScope(t).Env, a.ID, "", 200)
	if err != nil {
		t.Fatal(err)
	}
	var lines, counted, blocks int
	for _, e := range events {
		switch e.Kind {
		case auditlog.SignInFailed:
			lines++
			counted += e.Count
			if e.Address != "192.0.2.66" || e.Client != "curl" || e.UserAgent != "agent" || !strings.Contains(e.Note, "rong") &&
				!strings.Contains(e.Note, "Too many failed tries") {
				t.Errorf("%+v", e)
			}
		case auditlog.BlockedByTries:
			blocks++
		default: // not counted here
		}
	}
	// The fifth line is written with the block, and is one without a count.
	if lines != 6 || counted != 4+55 || blocks != 1 {
		t.Errorf("%d lines that count %d, %d blocks", lines, counted, blocks)
	}
	before := f.allTexts(t)
	_, _ = s.Login(t.Context(), "a-password-in-the-wrong-box", "x", signin.ClientInfo{})
	if got := f.allTexts(t); strings.Contains(got, "wrong-box") || strings.Contains(before, "wrong-box") {
		t.Error("what was typed is in the table")
	}
}

// V42: 20 refreshes with one token at once all get the one successor, and the session lives on it.
func TestParallelRefreshesLeaveOneLineage(t *testing.T) {
	f := newFixture(t)
	f.member(t, "doej")
	in, err := f.signin.Login(t.Context(), "doej", secret, signin.ClientInfo{})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	got := map[string]int{}
	var operations []func() error
	for range 20 {
		operations = append(operations, func() error {
			r, err := f.signin.Refresh(t.Context(), in.Refresh.Reveal(), signin.ClientInfo{})
			mu.Lock()
			defer mu.Unlock()
			got[r.Refresh.Reveal()+r.Access.Reveal()]++
			in.Access = r.Access
			return err
		})
	}
	for _, err := range inParallel(operations...) {
		if err != nil {
			t.Errorf("%v", err)
		}
	}
	if len(got) != 1 {
		t.Errorf("%d branches", len(got))
	}
	if _, err := f.signin.Authenticate(t.Context(), in.Access.Reveal()); err != nil {
		t.Error(err)
	}
}

// V41: a token from two rotations back closes the session, and who closes one is kept with it.
func TestWhatClosedASessionIsKept(t *testing.T) {
	f := newFixture(t)
	a := f.member(t, "doej")
	in, err := f.signin.Login(t.Context(), "doej", secret, signin.ClientInfo{})
	if err != nil {
		t.Fatal(err)
	}
	last := in.Refresh
	for range 2 {
		r, err := f.signin.Refresh(t.Context(), last.Reveal(), signin.ClientInfo{})
		if err != nil {
			t.Fatal(err)
		}
		last = r.Refresh
	}
	if _, err := f.signin.Refresh(t.Context(), in.Refresh.Reveal(),
		signin.ClientInfo{Address: "198.51.100.6"}); !fault.HasCode(err, "session") {
		t.Errorf("%v", err)
	}
	other, err := f.signin.Login(t.Context(), "doej", secret, signin.ClientInfo{})
	if err != nil {
		t.Fatal(err)
	}
	sessions := sessions.Store{Table: f.table}
	end := session.End{At: time.Now(), Reason: session.ClosedByAdmin, By: "Boss", ByID: "boss-id",
		FromAddress: "203.0.113.4"}
	if closed, err := sessions.Close(t.Context(), a.ID, other.Session.ID, end); err != nil || !closed {
		t.Fatalf("%v %v", closed, err)
	}
	if again, err := sessions.Close(t.Context(), a.ID, other.Session.ID,
		session.End{At: time.Now(), Reason: session.SignedOut}); err != nil || again {
		t.Errorf("closed twice: %v", err)
	}
	found, _, err := sessions.Sessions(t.Context(), a.ID, "", 10)
	if err != nil || len(found) != 2 {
		t.Fatalf("%d %v", len(found), err)
	}
	if s := found[0]; s.ClosedBy != "Boss" || s.ClosedByID != "boss-id" || s.ClosedFrom != "203.0.113.4" ||
		s.Reason != session.ClosedByAdmin {
		t.Errorf("%+v", s)
	}
	if s := found[1]; s.Reason != session.RefreshReused || s.ClosedFrom != "198.51.100.6" || s.ClosedBy != "" {
		t.Errorf("%+v", s)
	}
}

// V19: requests are counted by network and minute, each once however many come at the same time.
func TestArrivalsAreCounted(t *testing.T) {
	f := newFixture(t)
	s := attempts.RateLimiter{Table: f.table}
	at := time.Date(2026, 1, 5, 9, 0, 30, 0, time.UTC)
	var operations []func() error
	for range 40 {
		operations = append(operations, func() error { _, _, err := s.Count(t.Context(), env, "192.0.2.1", at); return err })
	}
	for _, err := range inParallel(operations...) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		env, network string
		at           time.Time
		want         int
	}{
		"the same minute": {env, "192.0.2.1", at.Add(29 * time.Second), 41},
		"the next":        {env, "192.0.2.1", at.Add(30 * time.Second), 1},
		"another network": {env, "2001:db8::/64", at, 1}, "another environment": {"other", "192.0.2.1", at, 1},
	} {
		count, ends, err := s.Count(t.Context(), c.env, c.network, c.at)
		if err != nil || count != c.want || ends.Sub(c.at) <= 0 || ends.Sub(c.at) > time.Minute {
			t.Errorf("%s: %d until %s, %v", name, count, ends, err)
		}
	}
}

// allTexts is every item of the table as one text.
func (f *fixture) allTexts(t *testing.T) string {
	t.Helper()
	out, err := f.table.Client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &f.table.Name})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%v", textsOf(out.Items))
}

// V84: whichever call of a sign-in or a refresh fails, nobody is let in, the try stays charged once it was, and the
// next one with the right password gets in.
func TestAFaultAtEachCallOfASignInDenies(t *testing.T) {
	f := newFixture(t)
	for name, password := range map[string]string{"right": secret, "wrong": "wrong"} {
		for at := 1; ; at++ {
			who := fmt.Sprintf("p%s%d", name, at)
			a := f.member(t, who)
			broken := &failingCall{at: at}
			s := f.signin.clone()
			table := &dynamo.Table{Client: broken.client(t), Name: f.table.Name}
			s.Accounts = attempts.Store{Table: table}
			s.useSessions(sessions.Store{Table: table})
			s.limit(attempts.RateLimiter{Table: f.table}, 1000)
			_, err := s.Login(t.Context(), who, password, signin.ClientInfo{})
			if !broken.failed {
				break // past the last call
			}
			if err == nil || fault.HasCode(err, "signInRefused") {
				t.Errorf("%s, call %d: %v", name, at, err)
			}
			sessions, _, _ := sessions.Store{Table: f.table}.Sessions(t.Context(), a.ID, "", 10)
			got, getErr := f.accounts.Get(t.Context(), f.currentScope(t), a.ID)
			charged := int64(0)
			if at > 2 { // find, charge
				charged = 1
			}
			if len(sessions) > 0 || getErr != nil || got.FailedTries != charged || !got.LastLogin.IsZero() {
				t.Errorf("%s, call %d: %d sessions, %+v", name, at, len(sessions), got)
			}
			if err := f.login(t, f.signin, who, secret)(); err != nil {
				t.Errorf("%s, after call %d: %v", name, at, err)
			}
		}
	}
	f.member(t, "renewer")
	in, err := f.signin.Login(t.Context(), "renewer", secret, signin.ClientInfo{})
	if err != nil {
		t.Fatal(err)
	}
	for at := 1; at <= 2; at++ {
		broken := &failingCall{at: at}
		table := &dynamo.Table{Client: broken.client(t), Name: f.table.Name}
		s := f.signin.clone()
		s.Credentials = sessions.NewCredentials(table)
		s.useSessions(sessions.Store{Table: table})
		if _, err := s.Refresh(t.Context(), in.Refresh.Reveal(), signin.ClientInfo{}); err == nil ||
			fault.Is(err, fault.Unauthenticated) || !broken.failed {
			t.Errorf("refresh, call %d: %v", at, err)
		}
	}
	if _, err := f.signin.Refresh(t.Context(), in.Refresh.Reveal(), signin.ClientInfo{}); err != nil {
		t.Errorf("the token is used up by refreshes that failed: %v", err)
	}
}

// failingCall fails one call of a client, before it leaves.
type failingCall struct {
	mu     sync.Mutex
	at, n  int
	failed bool
}

var errTableDown = errors.New("the table is down")

func (c *failingCall) client(t *testing.T) *dynamodb.Client {
	t.Helper()
	o := localtest.Services(t).DynamoDBClient().Options()
	o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
		return s.Initialize.Add(
			middleware.InitializeMiddlewareFunc("faulty",
				func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
					middleware.InitializeOutput, middleware.Metadata, error,
				) {
					c.mu.Lock()
					c.n++
					now := c.n == c.at
					c.failed = c.failed || now
					c.mu.Unlock()
					if now {
						return middleware.InitializeOutput{}, middleware.Metadata{}, errTableDown
					}
					return next.HandleInitialize(ctx, in)
				}), middleware.Before)
	})
	return dynamodb.New(o)
}

// textsOf is the string attributes of items.
func textsOf(items []map[string]types.AttributeValue) []string {
	var out []string
	for _, it := range items {
		for name, value := range it {
			if s, ok := value.(*types.AttributeValueMemberS); ok {
				out = append(out, name+"="+s.Value)
			}
		}
	}
	return out
}
