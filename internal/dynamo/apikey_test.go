package dynamo_test

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/account"
	"useraccounts/internal/apikey"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/sessions"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/session"
	"useraccounts/internal/setup"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
	"useraccounts/internal/transfer"
)

// keyFixture is a fixture with an API client that may be used, and a clock of its own.
type keyFixture struct {
	*fixture
	service *apikey.Service
	store   dynamo.APIKeys
	client  account.Account
	now     time.Time
}

func newKeyFixture(t *testing.T) *keyFixture {
	t.Helper()
	f := newFixture(t)
	k := &keyFixture{fixture: f, store: dynamo.APIKeys{Table: f.table}, now: time.Now().UTC().Truncate(time.Millisecond)}
	clock := func() time.Time { return k.now }
	k.service = &apikey.Service{Store: k.store, Accounts: f.accounts, Now: clock, NewID: token.NewID, Random: rand.Reader}
	f.signin.Now, f.signin.Keys = clock, k.store
	k.client = f.create(t, "sync", field.Patch{"userType": "API", "email": nil, "roles": []string{"EDITOR"}})
	k.allow(t)
	return k
}

func (k *keyFixture) allow(t *testing.T) {
	t.Helper()
	if _, err := k.accounts.Allow(t.Context(), k.currentScope(t), k.client.ID, 0); err != nil {
		t.Fatal(err)
	}
}

func (k *keyFixture) key(t *testing.T, description string) (session.APIKey, string) {
	t.Helper()
	made, issued,
		err := k.service.Create(t.Context(), k.currentScope(t), k.client.ID,
		apikey.CreateParams{Description: description, ValidDays: 90})
	if err != nil {
		t.Fatal(err)
	}
	return made, issued.Reveal()
}

// opens reports whether a bearer opens anything; a refusal must be the neutral one.
func (k *keyFixture) opens(t *testing.T, bearer string) bool {
	t.Helper()
	scope, err := k.signin.Authenticate(t.Context(), bearer)
	if err != nil && !fault.HasCode(err, "session") {
		t.Fatal(err)
	}
	return err == nil && scope.Caller.AccountID == k.client.ID
}

func (k *keyFixture) session(t *testing.T, key string) string {
	t.Helper()
	got, err := k.signin.LoginWithKey(t.Context(), key, signin.ClientInfo{Client: "nightly", Address: "192.0.2.1"})
	if err != nil {
		t.Fatal(err)
	}
	return got.Access.Reveal()
}

// items returns everything that is stored of the client.
func (k *keyFixture) items(t *testing.T) []map[string]types.AttributeValue {
	t.Helper()
	out, err := k.table.Client.Query(t.Context(), &dynamodb.QueryInput{
		TableName: &k.table.Name, KeyConditionExpression: aws.String("PK = :pk"), ConsistentRead: aws.Bool(true),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":pk": &types.AttributeValueMemberS{Value: "U#" + k.client.ID}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Items
}

func stringOf(it map[string]types.AttributeValue, name string) string {
	v, _ := it[name].(*types.AttributeValueMemberS)
	if v == nil {
		return ""
	}
	return v.Value
}

// events returns kinds and keys of the events in the client's log, in order, but for those of the account itself.
func (k *keyFixture) events(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, it := range k.items(t) {
		if strings.HasPrefix(stringOf(it, "SK"), "E#") && stringOf(it, "kind") != "accessAllowed" {
			out = append(out, stringOf(it, "kind")+" "+stringOf(it, "key")+" "+stringOf(it, "by"))
		}
	}
	return out
}

// V46: the change and its event are there together, and of the secret nothing is.
func TestAKeyIsStoredAsAHash(t *testing.T) {
	k := newKeyFixture(t)
	made, text := k.key(t, "Nightly run")
	bearer := k.session(t, text)
	if !k.opens(t, text) || !k.opens(t, bearer) {
		t.Fatal("it opens nothing")
	}
	if _, err := k.service.Lock(t.Context(), k.currentScope(t), k.client.ID, made.ID); err != nil {
		t.Fatal(err)
	}
	want := []string{"keyCreated " + made.ID + " admin", "signedIn " + made.ID + " sync",
		"keyLocked " + made.ID + " admin"}
	got := k.events(t)
	slices.Sort(got) // ids of one millisecond have no order
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("events %q, want %q", got, want)
	}
	secret, opened := text[strings.LastIndex(text, "_")+1:], bearer[strings.Index(bearer, "_")+1+64:]
	for _, it := range k.items(t) {
		for name, value := range it {
			if s, ok := value.(*types.AttributeValueMemberS); ok &&
				(strings.Contains(s.Value, secret) || strings.Contains(s.Value, opened)) {
				t.Errorf("%s of %s holds a secret", name, stringOf(it, "SK"))
			}
		}
	}
	read, err := k.store.Key(t.Context(), k.client.ID, made.ID)
	if err != nil || read.Description != "Nightly run" || !read.Expires.Equal(made.Expires) ||
		!read.Created.Equal(made.Created) || read.CreatedBy != "admin" ||
		!read.Locked.Equal(k.now) || read.LockedBy != "admin" || !read.LastUsed.Equal(k.now) || len(read.Hash) != 32 {
		t.Errorf("%+v, %v", read, err)
	}
}

// C27, C28, V40: each thing that ends an account's access refuses its keys and their sessions at the next request. What
// is lifted again lets the key in, and never the old session where the account's epoch moved on.
func TestWhatRefusesKeys(t *testing.T) {
	k := newKeyFixture(t)
	made, text := k.key(t, "Nightly run")
	_, other := k.key(t, "Other")
	patch := func(p field.Patch) func() {
		return func() {
			a, err := k.accounts.Get(t.Context(), k.currentScope(t), k.client.ID)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := k.accounts.Change(t.Context(), k.currentScope(t), k.client.ID, a.Version, p); err != nil {
				t.Fatal(err)
			}
		}
	}
	today := field.DateOf(k.now)
	for _, c := range []struct {
		name         string
		end, restore func()
		sessionLives bool
	}{
		{"block", func() {
			if _, err := k.accounts.Block(t.Context(), k.currentScope(t), k.client.ID, 0, "Left"); err != nil {
				t.Fatal(err)
			}
		}, func() { k.allow(t) }, false},
		{"date from", patch(field.Patch{"dateFrom": field.DateOf(k.now.AddDate(0, 0, 1))}),
			patch(field.Patch{"dateFrom": today}), true},
		{"date to", patch(
			field.Patch{"dateFrom": field.DateOf(k.now.AddDate(0, 0, -3)), "dateTo": field.DateOf(k.now.AddDate(0, 0, -1))}),
			patch(field.Patch{"dateTo": nil}), true},
	} {
		bearer := k.session(t, text)
		if !k.opens(t, text) || !k.opens(t, bearer) {
			t.Fatalf("%s: refused before", c.name)
		}
		c.end()
		if k.opens(t, text) || k.opens(t, bearer) || k.opens(t, other) {
			t.Errorf("%s: still open", c.name)
		}
		if _, err := k.signin.LoginWithKey(t.Context(), text, signin.ClientInfo{}); !fault.HasCode(err, "keyRefused") {
			t.Errorf("%s: a session: %v", c.name, err)
		}
		c.restore()
		if !k.opens(t, text) || k.opens(t, bearer) != c.sessionLives {
			t.Errorf("%s, restored: the key %v, its session %v", c.name, k.opens(t, text), k.opens(t, bearer))
		}
	}
	// A program with a key stays a program (V91).
	a, err := k.accounts.Get(t.Context(), k.currentScope(t), k.client.ID)
	if err != nil {
		t.Fatal(err)
	}
	person := field.Patch{"userType": "FULL", "email": "sync@example.com"}
	if _, err := k.accounts.Change(t.Context(), k.currentScope(t), a.ID, a.Version, person); !fault.HasCode(err, "used") ||
		!k.opens(t, text) {
		t.Errorf("a licence for people: %v", err)
	}
	bearer := k.session(t, text)
	if _, err := k.service.Lock(t.Context(), k.currentScope(t), k.client.ID, made.ID); err != nil {
		t.Fatal(err)
	}
	if k.opens(t, text) || k.opens(t, bearer) || !k.opens(t, other) {
		t.Error("a lock ends the key and its sessions, and no other")
	}
	bearer = k.session(t, other)
	k.now = k.now.Add(30 * time.Minute)
	if k.opens(t, bearer) || !k.opens(t, other) {
		t.Error("after half an hour the session is over, and the key is not")
	}
	k.now = k.now.AddDate(0, 0, 90)
	if k.opens(t, other) {
		t.Error("after its days the key opens something")
	}
}

// V58: keys are of the environment that their account is of.
func TestKeysOfAnotherEnvironment(t *testing.T) {
	k := newKeyFixture(t)
	_, text := k.key(t, "Nightly run")
	bearer := k.session(t, text)
	if _, err := k.environments.Seed(t.Context(),
		environment.Environment{ID: "other", Settings: environment.Defaults(), CursorKey: make([]byte, 32)},
		setup.Entries(true)); err != nil {
		t.Fatal(err)
	}
	k.signin.EnvID = "other"
	if k.opens(t, text) || k.opens(t, bearer) {
		t.Error("it opens another environment")
	}
	there := k.currentScope(t)
	there.Env.ID = "other"
	if _, _, err := k.service.List(t.Context(), there, k.client.ID, "", 10); !fault.Is(err, fault.NotFound) {
		t.Errorf("listed from another: %v", err)
	}
	if _, err := k.service.Lock(t.Context(), there, k.client.ID, token.NewIDString()); !fault.Is(err, fault.NotFound) {
		t.Errorf("locked from another: %v", err)
	}
	if _, _, err := k.service.Create(t.Context(), there, k.client.ID,
		apikey.CreateParams{Description: "x", ValidDays: 1}); !fault.Is(err, fault.NotFound) {
		t.Errorf("made from another: %v", err)
	}
}

// Of many who make keys at once, no more get one than there is room for, and each who does has one that opens.
func TestParallelCreatesKeepTheBound(t *testing.T) {
	k := newKeyFixture(t)
	const room = 3
	for range apikey.MaxActiveKeys - room {
		k.key(t, "Filler")
	}
	sc := k.currentScope(t)
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		made []string
	)
	for range 10 {
		wg.Go(func() {
			for {
				_, issued, err := k.service.Create(context.Background(), sc, k.client.ID,
					apikey.CreateParams{Description: "Raced", ValidDays: 1})
				if fault.HasCode(err, "busy") {
					continue
				}
				if err == nil {
					mu.Lock()
					made = append(made, issued.Reveal())
					mu.Unlock()
				} else if !fault.HasCode(err, "tooManyKeys") {
					t.Error(err)
				}
				return
			}
		})
	}
	wg.Wait()
	if len(made) != room {
		t.Errorf("%d were made, and there was room for %d", len(made), room)
	}
	for _, text := range made {
		if !k.opens(t, text) {
			t.Error("one that was made opens nothing")
		}
	}
}

func TestKeysAreListedNewestFirst(t *testing.T) {
	k := newKeyFixture(t)
	if found, next,
		err := k.service.List(t.Context(), k.currentScope(t), k.client.ID, "", 2); err != nil || len(found) != 0 ||
		next != "" {
		t.Errorf("none: %v %q %v", found, next, err)
	}
	var want []string
	for _, name := range []string{"1", "2", "3", "4", "5"} {
		time.Sleep(2 * time.Millisecond) // ids of one millisecond have no order
		made, _ := k.key(t, name)
		want = append([]string{made.ID}, want...)
	}
	var got []string
	for next, first := "", true; first || next != ""; first = false {
		found, after, err := k.service.List(t.Context(), k.currentScope(t), k.client.ID, next, 2)
		if err != nil || len(found) > 2 {
			t.Fatal(len(found), err)
		}
		for _, f := range found {
			got = append(got, f.ID)
		}
		next = after
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// Nothing is written of a key whose maker's access has ended, or whose account is gone, and a lock is written once.
func TestKeyWritesAreConditional(t *testing.T) {
	k := newKeyFixture(t)
	made, _ := k.key(t, "Nightly run")
	before := len(k.items(t))
	ended := k.currentScope(t)
	ended.Caller.Epoch--
	if _, _, err := k.service.Create(t.Context(), ended, k.client.ID,
		apikey.CreateParams{Description: "x", ValidDays: 1}); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("by one whose access ended: %v", err)
	}
	gone := made
	gone.AccountID = token.NewIDString()
	c := apikey.NewKey{Key: gone, CallerEpoch: k.admin.Caller.Epoch}
	c.Event.ID, c.Event.ByID = token.NewIDString(), k.admin.Caller.AccountID
	if err := k.store.Create(t.Context(), c); !fault.Is(err, fault.NotFound) {
		t.Errorf("of an account that is gone: %v", err)
	}
	c.Key = made // the same id again
	c.CreatedCount = 1
	if err := k.store.Create(t.Context(), c); !errors.Is(err, account.ErrConcurrentChange) {
		t.Errorf("twice: %v", err)
	}
	if after := len(k.items(t)); after != before {
		t.Errorf("%d items, and there were %d", after, before)
	}
	made.Locked, made.LockedBy = k.now, "first"
	if err := k.store.Lock(t.Context(), made, c.Event, nil); err != nil {
		t.Fatal(err)
	}
	made.LockedBy, c.Event.ID = "second", token.NewIDString()
	if err := k.store.Lock(t.Context(), made, c.Event, nil); !errors.Is(err, account.ErrConcurrentChange) {
		t.Errorf("a second lock: %v", err)
	}
	if read, err := k.store.Key(t.Context(), made.AccountID, made.ID); err != nil || read.LockedBy != "first" {
		t.Errorf("%+v, %v", read, err)
	}
	if after := len(k.items(t)); after != before+1 {
		t.Errorf("%d items after one lock, and there were %d", after, before)
	}
}

// V46: parallel requests of one key write its use down once, and not again within the hour.
func TestUseIsNotedOnce(t *testing.T) {
	k := newKeyFixture(t)
	made, _ := k.key(t, "Nightly run")
	checks := sessions.NewCredentials(k.table)
	for i, at := range []time.Time{k.now, k.now.Add(time.Minute), k.now.Add(time.Hour - time.Millisecond),
		k.now.Add(time.Hour)} {
		if err := checks.RecordKeyUse(t.Context(), made.AccountID, made.ID, at); err != nil {
			t.Fatal(err)
		}
		want := k.now
		if i == 3 {
			want = k.now.Add(time.Hour)
		}
		if read, err := k.store.Key(t.Context(), made.AccountID, made.ID); err != nil || !read.LastUsed.Equal(want) {
			t.Errorf("use %d: noted at %v, want %v (%v)", i, read.LastUsed, want, err)
		}
	}
	gone := token.NewIDString()
	if err := checks.RecordKeyUse(t.Context(), made.AccountID, gone, k.now); err != nil {
		t.Error(err)
	}
	if _, err := k.store.Key(t.Context(), made.AccountID, gone); !fault.Is(err, fault.NotFound) {
		t.Errorf("a use made a key: %v", err)
	}
}

// What is checked of a key costs one round trip, whatever is wrong with it.
func TestAKeysCheckIsOneRoundTrip(t *testing.T) {
	k := newKeyFixture(t)
	made, text := k.key(t, "Nightly run")
	bearer := k.session(t, text) // which notes the use, too
	m := &meter{plain: k.table.Client, table: &k.table.Name}
	gate := &signin.TokenAuthenticator{EnvID: env,
		Credentials: sessions.NewCredentials(&dynamo.Table{Client: m.client(t), Name: k.table.Name}),
		Now:         func() time.Time { return k.now }}
	check := func(bearer string) func() {
		return func() { _, _ = gate.Authenticate(t.Context(), bearer) }
	}
	if _, err := gate.Authenticate(t.Context(), text); err != nil { // reads the reference data once for each process
		t.Fatal(err)
	}
	m.within(t, "key", 1, 3, 0, check(text))
	m.within(t, "session of a key", 1, 4, 0, check(bearer))
	for name, spoilt := range map[string]string{
		"wrong secret": text[:len(text)-52] + strings.Repeat("0", 52),
		"unknown key":  token.KeyPrefix(token.NewIDString()) + text[29:],
	} {
		m.within(t, name, 1, 3, 0, check(spoilt))
		if m.calls != 1 || m.read != 3 {
			t.Errorf("%s: %d calls, %g R: it can be told from a good one", name, m.calls, m.read)
		}
	}
	if _, err := k.service.Lock(t.Context(), k.currentScope(t), k.client.ID, made.ID); err != nil {
		t.Fatal(err)
	}
	m.within(t, "locked", 1, 3, 0, check(text))
}

// V76, V47: a job that a key began has a key's rights, not those of its account's roles.
func TestAJobOfAKeyHasAKeysRights(t *testing.T) {
	f := newFixture(t)
	for key, want := range map[string]transfer.State{"": transfer.Done, "K": transfer.Refused} {
		name := "risen" + key
		j := f.submit(t, transfer.Options{}, headings(), []any{name, "Risen", "FULL", name + "@example.com", "ADMIN"})
		j = f.job(t, j.ID)
		j.ByKey = key
		if err := f.jobStore.Save(t.Context(), j); err != nil {
			t.Fatal(err)
		}
		if err := f.worker().Run(t.Context(), env, j.ID); err != nil {
			t.Fatal(err)
		}
		if got := f.job(t, j.ID); got.State != want || got.ByKey != key {
			t.Errorf("by key %q an import that makes an administrator is %s, want %s", key, got.State, want)
		}
	}
}
