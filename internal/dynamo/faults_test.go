package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"useraccounts/internal/access"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/attempts"
	"useraccounts/internal/dynamo/factors"
	"useraccounts/internal/dynamo/sessions"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/local/localtest"
	"useraccounts/internal/mail"
	"useraccounts/internal/mfa"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

var errInjected = errors.New("no answer came")

// faultInjector fails one call, of the table or of the key service: before it arrives, or after, so that only its
// answer is lost. Every other call is as always.
type faultInjector struct {
	mu    sync.Mutex
	on    bool
	at    int
	after bool
	calls int
	hit   bool
}

// failingAt runs do with the at-th of its calls failing, and reports whether it had that many.
func (o *faultInjector) failingAt(at int, after bool, do func()) bool {
	o.mu.Lock()
	o.on, o.at, o.after, o.calls, o.hit = true, at, after, 0, false
	o.mu.Unlock()
	do()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.on = false
	return o.hit
}

func (o *faultInjector) call(do func() error) error {
	o.mu.Lock()
	fails := false
	if o.on {
		o.calls++
		fails = o.calls == o.at
		o.hit = o.hit || fails
	}
	o.mu.Unlock()
	if fails && !o.after {
		return errInjected
	}
	err := do()
	if fails {
		return errInjected
	}
	return err
}

func (o *faultInjector) client(t *testing.T) *dynamodb.Client {
	t.Helper()
	options := localtest.Services(t).DynamoDBClient().Options()
	options.APIOptions = append(options.APIOptions, func(s *middleware.Stack) error {
		return s.Initialize.Add(middleware.InitializeMiddlewareFunc("outage", func(
			ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
		) (out middleware.InitializeOutput, md middleware.Metadata, err error) {
			err = o.call(func() (err error) {
				out, md, err = next.HandleInitialize(ctx, in)
				return err
			})
			return out, md, err
		}), middleware.Before)
	})
	return dynamodb.New(options)
}

// faultySealer is a Sealer whose key service has outages. It keeps what was sealed last and how often it opened
// something.
type faultySealer struct {
	*faultInjector
	plainSealer
	last  string
	opens int
}

func (k *faultySealer) Seal(ctx context.Context, text, bound []byte) (sealed []byte, err error) {
	k.last = string(text)
	err = k.call(func() error { sealed, err = k.plainSealer.Seal(ctx, text, bound); return err })
	return sealed, err
}

func (k *faultySealer) Open(ctx context.Context, sealed, bound []byte) (text []byte, err error) {
	k.opens++
	err = k.call(func() error { text, err = k.plainSealer.Open(ctx, sealed, bound); return err })
	return text, err
}

// faultFixture is everything that signs people in, on a table and a key service with outages.
type faultFixture struct {
	*mailFixture
	*faultInjector
	keyService *faultySealer
	made       int
}

func newFaultFixture(t *testing.T, mailCodes bool) *faultFixture {
	t.Helper()
	u := &faultFixture{mailFixture: newMailFixture(t), faultInjector: &faultInjector{}}
	u.keyService = &faultySealer{faultInjector: u.faultInjector}
	f := u.fixture
	scope := f.currentScope(t)
	if _, err := f.settingsService().Change(t.Context(), scope, scope.Env.SettingsVersion,
		field.Patch{"emailCodeAllowed": mailCodes}); err != nil {
		t.Fatal(err)
	}
	u.table.Client = u.client(t)
	composer := &mail.Composer{NewID: token.NewIDString, Sealer: u.keyService}
	f.accounts.Deleter, f.accounts.Seats, f.accounts.Mail = u.store, u.store, composer
	u.recovery.Mail, u.recovery.Catalogues = composer, dynamo.NewEnvironments(u.table)
	u.recovery.Passwords.History = dynamo.PasswordHistory{Table: u.table}
	return u
}

const newPassword = "another one of my own choice"

// user is an account with which nothing has happened yet, and what its owner has.
type user struct {
	*faultFixture
	*owner
	passkeyUser *passkeyUser
	secret      string
	codes       []string
	hasher      *countingHasher
}

func (u *faultFixture) newUser(t *testing.T, more field.Patch) *user {
	t.Helper()
	u.made++
	s := &user{faultFixture: u, owner: newOwner(t, u.fixture, fmt.Sprintf("person%d", u.made), more),
		hasher: &countingHasher{}}
	composer := &mail.Composer{NewID: token.NewIDString, Sealer: u.keyService}
	s.auth.Accounts, s.auth.Mail, s.auth.Opener = attempts.Store{Table: u.table}, composer, u.keyService
	s.auth.Stats, s.auth.Keys = dynamo.Statistics{Table: u.table}, dynamo.APIKeys{Table: u.table}
	s.auth.useSessions(sessions.Store{Table: u.table})
	s.auth.useVerifier(s.hasher)
	s.auth.usePasswords(sessions.OwnPasswords{Table: u.table})
	s.auth.useHistory(dynamo.PasswordHistory{Table: u.table})
	s.auth.limit(attempts.RateLimiter{Table: u.table}, 1_000_000)
	s.auth.Sleep = func(context.Context, time.Duration) error { return nil }
	s.selfService.Accounts, s.selfService.Mail, s.selfService.PasswordVerifier, s.selfService.Enroller.Sealer = u.store,
		composer, s.auth, u.keyService
	return s
}

// withAuthenticator is a user with an authenticator and recovery codes.
func (u *faultFixture) withAuthenticator(t *testing.T) *user {
	t.Helper()
	s := u.newUser(t, nil)
	s.setUpAuthenticator(t, s.owner.scope(t, s.owner.login(t, "")))
	return s
}

// withPasskey is a user with a passkey as well.
func (u *faultFixture) withPasskey(t *testing.T) *user {
	t.Helper()
	s := u.newUser(t, nil)
	scope := s.owner.scope(t, s.owner.login(t, ""))
	s.passkeyUser, _, _ = s.newPasskey(t, scope, "Phone")
	s.setUpAuthenticator(t, scope)
	return s
}

func (s *user) setUpAuthenticator(t *testing.T, scope access.Scope) {
	t.Helper()
	shown, err := s.selfService.BeginTOTP(t.Context(), scope, "")
	if err != nil {
		t.Fatal(err)
	}
	s.secret = shown.Secret
	if s.codes, err = s.selfService.ConfirmTOTP(t.Context(), scope, codeOf(t, s.secret, s.owner.now)); err != nil {
		t.Fatal(err)
	}
	s.owner.now = s.owner.now.Add(time.Minute)
}

// ticket is that of the step which the right password leads to.
func (s *user) ticket(t *testing.T, step session.Step) string {
	t.Helper()
	got := s.owner.login(t, "")
	if got.Next != step {
		t.Fatalf("%s, not %s", got.Next, step)
	}
	return got.Ticket.Reveal()
}

func (s *user) step(ticket string, with signin.SecondFactorResponse) (signin.Result, error) {
	return s.auth.VerifySecondFactor(context.Background(), ticket, with, signin.ClientInfo{})
}

// countItems counts the sessions, tickets and events of the account.
func (s *user) countItems(t *testing.T) map[byte]int {
	t.Helper()
	out, err := s.table.Client.Query(t.Context(), &dynamodb.QueryInput{
		TableName: &s.table.Name, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("PK = :p"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":p": &types.AttributeValueMemberS{Value: "U#" + s.id}},
	})
	if err != nil {
		t.Fatal(err)
	}
	counted := map[byte]int{}
	for _, it := range out.Items {
		counted[it["SK"].(*types.AttributeValueMemberS).Value[0]]++
	}
	return counted
}

// signInAnew is what a person does after a failure: sign in from the start, with one of the passwords that they may
// have by now, through every step. It has to lead to a session.
func (s *user) signInAnew(t *testing.T) error {
	t.Helper()
	s.owner.now = s.owner.now.Add(time.Minute)
	name := s.owner.row(t).Username
	got, err := s.auth.Login(t.Context(), name, ownPassword, signin.ClientInfo{})
	if fault.HasCode(err, "signInRefused") {
		got, err = s.auth.Login(t.Context(), name, newPassword, signin.ClientInfo{})
	}
	for range 4 {
		if err != nil {
			return err
		}
		switch ticket := got.Ticket.Reveal(); got.Next {
		case session.Done:
			_, err = s.auth.Authenticate(t.Context(), got.Access.Reveal())
			return err
		case session.ChangePassword:
			got, err = s.auth.ChangePassword(t.Context(), ticket, newPassword+" still", signin.ClientInfo{})
		case session.SetUpSecondFactor:
			var shown signin.Enrolment
			if shown, err = s.auth.BeginEnrolment(t.Context(), ticket, mfa.TOTP); err == nil {
				got, err = s.auth.ConfirmEnrolment(t.Context(), ticket,
					signin.EnrolmentResponse{Code: codeOf(t, shown.Secret, s.owner.now)}, signin.ClientInfo{})
			}
		case session.SecondFactor:
			if s.secret != "" {
				got, err = s.step(ticket, signin.SecondFactorResponse{Method: mfa.TOTP, Code: codeOf(t, s.secret, s.owner.now)})
			} else if err = s.auth.SendMailCode(t.Context(), ticket); err == nil {
				got, err = s.step(ticket, signin.SecondFactorResponse{Method: mfa.MailCode, Code: s.keyService.last})
			}
		}
	}
	return fmt.Errorf("no end at %s", got.Next)
}

// operation is one path, ready for its last request.
type operation struct {
	do func() (signin.Result, error)
	// next is where a success leads; refusal the code of the refusal that it is in any case.
	next    session.Step
	refusal string
	// check checks what is stored then; nil for nothing more than for all paths.
	check func(t *testing.T, err error) string
	// retry repeats it, or whatever a person does then, with everything healthy; nil for getIn.
	retry func() error
}

func withoutResult(do func() error) func() (signin.Result, error) {
	return func() (signin.Result, error) { return signin.Result{}, do() }
}

// V84, V13: the table or the key service fails at any one call of any way in, or of what ends one. Nothing is answered
// as done that is not, nothing is there by half, tries stay charged, and the person gets in by themselves when all is
// well again.
func TestAnyCallOfASignInMayFail(t *testing.T) {
	for _, after := range []bool{false, true} {
		t.Run(fmt.Sprintf("answer lost %v", after), func(t *testing.T) {
			t.Parallel()
			mails, u := newFaultFixture(t, true), newFaultFixture(t, false)
			for _, path := range append(mailedFaultPaths(mails), append(faultPaths(u), ownFaultPaths(u)...)...) {
				t.Run(path.name, func(t *testing.T) { path.survives(t, after) })
			}
		})
	}
}

func (p faultPath) survives(t *testing.T, after bool) {
	for at := 1; ; at++ {
		s := p.newUser(t)
		if s.survives(t, p.prepare(t, s), at, after) {
			continue
		}
		if at == 1 {
			t.Error("it makes no call")
		}
		return
	}
}

// survives does the operation with a failure at its at-th call, and reports whether there was such a call.
func (s *user) survives(t *testing.T, d operation, at int, after bool) bool {
	t.Helper()
	bad := func(format string, args ...any) {
		t.Helper()
		t.Errorf("call %d, answer lost %v: "+format, append([]any{at, after}, args...)...)
	}
	before, had := s.owner.row(t), s.countItems(t)
	s.hasher.verified.Store(0)
	var got signin.Result
	var err error
	hit := s.failingAt(at, after, func() { got, err = d.do() })
	row, has := s.owner.row(t), s.countItems(t)
	opened, offered := has['S']-had['S'], has['T']-had['T']
	switch {
	case !hit && d.refusal == "" && err != nil:
		bad("without a failure: %v", err)
	case err == nil && d.refusal != "":
		bad("let in")
	case err == nil && got.Next != d.next:
		bad("leads to %q", got.Next)
	case err == nil && d.next == session.Done:
		if _, err := s.auth.Authenticate(t.Context(), got.Access.Reveal()); err != nil {
			bad("the session does not open: %v", err)
		}
	case err != nil && !fault.HasCode(err, d.refusal) &&
		(fault.Is(err, fault.Unauthenticated) || fault.Is(err, fault.Invalid)):
		bad("a failure is dressed as a refusal: %v", err)
	case err != nil && !after && (opened > 0 || offered > 0), opened > 1, offered > 1:
		bad("%d sessions and %d tickets are left (%v)", opened, offered, err)
	}
	if wrote := row.Version - before.Version; wrote > 1 || wrote == 1 && has['E'] == had['E'] {
		bad("written by half: version %d after %d", row.Version, before.Version)
	}
	if d.check != nil {
		if wrong := d.check(t, err); wrong != "" {
			bad("%s (%v)", wrong, err)
		}
	}
	if d.retry == nil {
		d.retry = func() error { return s.signInAnew(t) }
	}
	if err := d.retry(); err != nil {
		bad("when all is well again: %v", err)
	}
	return hit
}

type faultPath struct {
	name    string
	newUser func(*testing.T) *user
	prepare func(*testing.T, *user) operation
}

func faultPaths(u *faultFixture) []faultPath {
	plain := func(t *testing.T) *user { return u.newUser(t, nil) }
	forced := func(t *testing.T) *user {
		s := u.newUser(t, nil)
		if _, err := u.accounts.Change(t.Context(), u.currentScope(t), s.id, s.owner.row(t).Version,
			field.Patch{"forcePasswordChange": true}); err != nil {
			t.Fatal(err)
		}
		return s
	}
	unset := func(t *testing.T) *user { return u.newUser(t, field.Patch{"mfaRequired": true}) }
	signIn := func(password string, d operation) func(*testing.T, *user) operation {
		return func(t *testing.T, s *user) operation {
			name := s.owner.row(t).Username
			d.do = func() (signin.Result, error) {
				return s.auth.Login(t.Context(), name, password, signin.ClientInfo{Address: "192.0.2.1"})
			}
			if password != ownPassword {
				d.check = func(t *testing.T, _ error) string {
					if tries := s.owner.row(t).FailedTries; tries < s.hasher.verified.Load() {
						return fmt.Sprintf("%d passwords verified, %d tries charged", s.hasher.verified.Load(), tries) // V13
					}
					return ""
				}
			}
			return d
		}
	}
	in := operation{next: session.Done}
	return []faultPath{
		{"password", plain, signIn(ownPassword, in)},
		{"wrong password", plain, signIn("wrong", operation{refusal: "signInRefused"})},
		{"the try that blocks", plain, blockingTry},
		{"password, then a second factor", u.withAuthenticator, signIn(ownPassword, operation{next: session.SecondFactor})},
		{"password, then a set-up", unset, signIn(ownPassword, operation{next: session.SetUpSecondFactor})},
		{"password, then a change of it", forced, signIn(ownPassword, operation{next: session.ChangePassword})},
		{"by a code", u.withAuthenticator, bySecondFactor(func(t *testing.T, s *user, _ string) signin.SecondFactorResponse {
			return signin.SecondFactorResponse{Method: mfa.TOTP, Code: codeOf(t, s.secret, s.owner.now), Remember: true}
		}, in)},
		{"by a wrong code", u.withAuthenticator, wrongCodeOperation},
		{"by a recovery code", u.withAuthenticator,
			bySecondFactor(func(_ *testing.T, s *user, _ string) signin.SecondFactorResponse {
				return signin.SecondFactorResponse{Method: mfa.RecoveryCode, Code: s.codes[0]}
			}, in)},
		{"by a passkey", u.withPasskey,
			bySecondFactor(func(t *testing.T, s *user, ticket string) signin.SecondFactorResponse {
				raw, err := s.auth.BeginPasskeyFactor(t.Context(), ticket)
				if err != nil {
					t.Fatal(err)
				}
				return signin.SecondFactorResponse{Method: mfa.PasskeyMethod, Credential: s.passkeyUser.assertion(t, raw)}
			}, in)},
		{"by a passkey alone", u.withPasskey, func(t *testing.T, s *user) operation {
			answer := s.passkeyUser.assertion(t, s.passkeyUser.beginAssertion(t))
			s.auth.Challenges = factors.Store{Table: u.table}
			return operation{next: session.Done, do: func() (signin.Result, error) {
				return s.auth.LoginWithPasskey(t.Context(), answer, signin.ClientInfo{})
			},
				retry: func() error {
					if _, err := s.passkeyUser.signInByPasskey(t); err != nil {
						return fmt.Errorf("the passkey: %w", err)
					}
					return s.signInAnew(t)
				}}
		}},
		{"beginning a set-up", unset, func(t *testing.T, s *user) operation {
			ticket := s.ticket(t, session.SetUpSecondFactor)
			return operation{do: func() (signin.Result, error) {
				_, err := s.auth.BeginEnrolment(t.Context(), ticket, mfa.TOTP)
				return signin.Result{}, err
			}}
		}},
		{"the change that is forced", forced, func(t *testing.T, s *user) operation {
			ticket := s.ticket(t, session.ChangePassword)
			return operation{next: session.Done, do: func() (signin.Result, error) {
				return s.auth.ChangePassword(t.Context(), ticket, newPassword, signin.ClientInfo{})
			}}
		}},
		{"by a trusted device", u.withAuthenticator, trustedDeviceOperation},
		{"renewal", plain, refreshOperation},
		{"by a provider", plain, func(t *testing.T, s *user) operation {
			return operation{next: session.Done, do: func() (signin.Result, error) {
				return s.auth.LoginWithProvider(t.Context(), s.id, true, signin.ClientInfo{})
			}}
		}},
	}
}

// bySecondFactor is the step "secondFactor", answered by what with makes ready.
func bySecondFactor(
	with func(*testing.T, *user, string) signin.SecondFactorResponse, d operation,
) func(*testing.T, *user) operation {
	return func(t *testing.T, s *user) operation {
		ticket := s.ticket(t, session.SecondFactor)
		answer := with(t, s, ticket)
		d.do = func() (signin.Result, error) { return s.step(ticket, answer) }
		return d
	}
}

func mailedFaultPaths(u *faultFixture) []faultPath {
	byMail := func(t *testing.T) *user { return u.newUser(t, field.Patch{"mfaRequired": true}) }
	return []faultPath{
		{"a code by mail", byMail, bySecondFactor(func(t *testing.T, s *user, ticket string) signin.SecondFactorResponse {
			if err := s.auth.SendMailCode(t.Context(), ticket); err != nil {
				t.Fatal(err)
			}
			return signin.SecondFactorResponse{Method: mfa.MailCode, Code: s.keyService.last}
		}, operation{next: session.Done})},
		{"mailing a code", byMail, func(t *testing.T, s *user) operation {
			ticket := s.ticket(t, session.SecondFactor)
			return operation{
				do: func() (signin.Result, error) { return signin.Result{}, s.auth.SendMailCode(t.Context(), ticket) }}
		}},
	}
}
