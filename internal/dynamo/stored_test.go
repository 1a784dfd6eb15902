package dynamo_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/local/localtest"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
)

// storedValue is an attribute as DynamoDB's JSON has it.
type storedValue struct {
	S, N *string
	BOOL *bool
	B    []byte
	SS   []string
	L    []storedValue
	M    map[string]storedValue
}

func (v storedValue) attribute() types.AttributeValue {
	switch {
	case v.S != nil:
		return table.S(*v.S)
	case v.N != nil:
		return &types.AttributeValueMemberN{Value: *v.N}
	case v.BOOL != nil:
		return table.BOOL(*v.BOOL)
	case v.B != nil:
		return table.B(v.B)
	case v.SS != nil:
		return table.SS(v.SS)
	case v.M != nil:
		out := table.Item{}
		for name, one := range v.M {
			out[name] = one.attribute()
		}
		return table.M(out)
	}
	l := &types.AttributeValueMemberL{}
	for _, one := range v.L {
		l.Value = append(l.Value, one.attribute())
	}
	return l
}

// fixtureFrom is the environment that an earlier release stored, upgraded by this one, and the text of an API key.
func fixtureFrom(t *testing.T, file string) (*fixture, string) {
	t.Helper()
	raw, err := os.ReadFile(file)
	must(t, err)
	var stored struct {
		Key   string
		Items []map[string]storedValue
	}
	must(t, json.Unmarshal(raw, &stored))
	on := &dynamo.Table{Client: localtest.Services(t).DynamoDBClient(), Name: localtest.Table(t)}
	for _, it := range stored.Items {
		must(t, errOf(on.Client.PutItem(t.Context(), &dynamodb.PutItemInput{
			TableName: &on.Name, Item: storedValue{M: it}.attribute().(*types.AttributeValueMemberM).Value})))
	}
	return fixtureOn(t, on), stored.Key
}

// What a release before credential acts, kinds of blocks, jobs by owner and known networks stored is upgraded and
// works: people sign in or not as before, roles hold what came since, keys and jobs are there, and everything can be
// changed. The file is every item of an environment of that release; it stays as it is.
func TestWhatAnEarlierReleaseStoredWorks(t *testing.T) {
	f, key := fixtureFrom(t, "testdata/stored-2026-12-01.json")
	ctx, scope := t.Context(), f.currentScope(t)
	login := func(who string) (signin.Result, error) {
		return f.signin.Login(ctx, who, ownPassword, signin.ClientInfo{Address: home})
	}
	for who, as := range map[string]account.Status{
		"plain": account.StatusActive, "blocked": account.StatusBlocked, "waiting": account.StatusNotYetAllowed,
		"tried": account.StatusTooManyTries, "locked": account.StatusLocked, "robot": account.StatusActive,
	} {
		it, err := f.table.Get(ctx, schema.RowKey(env, who))
		must(t, err)
		a, err := f.accounts.Get(ctx, scope, table.String(it, schema.AttrID))
		must(t, err)
		if got := a.StatusOn(field.DateOf(time.Now())); got != as {
			t.Errorf("%s is %s, want %s", who, got, as)
		}
		if n := f.countStatus(t, as); as != account.StatusLocked && n < 1 {
			t.Errorf("the list counts %d with the status %s", n, as)
		}
		switch _, err := login(who); who {
		case "plain", "tried": // the timed release has let one try through since
			must(t, err)
		default:
			if !fault.HasCode(err, "signInRefused") {
				t.Errorf("%s: %v", who, err)
			}
		}
	}
	var in signin.Result
	for _, who := range []string{"plain", "Plain@example.com"} {
		var err error
		if in, err = login(who); err != nil || in.Next != session.Done {
			t.Fatalf("%s: %+v %v", who, in, err)
		}
	}
	own, err := f.signin.Authenticate(ctx, in.Access.Reveal())
	must(t, err)
	if !own.Caller.May(access.AccountIdentity) || !own.Caller.May(access.AccountUpdate) {
		t.Errorf("the role was not upgraded: %v", own.Caller.Permissions.Sorted())
	}
	byKey, err := f.signin.Authenticate(ctx, key)
	if err != nil || byKey.Caller.Username != "robot" || !byKey.Caller.May(access.AccountRead) {
		t.Errorf("by the key: %+v %v", byKey.Caller, err)
	}
	if jobs := listOwnJobs(t, f.jobStore, own.Caller.AccountID, 2); len(jobs) != 3 {
		t.Errorf("jobs %v", jobs)
	}
	a, err := f.accounts.Get(ctx, scope, own.Caller.AccountID)
	must(t, err)
	if a.Name != "Somebody" || !slices.Equal(a.Roles, []string{"EDITOR"}) || !slices.Equal(a.Groups, []string{"STAFF"}) ||
		!slices.Equal(a.DACGroups, []string{"DAC1"}) || a.LastLogin.IsZero() {
		t.Errorf("%+v", a)
	}
	must(t, errOf(f.accounts.Change(ctx, scope, a.ID, a.Version, field.Patch{"username": "renamed", "name": "Another"})))
	must(t, errOf(login("renamed")))
	for range 6 { // from elsewhere; the network is known by now
		_, _ = f.signin.Login(ctx, "renamed", "wrong", signin.ClientInfo{Address: stranger})
	}
	must(t, errOf(login("renamed")))
}
