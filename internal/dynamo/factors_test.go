package dynamo_test

import (
	"context"
	"crypto/rand"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/pquerna/otp/totp"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/factors"
	"useraccounts/internal/dynamo/sessions"
	"useraccounts/internal/environment"
	"useraccounts/internal/factor"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/mfa"
	"useraccounts/internal/passkey"
	"useraccounts/internal/seal"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

const ownPassword = "a secret of my own choice"

// person is an account on DynamoDB Local that signs in, and the services for its second factor with a clock to set.
type owner struct {
	*fixture
	id          string
	now         time.Time
	auth        *signIn
	selfService *factor.Service
}

func newOwner(t *testing.T, f *fixture, username string, more field.Patch) *owner {
	t.Helper()
	a := f.create(t, username, more)
	if _, err := f.accounts.SetPassword(t.Context(), f.currentScope(t), a.ID, 0,
		account.NewPasswordRequest{Password: ownPassword, Unlock: true}); err != nil {
		t.Fatal(err)
	}
	return ownerOf(t, f, a.ID)
}

// ownerOf is the owner of an account, which may have no password.
func ownerOf(t *testing.T, f *fixture, id string) *owner {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key.json")
	name, err := seal.CreateKeyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	o := &owner{fixture: f, id: id, now: time.Now(), auth: f.signin.clone()}
	clock := func() time.Time { return o.now }
	sealer, factors := seal.New(aws.Config{}, name, true, clock), factors.Store{Table: f.table}
	passkeys := passkey.New("https://accounts.example.com", "User Accounts")
	setUp := &mfa.Enroller{Passkeys: passkeys, Store: factors, Sealer: sealer, Hasher: fakeHasher{}, Random: rand.Reader,
		Now: clock, NewID: token.NewIDString}
	o.auth.Credentials, o.auth.Now = sessions.NewCredentials(f.table), clock
	o.auth.useFactors(factors)
	o.auth.usePasswords(sessions.OwnPasswords{Table: f.table})
	o.auth.Opener, o.auth.Enroller, o.auth.MailCodes = sealer, setUp, factors
	o.auth.FactorService.RelyingParty, o.auth.PasskeyService.RelyingParty = passkeys, passkeys
	o.auth.Challenges = factors
	o.selfService = &factor.Service{
		Accounts: f.store, Store: factors, Enroller: setUp, Challenges: factors, Providers: dynamo.NewSSO(f.table),
		Hasher: fakeHasher{}, Random: rand.Reader, Now: clock, NewID: token.NewIDString,
	}
	return o
}

func (o *owner) login(t *testing.T, device string) signin.Result {
	t.Helper()
	a, err := o.store.Account(t.Context(), o.currentScope(t).Env, o.id)
	if err != nil {
		t.Fatal(err)
	}
	got, err := o.auth.Login(t.Context(), a.Username, ownPassword,
		signin.ClientInfo{DeviceToken: device, UserAgent: "Firefox"})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// enrol signs the owner in and sets an authenticator up; it returns its secret and the recovery codes.
func (o *owner) enrol(t *testing.T) (secret string, codes []string) {
	t.Helper()
	scope, err := o.auth.Authenticate(t.Context(), o.login(t, "").Access.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	return o.setUpTOTP(t, scope)
}

// setUpTOTP sets an authenticator up in an open session.
func (o *owner) setUpTOTP(t *testing.T, scope access.Scope) (secret string, codes []string) {
	t.Helper()
	shown, err := o.selfService.BeginTOTP(t.Context(), scope, "")
	if err != nil {
		t.Fatal(err)
	}
	if codes, err = o.selfService.ConfirmTOTP(t.Context(), scope, codeOf(t, shown.Secret, o.now)); err != nil {
		t.Fatal(err)
	}
	return shown.Secret, codes
}

func codeOf(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, at)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func (o *owner) prove(ticket token.Token, method mfa.Method, code string, remember bool) (signin.Result, error) {
	return o.auth.VerifySecondFactor(context.Background(), ticket.Reveal(),
		signin.SecondFactorResponse{Method: method, Code: code, Remember: remember}, signin.ClientInfo{UserAgent: "Firefox"})
}

// C11, C31, V28: of 50 who post one good code at the same moment, each with a good ticket, one gets a session; the code
// of the set-up is used already, and that of the next step is good.
func TestOneCodeOpensOneSession(t *testing.T) {
	o := newOwner(t, newFixture(t), "owner", nil)
	secret, _ := o.enrol(t)
	if _, err := o.prove(o.login(t, "").Ticket, mfa.TOTP, codeOf(t, secret, o.now), false); !fault.HasCode(err, "code") {
		t.Errorf("the code of the set-up: %v", err)
	}
	o.now = o.now.Add(time.Hour)
	code := codeOf(t, secret, o.now)
	var tickets []token.Token
	for range 50 {
		tickets = append(tickets, o.login(t, "").Ticket)
	}
	var all sync.WaitGroup
	var opened atomic.Int64
	for _, ticket := range tickets {
		all.Go(func() {
			if got, err := o.prove(ticket, mfa.TOTP, code, false); err == nil && got.Next == session.Done {
				opened.Add(1)
			}
		})
	}
	all.Wait()
	if opened.Load() != 1 {
		t.Errorf("%d sessions", opened.Load())
	}
}

// C05, V15: of 60 codes at the same moment five are tried; a quarter of an hour later five more are. A recovery code
// opens once, and never while codes are paused.
func TestTriesAreCountedBeforeCodesAreLookedAt(t *testing.T) {
	f := newFixture(t)
	o := newOwner(t, f, "owner", nil)
	_, codes := o.enrol(t)
	factors := factors.Store{Table: f.table}
	for round := range 2 {
		var all sync.WaitGroup
		var tried atomic.Int64
		for range 60 {
			all.Go(func() {
				_, counted, err := factors.ReserveCodeAttempt(t.Context(), o.id, o.now)
				if err != nil {
					t.Error(err)
				}
				if counted {
					tried.Add(1)
				}
			})
		}
		all.Wait()
		if tried.Load() != mfa.TryLimit {
			t.Errorf("round %d: %d were tried", round, tried.Load())
		}
		if _, err := o.prove(o.login(t, "").Ticket, mfa.RecoveryCode, codes[0], false); !fault.HasCode(err, "factorPaused") {
			t.Errorf("paused: %v", err)
		}
		o.now = o.now.Add(mfa.PauseTime)
	}
	ticket := o.login(t, "").Ticket
	if got, err := o.prove(ticket, mfa.RecoveryCode, codes[0], false); err != nil || got.Next != session.Done {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := o.prove(ticket, mfa.RecoveryCode, codes[1], false); !fault.HasCode(err, "ticket") {
		t.Errorf("the ticket again: %v", err)
	}
	if _, err := o.prove(o.login(t, "").Ticket, mfa.RecoveryCode, codes[0], false); !fault.HasCode(err, "code") {
		t.Errorf("the recovery code again: %v", err)
	}
	overview, err := o.selfService.Status(t.Context(), f.currentScope(t), o.id)
	if err != nil || overview.CodesLeft != 9 || !slices.Equal(overview.Methods, []mfa.Method{mfa.TOTP, mfa.RecoveryCode}) {
		t.Errorf("%+v, %v", overview, err)
	}
	if _, counted, err := factors.ReserveCodeAttempt(t.Context(), f.admin.Caller.AccountID, o.now); err != nil || counted {
		t.Errorf("an account without a second factor: %v, %v", counted, err)
	}
	var failed int
	for _, e := range f.events(t, o.id) {
		if e.Kind == auditlog.SecondFactorFailed {
			failed++
		}
	}
	if failed != 1 {
		t.Errorf("%d wrong codes in the log", failed)
	}
}

// events returns the account's events, newest first.
func (f *fixture) events(t *testing.T, id string) []auditlog.Event {
	t.Helper()
	found, err := f.store.EventsSince(t.Context(), f.currentScope(t).Env, id, 0)
	if err != nil {
		t.Fatal(err)
	}
	out, err := f.table.Client.Query(t.Context(), &dynamodb.QueryInput{
		TableName: &f.table.Name, KeyConditionExpression: aws.String("PK = :pk AND begins_with(SK, :sk)"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":pk": &types.AttributeValueMemberS{Value: "U#" + id}, ":sk": &types.AttributeValueMemberS{Value: "E#"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range out.Items {
		if _, versioned := it["version"]; !versioned {
			kind, _ := it["kind"].(*types.AttributeValueMemberS)
			e := auditlog.Event{Kind: auditlog.Kind(kind.Value)}
			if note, ok := it["note"].(*types.AttributeValueMemberS); ok {
				e.Note = note.Value
			}
			found = append(found, e)
		}
	}
	return found
}

// V30: a seed that is moved to another account's item opens nothing, and is no wrong code either.
func TestAMovedSeedOpensNothing(t *testing.T) {
	f := newFixture(t)
	one, other := newOwner(t, f, "one", nil), newOwner(t, f, "other", nil)
	other.auth, other.selfService = one.auth, one.selfService // one key for both, as in a deployment
	one.enrol(t)
	secret, _ := other.enrol(t)
	one.now = one.now.Add(time.Hour)
	read := func(id string) map[string]types.AttributeValue {
		out, err := f.table.Client.GetItem(t.Context(),
			&dynamodb.GetItemInput{TableName: &f.table.Name, Key: map[string]types.AttributeValue{
				"PK": &types.AttributeValueMemberS{Value: "U#" + id}, "SK": &types.AttributeValueMemberS{Value: "M#TOTP"},
			}})
		if err != nil || out.Item == nil {
			t.Fatalf("no second factor of %s: %v", id, err)
		}
		return out.Item
	}
	moved := read(one.id)
	moved["seed"] = read(other.id)["seed"]
	if _, err := f.table.Client.PutItem(t.Context(),
		&dynamodb.PutItemInput{TableName: &f.table.Name, Item: moved}); err != nil {
		t.Fatal(err)
	}
	if got, err := one.prove(one.login(t, "").Ticket, mfa.TOTP, codeOf(t, secret, one.now), false); err == nil ||
		fault.As(err) != nil || got.Next != "" {
		t.Errorf("%+v, %v", got, err)
	}
}

// V36, V40: a remembered device signs in by the password alone, with a new secret each time, until the account's
// devices are forgotten; blocking forgets them, an administrator's choice of a password does not, an automatic reset
// does.
func TestDevicesAreRememberedAndForgotten(t *testing.T) {
	f := newFixture(t)
	o := newOwner(t, f, "owner", nil)
	secret, _ := o.enrol(t)
	remember := func() string {
		o.now = o.now.Add(time.Hour)
		got, err := o.prove(o.login(t, "").Ticket, mfa.TOTP, codeOf(t, secret, o.now), true)
		if err != nil || got.DeviceToken == (token.Token{}) {
			t.Fatalf("%+v, %v", got, err)
		}
		return got.DeviceToken.Reveal()
	}
	device := remember()
	for range 3 {
		o.now = o.now.Add(time.Hour)
		got := o.login(t, device)
		if got.Next != session.Done || got.DeviceToken.Reveal() == device {
			t.Fatalf("%+v", got)
		}
		device = got.DeviceToken.Reveal()
	}
	overview, err := o.selfService.Status(t.Context(), f.currentScope(t), o.id)
	if err != nil || len(overview.Devices) != 1 || overview.Devices[0].Name != "Firefox" ||
		overview.Devices[0].LastUsed.Sub(overview.Devices[0].FirstUsed) != 3*time.Hour {
		t.Fatalf("%+v, %v", overview.Devices, err)
	}
	admin := f.currentScope(t)
	admin.Caller.AuthenticatedAt = o.now
	if err := o.selfService.ForgetDevice(t.Context(), admin, o.id, overview.Devices[0].ID); err != nil {
		t.Error(err)
	}
	if err := o.selfService.ForgetDevice(t.Context(), admin, o.id, overview.Devices[0].ID); !fault.Is(err,
		fault.NotFound) {
		t.Errorf("forgotten twice: %v", err)
	}
	if got := o.login(t, device); got.Next != session.SecondFactor {
		t.Errorf("it was forgotten: %+v", got)
	}
	set := func(choice account.NewPasswordRequest) error {
		_, err := f.accounts.SetPassword(t.Context(), f.currentScope(t), o.id, 0, choice)
		return err
	}
	for name, c := range map[string]struct {
		do   func() error
		next session.Step
	}{
		"password set": {func() error { return set(account.NewPasswordRequest{Password: ownPassword}) }, session.Done},
		"reset": {func() error {
			if _, _, err := f.accounts.ResetPassword(t.Context(), f.currentScope(t), o.id, 0, false); err != nil {
				return err
			}
			return set(account.NewPasswordRequest{Password: ownPassword})
		}, session.SecondFactor},
		"blocked": {func() error {
			if _, err := f.accounts.Block(t.Context(), f.currentScope(t), o.id, 0, "Away"); err != nil {
				return err
			}
			_, err := f.accounts.Allow(t.Context(), f.currentScope(t), o.id, 0)
			return err
		}, session.SecondFactor},
		"locked": {func() error {
			if _, err := f.accounts.Lock(t.Context(), f.currentScope(t), o.id, 0); err != nil {
				return err
			}
			_, err := f.accounts.Unlock(t.Context(), f.currentScope(t), o.id, 0)
			return err
		}, session.SecondFactor},
		"all forgotten": {func() error {
			_, err := f.accounts.ForgetDevices(t.Context(), f.currentScope(t), o.id, 0)
			return err
		}, session.SecondFactor},
	} {
		device := remember()
		if err := c.do(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := o.login(t, device); got.Next != c.next {
			t.Errorf("%s: next is %s, want %s", name, got.Next, c.next)
		}
	}
}

// V31, V35: an administrator's removal ends every session, forgets everything and leaves "required", so that the next
// sign-in leads to a new set-up; not enforcing wins over the environment; requiring it again ends that.
func TestRemoveAndDoNotEnforce(t *testing.T) {
	f := newFixture(t)
	o := newOwner(t, f, "owner", nil)
	o.enrol(t)
	scope := f.currentScope(t)
	if a, err := f.accounts.Change(t.Context(), scope, o.id, o.version(t),
		field.Patch{"mfaRequired": true}); err != nil || !a.MFARequired {
		t.Fatalf("%+v, %v", a, err)
	}
	if _, err := f.accounts.RemoveMFA(t.Context(), scope, scope.Caller.AccountID, 0); !fault.HasCode(err, "self") {
		t.Errorf("one's own: %v", err)
	}
	if a, err := f.accounts.RemoveMFA(t.Context(), scope, o.id, 0); err != nil || a.MFAEnabled || !a.MFARequired {
		t.Fatalf("%+v, %v", a, err)
	}
	overview, err := o.selfService.Status(t.Context(), scope, o.id)
	if err != nil || len(overview.Methods) > 0 || overview.CodesLeft > 0 || !overview.Required {
		t.Errorf("%+v, %v", overview, err)
	}
	got := o.login(t, "")
	if got.Next != session.SetUpSecondFactor {
		t.Fatalf("%+v", got)
	}
	shown, err := o.auth.BeginEnrolment(t.Context(), got.Ticket.Reveal(), "")
	if err != nil {
		t.Fatal(err)
	}
	done, err := o.auth.ConfirmEnrolment(t.Context(), got.Ticket.Reveal(),
		signin.EnrolmentResponse{Code: codeOf(t, shown.Secret, o.now)}, signin.ClientInfo{})
	if err != nil || done.Next != session.Done || len(done.RecoveryCodes) != 10 {
		t.Fatalf("%+v, %v", done, err)
	}
	if _, err := f.accounts.RemoveMFA(t.Context(), scope, o.id, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := o.auth.Authenticate(t.Context(), done.Access.Reveal()); !fault.HasCode(err, "session") {
		t.Errorf("the session goes on: %v", err)
	}
	a, err := f.accounts.DoNotEnforceMFA(t.Context(), scope, o.id, 0)
	if err != nil || a.MFARequired || !a.MFAExempt {
		t.Fatalf("%+v, %v", a, err)
	}
	if got := o.login(t, ""); got.Next != session.Done {
		t.Errorf("not enforced: %+v", got)
	}
	if a, err = f.accounts.Change(t.Context(), scope, o.id, o.version(t), field.Patch{"mfaRequired": true}); err != nil ||
		a.MFAExempt {
		t.Errorf("%+v, %v", a, err)
	}
	var kinds []auditlog.Kind
	for _, e := range f.events(t, o.id) {
		kinds = append(kinds, e.Kind)
	}
	for _, want := range []auditlog.Kind{auditlog.SecondFactorAdded, auditlog.SecondFactorRemoved,
		auditlog.SecondFactorExempt} {
		if !slices.Contains(kinds, want) {
			t.Errorf("no %s in the log: %v", want, kinds)
		}
	}
}

func (o *owner) version(t *testing.T) int64 {
	t.Helper()
	a, err := o.store.Account(t.Context(), o.currentScope(t).Env, o.id)
	if err != nil {
		t.Fatal(err)
	}
	return a.Version
}

// C15, V35: one's own second factor changes only after a fresh proof; the old one counts until the new one is confirmed
// (V31), and a licence for API clients takes it away.
func TestOnesOwnSecondFactor(t *testing.T) {
	f := newFixture(t)
	o := newOwner(t, f, "owner", nil)
	old, codes := o.enrol(t)
	o.now = o.now.Add(time.Hour)
	in, err := o.prove(o.login(t, "").Ticket, mfa.TOTP, codeOf(t, old, o.now), false)
	if err != nil {
		t.Fatal(err)
	}
	o.now = o.now.Add(environment.Defaults().ConfirmAgainAfter() + time.Second)
	scope, err := o.auth.Authenticate(t.Context(), in.Access.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	_, began := o.selfService.BeginTOTP(t.Context(), scope, "")
	_, remade := o.selfService.RegenerateRecoveryCodes(t.Context(), scope, "")
	for name, err := range map[string]error{"begin": began, "codes": remade,
		"remove": o.selfService.Remove(t.Context(), scope, "")} {
		if !fault.HasCode(err, "proofNeeded") {
			t.Errorf("%s without a fresh proof: %v", name, err)
		}
	}
	in, err = o.prove(o.login(t, "").Ticket, mfa.TOTP, codeOf(t, old, o.now), false)
	if err != nil {
		t.Fatal(err)
	}
	if scope, err = o.auth.Authenticate(t.Context(), in.Access.Reveal()); err != nil {
		t.Fatal(err)
	}
	shown, err := o.selfService.BeginTOTP(t.Context(), scope, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.selfService.ConfirmTOTP(t.Context(), scope, codeOf(t, old, o.now)); !fault.Is(err, fault.Invalid) {
		t.Errorf("a code of the old one confirms: %v", err)
	}
	o.now = o.now.Add(time.Minute)
	if _, err := o.prove(o.login(t, "").Ticket, mfa.TOTP, codeOf(t, old, o.now), false); err != nil {
		t.Errorf("the old one until then: %v", err)
	}
	fresh, err := o.selfService.ConfirmTOTP(t.Context(), scope, codeOf(t, shown.Secret, o.now))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.selfService.ConfirmTOTP(t.Context(), scope, codeOf(t, shown.Secret, o.now)); !fault.HasCode(err,
		"noSetUp") {
		t.Errorf("confirmed twice: %v", err)
	}
	o.now = o.now.Add(time.Minute)
	for name, c := range map[string]struct {
		method mfa.Method
		code   string
	}{"old seed": {mfa.TOTP, codeOf(t, old, o.now)}, "old recovery code": {mfa.RecoveryCode, codes[0]}} {
		if _, err := o.prove(o.login(t, "").Ticket, c.method, c.code, false); !fault.HasCode(err, "code") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := o.prove(o.login(t, "").Ticket, mfa.RecoveryCode, fresh[0], false); err != nil {
		t.Error(err)
	}
	remadeCodes, err := o.selfService.RegenerateRecoveryCodes(t.Context(), scope, "")
	if err != nil || len(remadeCodes) != 10 || slices.Contains(remadeCodes, fresh[1]) {
		t.Errorf("%v, %v", remadeCodes, err)
	}
	if err := o.selfService.Remove(t.Context(), scope, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := o.auth.Authenticate(t.Context(), in.Access.Reveal()); !fault.HasCode(err, "session") {
		t.Errorf("the session goes on: %v", err)
	}
	// Nobody takes a second factor away by a licence for API clients (V91).
	o.enrol(t)
	if _, err := f.accounts.Change(t.Context(), f.currentScope(t), o.id, o.version(t),
		field.Patch{"userType": "API"}); !fault.HasCode(err, "used") {
		t.Errorf("%v", err)
	}
	found, err := factors.Store{Table: f.table}.LoadFactors(t.Context(), o.id, "")
	if err != nil || found.Seed == nil {
		t.Errorf("the seed: %+v, %v", found, err)
	}
}

// V65: what a set-up left behind goes with the account, and one that begins meanwhile is seen.
func TestASetUpGoesWithItsAccount(t *testing.T) {
	f := newFixture(t)
	o := newOwner(t, f, "owner", field.Patch{"mfaRequired": true})
	ticket := o.login(t, "").Ticket
	if _, err := o.auth.BeginEnrolment(t.Context(), ticket.Reveal(), ""); err != nil {
		t.Fatal(err)
	}
	if err := f.accounts.Delete(t.Context(), f.currentScope(t), o.id, 0); err != nil {
		t.Fatal(err)
	}
	out, err := f.table.Client.Query(t.Context(), &dynamodb.QueryInput{
		TableName: &f.table.Name, KeyConditionExpression: aws.String("PK = :pk AND begins_with(SK, :sk)"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":pk": &types.AttributeValueMemberS{Value: "U#" + o.id}, ":sk": &types.AttributeValueMemberS{Value: "M#"},
		},
	})
	if err != nil || len(out.Items) != 0 {
		t.Errorf("%d items are left, %v", len(out.Items), err)
	}
	if _, err := o.auth.BeginEnrolment(t.Context(), ticket.Reveal(), ""); !fault.HasCode(err, "ticket") {
		t.Errorf("the ticket outlives it: %v", err)
	}
	p := mfa.PendingTOTP{ID: token.NewIDString(), Seed: []byte("x"), Expires: o.now.Add(time.Minute)}
	if err := (factors.Store{Table: f.table}).SavePendingTOTP(t.Context(), env, o.id, p); !fault.Is(err, fault.NotFound) {
		t.Errorf("a set-up without an account: %v", err)
	}
}
