package dynamo_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/factors"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/sessions"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/transfer"
)

// storeOf makes what others have stored of each kind, from one number to another: sessions, keys, links, Sets, trusted
// devices, and jobs that wait in the queue.
func (f *fixture) storeOf(t *testing.T, from, to int) {
	t.Helper()
	var items []table.Item
	add := func(k table.Key, more table.Item) {
		it := k.Attributes()
		for name, value := range more {
			it[name] = value
		}
		items = append(items, it)
	}
	now := time.Now().UTC()
	for i := from; i < to; i++ {
		other, id := fmt.Sprintf("01JX%022d", i%7), fmt.Sprintf("01JY%022d", i)
		expires := table.Item{"id": table.S(id), "expires": table.Timestamp(now.AddDate(0, 0, 90))}
		add(schema.SessionKey(other, id), expires)
		add(schema.APIKeyKey(other, id), expires)
		add(schema.KeyExpiryKey(env, "20990101", other, id), nil)
		add(schema.AccountIdentityKey(other, id), table.Item{"objectId": table.S(id)})
		add(schema.IdentityKey(env, "provider", id), table.Item{"id": table.S(other)})
		add(schema.SetKey(schema.OwnSetsPK(env, other), id), table.Item{"set": table.M(table.Item{})})
		add(schema.TrustedDeviceKey(other, id), expires)
		add(schema.DelegationKey(other, id), nil)
		if err := f.jobStore.Create(t.Context(), transfer.Job{ID: id, Env: env, Kind: transfer.Import,
			State: transfer.Submitted, ByID: other, Created: now, Submitted: now.Add(time.Duration(i))}); err != nil {
			t.Fatal(err)
		}
	}
	for len(items) > 0 {
		n := min(len(items), 25)
		var puts []types.WriteRequest
		for _, it := range items[:n] {
			puts = append(puts, types.WriteRequest{PutRequest: &types.PutRequest{Item: it}})
		}
		if _, err := f.table.Client.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{f.table.Name: puts}}); err != nil {
			t.Fatal(err)
		}
		items = items[n:]
	}
}

// V96: what somebody without permissions can list, their own jobs, Sets, sessions, keys, links, devices and
// delegations, and the jobs of the home page, costs the same beside 10 and beside 5,000 of others.
func TestOnesOwnCostsTheSameWhateverOthersHaveStored(t *testing.T) {
	f := newFixture(t)
	o := newOwner(t, f, "owner", nil)
	in := o.login(t, "")
	createJobs(t, f.jobStore, o.id, 900000, 3)
	m := &meter{plain: f.table.Client, table: &f.table.Name}
	on := &dynamo.Table{Client: m.client(t), Name: f.table.Name}
	type cost struct {
		calls   int
		scanned int32
		read    float64
	}
	ctx := t.Context()
	routes := map[string]func() error{
		"GET /api/jobs": func() error { return last(dynamo.Jobs{Table: on}.OwnJobs(ctx, env, o.id, "", 20)) },
		"GET /api/overview, jobs": func() error {
			return errOf(dynamo.Statistics{Table: on}.Jobs(ctx, env, o.id, 10))
		},
		"GET /api/sets":     func() error { return errOf(dynamo.Sets{Table: on}.Visible(ctx, env, o.id)) },
		"GET /api/sessions": func() error { return last(sessions.Store{Table: on}.Sessions(ctx, o.id, "", 50)) },
		"GET /api/me": func() error {
			return errOf(sessions.NewCredentials(on).FindSession(ctx, env, o.id, in.Session.ID))
		},
		"GET .../keys":         func() error { return last(dynamo.APIKeys{Table: on}.Keys(ctx, o.id, "", 50)) },
		"GET /api/me/links":    func() error { return errOf(dynamo.NewSSO(on).IdentitiesOf(ctx, o.id)) },
		"GET /api/me/mfa":      func() error { return errOf(factors.Store{Table: on}.TrustedDevices(ctx, o.id)) },
		"GET .../delegations":  func() error { return last(dynamo.Delegations{Table: on}.Delegations(ctx, o.id, "", 50)) },
		"a step's own factors": func() error { return errOf(factors.Store{Table: on}.LoadFactors(ctx, o.id, "")) },
	}
	costs := map[string]cost{}
	stored := 0
	for _, n := range []int{10, 5000} {
		f.storeOf(t, stored, n)
		stored = n
		for name, call := range routes {
			m.calls, m.read, m.scanned = 0, 0, 0
			if err := call(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			is := cost{m.calls, m.scanned, m.read}
			if was, ok := costs[name]; ok && was != is {
				t.Errorf("%s costs %+v beside 5,000 of others, %+v beside 10", name, is, was)
			}
			if costs[name] = is; is.calls == 0 || is.calls > 4 || is.read > 8 {
				t.Errorf("%s costs %+v", name, is)
			}
		}
	}
}

func last[A, B any](_ A, _ B, err error) error { return err }
