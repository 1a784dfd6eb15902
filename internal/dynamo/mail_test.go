package dynamo_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/accountlog"
	"useraccounts/internal/dynamo/attempts"
	"useraccounts/internal/dynamo/passwordlinks"
	"useraccounts/internal/dynamo/sessions"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/local/localtest"
	"useraccounts/internal/mail"
	"useraccounts/internal/recovery"
	"useraccounts/internal/seal"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

// mailFixture is an environment with an outbox, and everything that writes mails.
type mailFixture struct {
	*fixture
	sealer   *seal.Sealer
	outbox   dynamo.Outbox
	recovery *recovery.Service
	now      time.Time
	requests int
}

func newMailFixture(t *testing.T) *mailFixture {
	t.Helper()
	p := &mailFixture{fixture: newFixture(t), now: time.Now().UTC().Truncate(time.Millisecond)}
	p.table = p.table.WithOutbox(localtest.Outbox(t))
	p.store = dynamo.Accounts{Table: p.table}
	p.outbox = dynamo.NewOutbox(p.table)
	key, err := seal.CreateKeyFile(t.TempDir() + "/key")
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return p.now }
	p.sealer = seal.New(aws.Config{}, key, true, clock)
	composer := &mail.Composer{NewID: token.NewIDString, Sealer: p.sealer}
	p.accounts.Store, p.accounts.Mail, p.accounts.Now = p.store, composer, clock
	p.accounts.LinkIssuer = &account.PasswordLinkIssuer{Random: rand.Reader, NewID: token.NewID}
	links := passwordlinks.Store{Table: p.table}
	p.recovery = &recovery.Service{
		EnvID: env, Requests: links, Links: links, Catalogues: p.environments,
		Passwords: account.PasswordSetter{Passwords: fakeHasher{}, Verifier: fakeHasher{}}, Mail: composer,
		Random: rand.Reader,
		Now:    clock, NewID: token.NewID,
	}
	return p
}

// mails returns the mails to an address that wait, oldest first, opened.
func (p *mailFixture) mails(t *testing.T, to string) []openedMail {
	t.Helper()
	ids, err := p.outbox.Due(t.Context(), env, p.now.Add(time.Hour), 1000)
	if err != nil {
		t.Fatal(err)
	}
	var out []openedMail
	for _, id := range ids {
		c, ok, err := p.outbox.Claim(t.Context(), env, id, p.now.Add(time.Hour), p.now)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		if c.To != to {
			continue
		}
		secret := []byte(nil)
		if len(c.Sealed) > 0 {
			bound := "mail\x00" + c.Env + "\x00" + c.ID + "\x00" + c.AccountID + "\x00" + c.To
			if secret, err = p.sealer.Open(t.Context(), c.Sealed, []byte(bound)); err != nil {
				t.Fatal(err)
			}
		}
		out = append(out, openedMail{c, string(secret)})
	}
	return out
}

type openedMail struct {
	mail.ClaimedMessage
	secret string
}

// createAllowed makes an account that may sign in.
func (p *mailFixture) createAllowed(t *testing.T, username string, more field.Patch) account.Account {
	t.Helper()
	a := p.create(t, username, more)
	a, err := p.accounts.Allow(t.Context(), p.currentScope(t), a.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// nextAddress is another network address each time.
func (p *mailFixture) nextAddress() string {
	p.requests++
	return fmt.Sprintf("192.0.2.%d", p.requests)
}

// requestLink asks for a link and returns its token, empty if none was mailed.
func (p *mailFixture) requestLink(t *testing.T, identifier, to string) string {
	t.Helper()
	before := len(p.mails(t, to))
	if err := p.recovery.RequestReset(t.Context(), identifier, p.nextAddress()); err != nil {
		t.Fatal(err)
	}
	all := p.mails(t, to)
	if len(all) == before {
		return ""
	}
	return all[len(all)-1].secret
}

func (p *mailFixture) setByLink(t *testing.T, link string) error {
	t.Helper()
	return p.recovery.SetPassword(t.Context(), link, "four quick grey otters", "192.0.2.1")
}

func (p *mailFixture) read(t *testing.T, id string) account.Account {
	t.Helper()
	a, err := p.store.Account(t.Context(), p.currentScope(t).Env, id)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// An administrator's link is mailed in the transaction that makes it, to the address on the account, with a line in the
// log; its secret is nowhere in the tables.
func TestMailPasswordWritesLinkMailAndLog(t *testing.T) {
	p := newMailFixture(t)
	a := p.create(t, "linked", nil)
	if _, err := p.accounts.MailPassword(t.Context(), p.currentScope(t), a.ID, a.Version, false); err != nil {
		t.Fatal(err)
	}
	got := p.mails(t, a.Email)
	if len(got) != 1 || got[0].Kind != mail.Welcome || !got[0].Expires.Equal(p.now.Add(24*time.Hour)) ||
		!strings.HasPrefix(got[0].secret, "upl_") {
		t.Fatalf("%+v", got)
	}
	events, err := p.store.EventsSince(t.Context(), p.currentScope(t).Env, a.ID, a.Version)
	if err != nil || len(events) != 1 || events[0].Kind != auditlog.PasswordLinkSent || events[0].By != "admin" {
		t.Errorf("events %+v, %v", events, err)
	}
	timeline, _, err := accountlog.Store{Table: p.table}.Events(t.Context(), p.currentScope(t).Env, a.ID, "", 10)
	mailed := 0
	for _, e := range timeline {
		if e.Kind == auditlog.MailSent && strings.Contains(e.Note, a.Email) {
			mailed++
		}
	}
	if err != nil || mailed != 1 {
		t.Errorf("%d mails in the log: %v", mailed, err)
	}
	for _, name := range []string{p.table.Name, p.table.Outbox} {
		if found := scanFor(t, p.table.Client, name, got[0].secret[len("upl_"):]); found != "" {
			t.Errorf("the token stands in %s: %s (V24)", name, found)
		}
	}
	// Not let in yet, the person may have the password ready; it opens nothing by itself.
	if err := p.setByLink(t, got[0].secret); err != nil {
		t.Fatal(err)
	}
	after := p.read(t, a.ID)
	if after.PasswordHash == "" || !after.AccessLocked || after.LockedReason != "Not yet allowed" ||
		after.ForcePasswordChange {
		t.Errorf("%+v", after)
	}
}

func scanFor(t *testing.T, client *dynamodb.Client, table, secret string) string {
	t.Helper()
	out, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table})
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range out.Items {
		for name, v := range it {
			if s, ok := v.(*types.AttributeValueMemberS); ok && strings.Contains(s.Value, secret) {
				return name
			}
			if b, ok := v.(*types.AttributeValueMemberB); ok && strings.Contains(string(b.Value), secret) {
				return name
			}
		}
	}
	return ""
}

// Who has no address, no password or no access to be given gets no link, and the answer says why (C20).
func TestMailPasswordRefuses(t *testing.T) {
	p := newMailFixture(t)
	client := p.create(t, "program", field.Patch{"userType": "API", "email": nil})
	program := p.create(t, "program2", field.Patch{"userType": "API"})
	locked := p.create(t, "lockedone", nil)
	if _, err := p.accounts.Lock(t.Context(), p.currentScope(t), locked.ID, 0); err != nil {
		t.Fatal(err)
	}
	for id, code := range map[string]string{client.ID: "apiOnly", program.ID: "apiOnly", locked.ID: "locked",
		token.NewIDString(): "notFound"} {
		if _, err := p.accounts.MailPassword(t.Context(), p.currentScope(t), id, 0, false); !fault.HasCode(err, code) {
			t.Errorf("%v, want %s", err, code)
		}
	}
	helpdesk := p.currentScope(t)
	helpdesk.Caller.AccountID, helpdesk.Caller.Permissions = token.NewIDString(), access.Set{access.AccountPassword: {}}
	a := p.create(t, "somebody", nil)
	if _, err := p.accounts.MailPassword(t.Context(), helpdesk, a.ID, 0, true); !fault.Is(err, fault.Forbidden) {
		t.Errorf("unlocked without the permission: %v", err)
	}
	if _, err := p.accounts.MailPassword(t.Context(), helpdesk, p.admin.Caller.AccountID, 0, false); !fault.HasCode(err,
		"administrator") {
		t.Errorf("an administrator's password by a helpdesk: %v", err)
	}
}

// V99: a first factor that is set up after a reset by mail says so, in the log and to the owner; after a password that
// was set in any other way it does not.
func TestAFirstFactorAfterAResetByMailIsTold(t *testing.T) {
	p := newMailFixture(t)
	for name, reset := range map[string]bool{"plain": false, "reset": true} {
		o, secret := newOwner(t, p.fixture, name, nil), ownPassword
		if reset {
			secret = "another secret of mine"
			if err := p.recovery.SetPassword(t.Context(), p.requestLink(t, name, name+"@example.com"), secret, ""); err != nil {
				t.Fatal(err)
			}
		}
		in, err := o.auth.Login(t.Context(), name, secret, signin.ClientInfo{})
		if err != nil {
			t.Fatal(err)
		}
		o.selfService.Mail = p.accounts.Mail
		o.setUpTOTP(t, o.scope(t, in))
		events, err := p.store.EventsSince(t.Context(), p.currentScope(t).Env, o.id, 1)
		if err != nil {
			t.Fatal(err)
		}
		texts := []string{}
		for _, e := range events {
			if e.Kind == auditlog.SecondFactorAdded {
				texts = append(texts, e.Note)
			}
		}
		for _, m := range p.mails(t, name+"@example.com") {
			if m.Kind == mail.FactorAdded {
				texts = append(texts, m.Detail)
			}
		}
		if len(texts) != 2 {
			t.Fatalf("%s: %q", name, texts)
		}
		for _, text := range texts {
			if strings.Contains(text, "after the password was reset with a mailed link") != reset {
				t.Errorf("%s: %q", name, text)
			}
		}
	}
}

// The whole forgotten-password way: a link to the stored address, once, under the policy; tries are forgiven, sessions
// end, the owner is told.
func TestForgottenPassword(t *testing.T) {
	p := newMailFixture(t)
	a := p.createAllowed(t, "forgetful", nil)
	link := p.requestLink(t, "FORGETFUL@example.com", a.Email)
	if link == "" {
		t.Fatal("no link")
	}
	if err := p.recovery.SetPassword(t.Context(), link, "short", ""); !fault.Is(err, fault.Invalid) {
		t.Errorf("a bad password: %v", err)
	}
	if err := p.setByLink(t, link); err != nil {
		t.Fatal(err)
	}
	after := p.read(t, a.ID)
	if after.Epoch != a.Epoch+1 || after.PasswordHash == "" {
		t.Errorf("%+v", after)
	}
	if got := p.mails(t, a.Email); got[len(got)-1].Kind != mail.PasswordChanged || len(got[len(got)-1].Sealed) != 0 {
		t.Errorf("no notice: %+v", got)
	}
	if err := p.setByLink(t, link); !fault.HasCode(err, "link") {
		t.Errorf("twice: %v (C31)", err)
	}
}

// A block by failed tries does not stop it and is lifted by it; a lock, a block by an administrator, dates and an API
// licence stop it, without a word (V18, C20).
func TestForgottenPasswordForWhom(t *testing.T) {
	p := newMailFixture(t)
	tried := p.createAllowed(t, "tried", nil)
	if _, err := p.table.Client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: &p.table.Name, Key: map[string]types.AttributeValue{
			"PK": &types.AttributeValueMemberS{Value: "D#" + env}, "SK": &types.AttributeValueMemberS{Value: "tried"},
		},
		UpdateExpression: aws.String("SET tries = :five, blockedAt = :at"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":five": &types.AttributeValueMemberN{Value: "5"},
			":at":   &types.AttributeValueMemberS{Value: field.FormatInstant(p.now)},
		},
	}); err != nil {
		t.Fatal(err)
	}
	if err := p.setByLink(t, p.requestLink(t, "tried", tried.Email)); err != nil {
		t.Fatal(err)
	}
	if after := p.read(t, tried.ID); after.FailedTries != 0 || !after.TriesBlockedAt.IsZero() {
		t.Errorf("still blocked: %+v", after)
	}
	p.create(t, "notyet", nil)
	blocked := p.createAllowed(t, "blockedone", nil)
	if _, err := p.accounts.Block(t.Context(), p.currentScope(t), blocked.ID, 0, "left"); err != nil {
		t.Fatal(err)
	}
	locked := p.createAllowed(t, "lockedone", nil)
	if _, err := p.accounts.Lock(t.Context(), p.currentScope(t), locked.ID, 0); err != nil {
		t.Fatal(err)
	}
	p.createAllowed(t, "program", field.Patch{"userType": "API"})
	p.createAllowed(t, "later", field.Patch{"dateFrom": field.DateOf(p.now.AddDate(1, 0, 0))})
	for _, who := range []string{"notyet", "blockedone", "lockedone", "program", "later", "nobody", "nobody@example.com",
		"", "\xff", "admin\x00"} {
		if link := p.requestLink(t, who, who+"@example.com"); link != "" {
			t.Errorf("%q got a link", who)
		}
	}
}

// Of the links of an account only the newest works, for that account, for its time, and as long as nothing about who
// holds the mailbox or may come in has changed since (C07, C17, V24).
func TestLinksThatSetNothing(t *testing.T) {
	for name, damage := range map[string]func(*testing.T, *mailFixture, account.Account, string) string{
		"nothing":   func(*testing.T, *mailFixture, account.Account, string) string { return "" },
		"truncated": func(_ *testing.T, _ *mailFixture, _ account.Account, l string) string { return l[:len(l)-4] },
		"another end": func(_ *testing.T, _ *mailFixture, _ account.Account, l string) string {
			return l[:len(l)-8] + "AAAAAAAA"
		},
		"another purpose": func(_ *testing.T, _ *mailFixture, _ account.Account, l string) string {
			return "uat" + strings.TrimPrefix(l, "upl")
		},
		"over": func(_ *testing.T, p *mailFixture, _ account.Account, l string) string {
			p.now = p.now.Add(31 * time.Minute)
			return l
		},
		"replaced": func(t *testing.T, p *mailFixture, a account.Account, l string) string {
			p.requestLink(t, a.Username, a.Email)
			return l
		},
		"replaced by an administrator's": func(t *testing.T, p *mailFixture, a account.Account, l string) string {
			must(t, errOf(p.accounts.MailPassword(t.Context(), p.currentScope(t), a.ID, 0, false)))
			return l
		},
		"another account's": func(t *testing.T, p *mailFixture, a account.Account, l string) string {
			other := p.createAllowed(t, "another", nil)
			theirs := p.requestLink(t, "another", other.Email)
			ours, err := token.Parse(token.PasswordLink, l)
			must(t, err)
			given, err := token.Parse(token.PasswordLink, theirs)
			must(t, err)
			ours.ID, ours.Account = given.ID, given.Account
			return ours.Reveal()
		},
		"email changed": func(t *testing.T, p *mailFixture, a account.Account, l string) string {
			must(t, errOf(
				p.accounts.Change(t.Context(), p.currentScope(t), a.ID, a.Version, field.Patch{"email": "new@example.com"})))
			return l
		},
		"blocked since": func(t *testing.T, p *mailFixture, a account.Account, l string) string {
			must(t, errOf(p.accounts.Block(t.Context(), p.currentScope(t), a.ID, 0, "left")))
			return l
		},
		"locked since": func(t *testing.T, p *mailFixture, a account.Account, l string) string {
			must(t, errOf(p.accounts.Lock(t.Context(), p.currentScope(t), a.ID, 0)))
			return l
		},
		"password set since": func(t *testing.T, p *mailFixture, a account.Account, l string) string {
			must(t, errOf(
				p.accounts.SetPassword(t.Context(), p.currentScope(t), a.ID, 0,
					account.NewPasswordRequest{Password: "seven green bicycles"})))
			return l
		},
		"API licence since": func(t *testing.T, p *mailFixture, a account.Account, l string) string {
			must(t, errOf(p.accounts.Change(t.Context(), p.currentScope(t), a.ID, a.Version, field.Patch{"userType": "API"})))
			return l
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newMailFixture(t)
			a := p.createAllowed(t, "holder", nil)
			link := damage(t, p, a, p.requestLink(t, "holder", a.Email))
			before := p.read(t, a.ID).PasswordHash
			err := p.setByLink(t, link)
			var f *fault.Error
			if !errors.As(err, &f) || f.Code != "link" || f.Error() != wrongLink(t, p) {
				t.Errorf("%v", err)
			}
			if p.read(t, a.ID).PasswordHash != before {
				t.Error("the password was set")
			}
		})
	}
}

// wrongLink is what a link says that never was one.
func wrongLink(t *testing.T, p *mailFixture) string {
	t.Helper()
	return p.setByLink(t, "upl_x").Error()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func errOf[T any](_ T, err error) error { return err }

// A link that an administrator sent works on a block that was there before it, and on none that came after (C07).
func TestAdministratorsLinkAndBlocks(t *testing.T) {
	p := newMailFixture(t)
	a := p.create(t, "new", nil)
	must(t, errOf(p.accounts.MailPassword(t.Context(), p.currentScope(t), a.ID, 0, false)))
	link := p.mails(t, a.Email)[0].secret
	must(t, errOf(p.accounts.Allow(t.Context(), p.currentScope(t), a.ID, 0)))
	p.now = p.now.Add(time.Hour)
	must(t, errOf(p.accounts.Block(t.Context(), p.currentScope(t), a.ID, 0, "left")))
	if err := p.setByLink(t, link); !fault.HasCode(err, "link") {
		t.Errorf("after a block: %v", err)
	}
	must(t, errOf(p.accounts.Allow(t.Context(), p.currentScope(t), a.ID, 0)))
	if err := p.setByLink(t, link); err != nil {
		t.Errorf("let in again: %v", err)
	}
	b := p.create(t, "unlocked", nil)
	got, err := p.accounts.MailPassword(t.Context(), p.currentScope(t), b.ID, 0, true)
	if err != nil || got.AccessLocked {
		t.Errorf("%+v, %v", got, err)
	}
}

// Of many who use a link at once one succeeds (C31).
func TestLinkUsedInParallel(t *testing.T) {
	p := newMailFixture(t)
	a := p.createAllowed(t, "raced", nil)
	link := p.requestLink(t, "raced", a.Email)
	var all sync.WaitGroup
	outcomes := make([]error, 12)
	for i := range outcomes {
		all.Go(func() {
			outcomes[i] = p.recovery.SetPassword(t.Context(), link, "four quick grey otters", "")
		})
	}
	all.Wait()
	good := 0
	for _, err := range outcomes {
		switch {
		case err == nil:
			good++
		case !fault.HasCode(err, "link") && !fault.HasCode(err, "busy"):
			t.Errorf("%v", err)
		}
	}
	if after := p.read(t, a.ID); good != 1 || after.Epoch != a.Epoch+1 {
		t.Errorf("%d succeeded, epoch %d after %d", good, after.Epoch, a.Epoch)
	}
}

// An account gets three links in any hour, a network address ten in an hour of the clock; nobody else is slowed by it.
func TestFloodsOfLinks(t *testing.T) {
	p := newMailFixture(t)
	a, b := p.createAllowed(t, "flooded", nil), p.createAllowed(t, "other", nil)
	for i := range 5 {
		if link := p.requestLink(t, "flooded", a.Email); (link != "") != (i < 3) {
			t.Errorf("ask %d: a link: %v", i+1, link != "")
		}
		p.now = p.now.Add(10 * time.Minute)
	}
	p.now = p.now.Add(11 * time.Minute)
	if p.requestLink(t, "flooded", a.Email) == "" {
		t.Error("no link after an hour")
	}
	if p.requestLink(t, "other", b.Email) == "" {
		t.Error("another account gets none")
	}
	p.now = p.now.Truncate(time.Hour)
	for i := range 12 {
		err := p.recovery.RequestReset(t.Context(), "nobody", "2001:db8::"+string(rune('1'+i%9)))
		if fault.Is(err, fault.TooManyRequests) != (i >= recovery.ResetRequestsPerHour) {
			t.Errorf("ask %d of a network: %v", i+1, err)
		}
	}
	if err := p.recovery.RequestReset(t.Context(), "nobody", "2001:db8:0:1::1"); err != nil {
		t.Errorf("another network: %v", err)
	}
	if after := p.read(t, a.ID); after.FailedTries != 0 || !after.TriesBlockedAt.IsZero() || after.AccessLocked {
		t.Errorf("asking blocked: %+v", after)
	}
}

// Whoever is asked for, asking makes the same calls and costs as much (V23).
func TestAskingCostsTheSame(t *testing.T) {
	p := newMailFixture(t)
	p.createAllowed(t, "known", nil)
	blocked := p.createAllowed(t, "blockedone", nil)
	must(t, errOf(p.accounts.Block(t.Context(), p.currentScope(t), blocked.ID, 0, "left")))
	ask := func(identifier string) (calls int, write float64) {
		m := &meter{plain: p.table.Client, table: &p.table.Name}
		links := passwordlinks.Store{
			Table: (&dynamo.Table{Client: m.client(t), Name: p.table.Name}).WithOutbox(p.table.Outbox)}
		on := *p.recovery
		on.Requests, on.Links = links, links
		must(t, on.RequestReset(t.Context(), identifier, p.nextAddress()))
		if m.refused > 0 { // takes another time than a write that is made
			t.Errorf("%q: %d calls were refused", identifier, m.refused)
		}
		return m.calls, m.write
	}
	ask("known") // the reference data is read once
	calls, write := ask("known")
	// The second of these is the fourth of the hour, which gets no link.
	for _, who := range []string{"known", "KNOWN@example.com", "blockedone", "nobody", "nobody@example.com", "\xff"} {
		if got, wrote := ask(who); got != calls || wrote != write {
			t.Errorf("%q takes %d calls and %v W, want %d and %v", who, got, wrote, calls, write)
		}
	}
}

// Of two who claim a mail one has it; what is finished is in the log without its secret, once.
func TestOutboxClaimsAndFinishes(t *testing.T) {
	p := newMailFixture(t)
	a := p.createAllowed(t, "claimed", nil)
	must(t, p.recovery.RequestReset(t.Context(), "claimed", "192.0.2.1"))
	ids, err := p.outbox.Due(t.Context(), env, p.now, 10)
	if err != nil || len(ids) != 1 {
		t.Fatal(ids, err)
	}
	var all sync.WaitGroup
	var lock sync.Mutex
	var mine []mail.ClaimedMessage
	for range 8 {
		all.Go(func() {
			c, ok, err := p.outbox.Claim(t.Context(), env, ids[0], p.now, p.now.Add(time.Minute))
			lock.Lock()
			defer lock.Unlock()
			if err != nil {
				t.Error(err)
			}
			if ok {
				mine = append(mine, c)
			}
		})
	}
	all.Wait()
	if len(mine) != 1 {
		t.Fatalf("%d claimed it", len(mine))
	}
	must(t, p.outbox.Postpone(t.Context(), mine[0], p.now.Add(time.Second), "down"))
	if _, ok, _ := p.outbox.Claim(t.Context(), env, ids[0], p.now, p.now); ok {
		t.Error("claimed before it was due")
	}
	c, ok, err := p.outbox.Claim(t.Context(), env, ids[0], p.now.Add(time.Second), p.now.Add(time.Minute))
	if err != nil || !ok || c.Attempt != 2 {
		t.Fatal(c.Attempt, ok, err)
	}
	stale := mine[0]
	must(t, p.outbox.Finish(t.Context(), stale, mail.DeliveryResult{State: mail.Failed, At: p.now}))
	must(t, p.outbox.Finish(t.Context(), c, mail.DeliveryResult{State: mail.Sent, At: p.now, MessageID: "m1"}))
	must(t, p.outbox.Finish(t.Context(), c, mail.DeliveryResult{State: mail.Failed, At: p.now}))
	log := &mail.CommunicationLog{Store: p.outbox, Now: func() time.Time { return p.now }}
	got, next, err := log.Page(t.Context(), p.currentScope(t).Env, mail.Filter{AccountID: a.ID}, "", 10)
	if err != nil || next != "" || len(got) != 1 || got[0].State != mail.Sent || got[0].MessageID != "m1" ||
		got[0].To != a.Email || got[0].Attempts != 2 {
		t.Errorf("%+v, %q, %v", got, next, err)
	}
	out, err := p.table.Client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &p.table.Outbox})
	must(t, err)
	for _, it := range out.Items {
		if _, sealed := it["sealed"]; sealed {
			t.Errorf("a secret is kept after sending: %v", it["PK"])
		}
		if it["ttl"] == nil {
			t.Error("a line of the log is kept for ever")
		}
	}
}

// A change whose mail cannot be written is not written either: nothing is lost unseen.
func TestNoOutboxNoChange(t *testing.T) {
	p := newMailFixture(t)
	a := p.createAllowed(t, "nooutbox", nil)
	on := *p.accounts
	on.Store = dynamo.Accounts{Table: &dynamo.Table{Client: p.table.Client, Name: p.table.Name}}
	if _, err := on.MailPassword(t.Context(), p.currentScope(t), a.ID, 0, false); err == nil {
		t.Error("written without its mail")
	}
	if after := p.read(t, a.ID); after.Version != a.Version {
		t.Errorf("version %d after %d", after.Version, a.Version)
	}
}

// Whoever's password, email or way in is changed by others is told: at the address that it was, and at the new one too
// (V25, V35, V94).
func TestChangesAreTold(t *testing.T) {
	p := newMailFixture(t)
	a := p.createAllowed(t, "told", nil)
	must(t, errOf(
		p.accounts.SetPassword(t.Context(), p.currentScope(t), a.ID, 0,
			account.NewPasswordRequest{Password: "seven green bicycles"})))
	_, _, err := p.accounts.ResetPassword(t.Context(), p.currentScope(t), a.ID, 0, false)
	must(t, err)
	now := p.read(t, a.ID)
	must(t, errOf(
		p.accounts.Change(t.Context(), p.currentScope(t), a.ID, now.Version, field.Patch{"email": "moved@example.com"})))
	must(t, errOf(p.accounts.Change(t.Context(), p.currentScope(t), a.ID, now.Version+1, field.Patch{"name": "Another"})))
	var kinds []mail.Kind
	for _, m := range p.mails(t, a.Email) {
		kinds = append(kinds, m.Kind)
	}
	if want := []mail.Kind{mail.PasswordChanged, mail.PasswordChanged, mail.EmailChanged}; !slices.Equal(kinds, want) {
		t.Errorf("told of %v, want %v", kinds, want)
	}
	if got := p.mails(t, "moved@example.com"); len(got) != 1 || got[0].Kind != mail.EmailChanged {
		t.Errorf("the new address: %+v", got)
	}
	p.signin.Accounts, p.signin.Sessions = attempts.Store{Table: p.table}, sessions.Store{Table: p.table}
	p.signin.Mail = p.accounts.Mail
	for range 6 {
		if _, err := p.signin.Login(t.Context(), "told", "wrong", signin.ClientInfo{}); err == nil {
			t.Fatal("let in")
		}
	}
	if got := p.mails(t, "moved@example.com"); len(got) != 2 || got[1].Kind != mail.BlockedByTries {
		t.Errorf("blocked: %+v", got)
	}
}

// Who waives a second factor by a change of fields tells its owner as the route of the act does: by PATCH, which bulk
// and copies come through as well. Requiring one, or what changes neither, tells nobody.
func TestAFactorWaivedByAChangeIsTold(t *testing.T) {
	p := newMailFixture(t)
	a := p.createAllowed(t, "waived", field.Patch{"mfaRequired": true})
	for i, patch := range []field.Patch{{"name": "Another"}, {"mfaRequired": false}, {"mfaRequired": true},
		{"mfaRequired": false, "email": "moved@example.com"}} {
		must(t, errOf(p.accounts.Change(t.Context(), p.currentScope(t), a.ID, a.Version+int64(i), patch)))
	}
	kinds := func(to string) (out []mail.Kind) {
		for _, m := range p.mails(t, to) {
			out = append(out, m.Kind)
		}
		return out
	}
	if got := kinds(a.Email); !slices.Equal(got, []mail.Kind{mail.FactorExempt, mail.EmailChanged}) {
		t.Errorf("told of %v", got)
	}
	got := kinds("moved@example.com")
	slices.Sort(got)
	if !slices.Equal(got, []mail.Kind{mail.EmailChanged, mail.FactorExempt}) {
		t.Errorf("the new address is told of %v", got)
	}
}
