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
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/local/localtest"
	"useraccounts/internal/mail"
	"useraccounts/internal/mfa"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

var errOutage = errors.New("no answer came")

// outage fails one call, of the table or of the key service: before it arrives, or after, so that only its answer is lost.
// Every other call is as always.
type outage struct {
	mu    sync.Mutex
	on    bool
	at    int
	after bool
	calls int
	hit   bool
}

// over runs do with the at-th of its calls failing, and reports whether it had that many.
func (o *outage) over(at int, after bool, do func()) bool {
	o.mu.Lock()
	o.on, o.at, o.after, o.calls, o.hit = true, at, after, 0, false
	o.mu.Unlock()
	do()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.on = false
	return o.hit
}

func (o *outage) call(do func() error) error {
	o.mu.Lock()
	fails := false
	if o.on {
		o.calls++
		fails = o.calls == o.at
		o.hit = o.hit || fails
	}
	o.mu.Unlock()
	if fails && !o.after {
		return errOutage
	}
	err := do()
	if fails {
		return errOutage
	}
	return err
}

func (o *outage) client(t *testing.T) *dynamodb.Client {
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

// keys is a Sealer whose key service has outages. It keeps what was sealed last and how often it opened something.
type keys struct {
	*outage
	plain
	last  string
	opens int
}

func (k *keys) Seal(ctx context.Context, text, bound []byte) (sealed []byte, err error) {
	k.last = string(text)
	err = k.call(func() error { sealed, err = k.plain.Seal(ctx, text, bound); return err })
	return sealed, err
}

func (k *keys) Open(ctx context.Context, sealed, bound []byte) (text []byte, err error) {
	k.opens++
	err = k.call(func() error { text, err = k.plain.Open(ctx, sealed, bound); return err })
	return text, err
}

// unreliable is everything that signs people in, on a table and a key service with outages.
type unreliable struct {
	*posting
	*outage
	keys *keys
	made int
}

func newUnreliable(t *testing.T, mailCodes bool) *unreliable {
	t.Helper()
	u := &unreliable{posting: newPosting(t), outage: &outage{}}
	u.keys = &keys{outage: u.outage}
	f := u.fixture
	scope := f.fresh(t)
	if _, err := f.settings().Change(t.Context(), scope, scope.Env.SettingsVersion, field.Patch{"emailCodeAllowed": mailCodes}); err != nil {
		t.Fatal(err)
	}
	u.table.Client = u.client(t)
	desk := &mail.Desk{NewID: token.NewIDText, Sealer: u.keys}
	f.accounts.Directory, f.accounts.Remover, f.accounts.Seats, f.accounts.Mail = u.store, u.store, u.store, desk
	u.recovery.Mail, u.recovery.Catalogues = desk, dynamo.NewEnvironments(u.table)
	u.recovery.Passwords.Former = dynamo.Passwords{Table: u.table}
	return u
}

const renewed = "another one of my own choice"

// somebody is an account that nothing happened to, and what its person has.
type somebody struct {
	*unreliable
	*owner
	holder *holder
	secret string
	codes  []string
	hasher *counting
}

func (u *unreliable) somebody(t *testing.T, more field.Patch) *somebody {
	t.Helper()
	u.made++
	s := &somebody{unreliable: u, owner: newOwner(t, u.fixture, fmt.Sprintf("person%d", u.made), more), hasher: &counting{}}
	desk, passwords := &mail.Desk{NewID: token.NewIDText, Sealer: u.keys}, dynamo.Passwords{Table: u.table}
	s.people.Accounts, s.people.Sessions, s.people.Hasher, s.people.Mail, s.people.Seal = u.store, dynamo.Sessions{Table: u.table}, s.hasher, desk, u.keys
	s.people.Own, s.people.Former, s.people.ByKey = passwords, passwords, dynamo.Keys{Table: u.table}
	s.people.Throttle, s.people.PerMinute, s.people.Tally = dynamo.Arrivals{Table: u.table}, 1_000_000, dynamo.Overviews{Table: u.table}
	s.people.Sleep = func(context.Context, time.Duration) error { return nil }
	s.own.Accounts, s.own.Mail, s.own.Prover, s.own.SetUp.Seal = u.store, desk, &s.people, u.keys
	return s
}

// enrolled is somebody with an authenticator and recovery codes.
func (u *unreliable) enrolled(t *testing.T) *somebody {
	t.Helper()
	s := u.somebody(t, nil)
	s.authenticator(t, s.owner.scope(t, s.owner.login(t, "")))
	return s
}

// keyed is somebody with a passkey as well.
func (u *unreliable) keyed(t *testing.T) *somebody {
	t.Helper()
	s := u.somebody(t, nil)
	scope := s.owner.scope(t, s.owner.login(t, ""))
	s.holder, _, _ = s.newPasskey(t, scope, "Phone")
	s.authenticator(t, scope)
	return s
}

func (s *somebody) authenticator(t *testing.T, scope access.Scope) {
	t.Helper()
	shown, err := s.own.Begin(t.Context(), scope, "")
	if err != nil {
		t.Fatal(err)
	}
	s.secret = shown.Secret
	if s.codes, err = s.own.Confirm(t.Context(), scope, codeOf(t, s.secret, s.owner.now)); err != nil {
		t.Fatal(err)
	}
	s.owner.now = s.owner.now.Add(time.Minute)
}

// ticket is that of the step which the right password leads to.
func (s *somebody) ticket(t *testing.T, step session.Step) string {
	t.Helper()
	got := s.owner.login(t, "")
	if got.Next != step {
		t.Fatalf("%s, not %s", got.Next, step)
	}
	return got.Ticket.Reveal()
}

func (s *somebody) step(ticket string, with signin.SecondFactor) (signin.Result, error) {
	return s.people.ProveSecondFactor(context.Background(), ticket, with, signin.Device{})
}

// stored counts the sessions, tickets and events of the account.
func (s *somebody) stored(t *testing.T) map[byte]int {
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

// getIn is what a person does after a failure: sign in anew, from the start, with one of the passwords that they may have by
// now, through every step. It has to lead to a session.
func (s *somebody) getIn(t *testing.T) error {
	t.Helper()
	s.owner.now = s.owner.now.Add(time.Minute)
	name := s.owner.row(t).Username
	got, err := s.people.Login(t.Context(), name, personal, signin.Device{})
	if fault.HasCode(err, "signInRefused") {
		got, err = s.people.Login(t.Context(), name, renewed, signin.Device{})
	}
	for range 4 {
		if err != nil {
			return err
		}
		switch ticket := got.Ticket.Reveal(); got.Next {
		case session.Done:
			_, err = s.people.Authenticate(t.Context(), got.Access.Reveal())
			return err
		case session.ChangePassword:
			got, err = s.people.ChangePassword(t.Context(), ticket, renewed+" still", signin.Device{})
		case session.SetUpSecondFactor:
			var shown signin.Begun
			if shown, err = s.people.BeginSetUp(t.Context(), ticket, mfa.TOTP); err == nil {
				got, err = s.people.ConfirmSetUp(t.Context(), ticket, signin.NewFactor{Code: codeOf(t, shown.Secret, s.owner.now)}, signin.Device{})
			}
		case session.SecondFactor:
			if s.secret != "" {
				got, err = s.step(ticket, signin.SecondFactor{Method: mfa.TOTP, Code: codeOf(t, s.secret, s.owner.now)})
			} else if err = s.people.SendCode(t.Context(), ticket); err == nil {
				got, err = s.step(ticket, signin.SecondFactor{Method: mfa.MailCode, Code: s.keys.last})
			}
		}
	}
	return fmt.Errorf("no end at %s", got.Next)
}

// deed is one path, ready for its last request.
type deed struct {
	do func() (signin.Result, error)
	// next is where a success leads; refusal the code of the refusal that it is in any case.
	next    session.Step
	refusal string
	// holds checks what is stored then; nil for nothing more than for all paths.
	holds func(t *testing.T, err error) string
	// again repeats it, or whatever a person does then, with everything healthy; nil for getIn.
	again func() error
}

func done(do func() error) func() (signin.Result, error) {
	return func() (signin.Result, error) { return signin.Result{}, do() }
}

// V84, V13: the table or the key service fails at any one call of any way in, or of what ends one. Nothing is answered as done
// that is not, nothing is there by half, tries stay charged, and the person gets in by themselves when all is well again.
func TestAnyCallOfASignInMayFail(t *testing.T) {
	for _, after := range []bool{false, true} {
		t.Run(fmt.Sprintf("answer lost %v", after), func(t *testing.T) {
			t.Parallel()
			mails, u := newUnreliable(t, true), newUnreliable(t, false)
			for _, path := range append(mailedFaultPaths(mails), append(faultPaths(u), ownFaultPaths(u)...)...) {
				t.Run(path.name, func(t *testing.T) { path.survives(t, after) })
			}
		})
	}
}

func (p faultPath) survives(t *testing.T, after bool) {
	for at := 1; ; at++ {
		s := p.who(t)
		if s.survives(t, p.ready(t, s), at, after) {
			continue
		}
		if at == 1 {
			t.Error("it makes no call")
		}
		return
	}
}

// survives does the deed with a failure at its at-th call, and reports whether there was such a call.
func (s *somebody) survives(t *testing.T, d deed, at int, after bool) bool {
	t.Helper()
	bad := func(format string, args ...any) {
		t.Helper()
		t.Errorf("call %d, answer lost %v: "+format, append([]any{at, after}, args...)...)
	}
	before, had := s.owner.row(t), s.stored(t)
	s.hasher.verified.Store(0)
	var got signin.Result
	var err error
	hit := s.over(at, after, func() { got, err = d.do() })
	row, has := s.owner.row(t), s.stored(t)
	opened, offered := has['S']-had['S'], has['T']-had['T']
	switch {
	case !hit && d.refusal == "" && err != nil:
		bad("without a failure: %v", err)
	case err == nil && d.refusal != "":
		bad("let in")
	case err == nil && got.Next != d.next:
		bad("leads to %q", got.Next)
	case err == nil && d.next == session.Done:
		if _, err := s.people.Authenticate(t.Context(), got.Access.Reveal()); err != nil {
			bad("the session does not open: %v", err)
		}
	case err != nil && !fault.HasCode(err, d.refusal) && (fault.Is(err, fault.Unauthenticated) || fault.Is(err, fault.Invalid)):
		bad("a failure is dressed as a refusal: %v", err)
	case err != nil && !after && (opened > 0 || offered > 0), opened > 1, offered > 1:
		bad("%d sessions and %d tickets are left (%v)", opened, offered, err)
	}
	if wrote := row.Version - before.Version; wrote > 1 || wrote == 1 && has['E'] == had['E'] {
		bad("written by half: version %d after %d", row.Version, before.Version)
	}
	if d.holds != nil {
		if wrong := d.holds(t, err); wrong != "" {
			bad("%s (%v)", wrong, err)
		}
	}
	if d.again == nil {
		d.again = func() error { return s.getIn(t) }
	}
	if err := d.again(); err != nil {
		bad("when all is well again: %v", err)
	}
	return hit
}

type faultPath struct {
	name  string
	who   func(*testing.T) *somebody
	ready func(*testing.T, *somebody) deed
}

func faultPaths(u *unreliable) []faultPath {
	plain := func(t *testing.T) *somebody { return u.somebody(t, nil) }
	forced := func(t *testing.T) *somebody {
		s := u.somebody(t, nil)
		if _, err := u.accounts.Change(t.Context(), u.fresh(t), s.id, s.owner.row(t).Version, field.Patch{"forcePasswordChange": true}); err != nil {
			t.Fatal(err)
		}
		return s
	}
	unset := func(t *testing.T) *somebody { return u.somebody(t, field.Patch{"mfaRequired": true}) }
	signIn := func(password string, d deed) func(*testing.T, *somebody) deed {
		return func(t *testing.T, s *somebody) deed {
			name := s.owner.row(t).Username
			d.do = func() (signin.Result, error) {
				return s.people.Login(t.Context(), name, password, signin.Device{Address: "192.0.2.1"})
			}
			if password != personal {
				d.holds = func(t *testing.T, _ error) string {
					if tries := s.owner.row(t).FailedTries; tries < s.hasher.verified.Load() {
						return fmt.Sprintf("%d passwords verified, %d tries charged", s.hasher.verified.Load(), tries) // V13
					}
					return ""
				}
			}
			return d
		}
	}
	in := deed{next: session.Done}
	return []faultPath{
		{"password", plain, signIn(personal, in)},
		{"wrong password", plain, signIn("wrong", deed{refusal: "signInRefused"})},
		{"the try that blocks", plain, lastTry},
		{"password, then a second factor", u.enrolled, signIn(personal, deed{next: session.SecondFactor})},
		{"password, then a set-up", unset, signIn(personal, deed{next: session.SetUpSecondFactor})},
		{"password, then a change of it", forced, signIn(personal, deed{next: session.ChangePassword})},
		{"by a code", u.enrolled, bySecondFactor(func(t *testing.T, s *somebody, _ string) signin.SecondFactor {
			return signin.SecondFactor{Method: mfa.TOTP, Code: codeOf(t, s.secret, s.owner.now), Remember: true}
		}, in)},
		{"by a wrong code", u.enrolled, wrongCodeDeed},
		{"by a recovery code", u.enrolled, bySecondFactor(func(_ *testing.T, s *somebody, _ string) signin.SecondFactor {
			return signin.SecondFactor{Method: mfa.RecoveryCode, Code: s.codes[0]}
		}, in)},
		{"by a passkey", u.keyed, bySecondFactor(func(t *testing.T, s *somebody, ticket string) signin.SecondFactor {
			raw, err := s.people.AskPasskey(t.Context(), ticket)
			if err != nil {
				t.Fatal(err)
			}
			return signin.SecondFactor{Method: mfa.ByPasskey, Credential: s.holder.answers(t, raw)}
		}, in)},
		{"by a passkey alone", u.keyed, func(t *testing.T, s *somebody) deed {
			answer := s.holder.answers(t, s.holder.begin(t))
			s.people.Passkeys, s.holder.people = dynamo.Factors{Table: u.table}, s.people
			return deed{next: session.Done, do: func() (signin.Result, error) { return s.people.ByPasskey(t.Context(), answer, signin.Device{}) },
				again: func() error {
					if _, err := s.holder.enter(t); err != nil {
						return fmt.Errorf("the passkey: %w", err)
					}
					return s.getIn(t)
				}}
		}},
		{"beginning a set-up", unset, func(t *testing.T, s *somebody) deed {
			ticket := s.ticket(t, session.SetUpSecondFactor)
			return deed{do: func() (signin.Result, error) {
				_, err := s.people.BeginSetUp(t.Context(), ticket, mfa.TOTP)
				return signin.Result{}, err
			}}
		}},
		{"the change that is forced", forced, func(t *testing.T, s *somebody) deed {
			ticket := s.ticket(t, session.ChangePassword)
			return deed{next: session.Done, do: func() (signin.Result, error) {
				return s.people.ChangePassword(t.Context(), ticket, renewed, signin.Device{})
			}}
		}},
		{"by a trusted device", u.enrolled, trustedDeed},
		{"renewal", plain, renewalDeed},
		{"by a provider", plain, func(t *testing.T, s *somebody) deed {
			return deed{next: session.Done, do: func() (signin.Result, error) { return s.people.ByProvider(t.Context(), s.id, true, signin.Device{}) }}
		}},
	}
}

// bySecondFactor is the step "secondFactor", answered by what with makes ready.
func bySecondFactor(with func(*testing.T, *somebody, string) signin.SecondFactor, d deed) func(*testing.T, *somebody) deed {
	return func(t *testing.T, s *somebody) deed {
		ticket := s.ticket(t, session.SecondFactor)
		answer := with(t, s, ticket)
		d.do = func() (signin.Result, error) { return s.step(ticket, answer) }
		return d
	}
}

func mailedFaultPaths(u *unreliable) []faultPath {
	byMail := func(t *testing.T) *somebody { return u.somebody(t, field.Patch{"mfaRequired": true}) }
	return []faultPath{
		{"a code by mail", byMail, bySecondFactor(func(t *testing.T, s *somebody, ticket string) signin.SecondFactor {
			if err := s.people.SendCode(t.Context(), ticket); err != nil {
				t.Fatal(err)
			}
			return signin.SecondFactor{Method: mfa.MailCode, Code: s.keys.last}
		}, deed{next: session.Done})},
		{"mailing a code", byMail, func(t *testing.T, s *somebody) deed {
			ticket := s.ticket(t, session.SecondFactor)
			return deed{do: func() (signin.Result, error) { return signin.Result{}, s.people.SendCode(t.Context(), ticket) }}
		}},
	}
}
