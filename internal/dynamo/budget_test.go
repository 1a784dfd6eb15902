package dynamo_test

import (
	"context"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"useraccounts/internal/directory"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/attempts"
	"useraccounts/internal/dynamo/factors"
	"useraccounts/internal/dynamo/sessions"
	"useraccounts/internal/field"
	"useraccounts/internal/local/localtest"
	"useraccounts/internal/mfa"
	"useraccounts/internal/signin"
	"useraccounts/internal/transfer"
)

// meter counts the calls of a client and the capacity they consume.
type meter struct {
	mu          sync.Mutex
	calls       int
	read, write float64
	// scanned are the items that queries looked at.
	scanned int32
	// refused are the calls that a condition kept from writing.
	refused int

	plain *dynamodb.Client
	table *string
}

func (m *meter) client(t *testing.T) *dynamodb.Client {
	t.Helper()
	o := localtest.Services(t).DynamoDBClient().Options()
	o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
		return s.Initialize.Add(middleware.InitializeMiddlewareFunc("meter", m.handle), middleware.Before)
	})
	return dynamodb.New(o)
}

func (m *meter) handle(
	ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
) (middleware.InitializeOutput, middleware.Metadata, error) {
	const total = types.ReturnConsumedCapacityTotal
	switch p := in.Parameters.(type) {
	case *dynamodb.GetItemInput:
		p.ReturnConsumedCapacity = total
	case *dynamodb.QueryInput:
		p.ReturnConsumedCapacity = total
	case *dynamodb.PutItemInput:
		p.ReturnConsumedCapacity = total
	case *dynamodb.UpdateItemInput:
		p.ReturnConsumedCapacity = total
	case *dynamodb.DeleteItemInput:
		p.ReturnConsumedCapacity = total
	}
	out, md, err := next.HandleInitialize(ctx, in)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	if err != nil {
		m.refused++
	}
	switch p := in.Parameters.(type) {
	case *dynamodb.TransactWriteItemsInput:
		m.write += m.transaction(ctx, p)
	case *dynamodb.BatchGetItemInput:
		m.read += batchUnits(p, out.Result)
	}
	switch r := out.Result.(type) {
	case *dynamodb.GetItemOutput:
		m.read += units(r.ConsumedCapacity)
	case *dynamodb.QueryOutput:
		m.read += units(r.ConsumedCapacity)
		m.scanned += r.ScannedCount
	case *dynamodb.PutItemOutput:
		m.write += units(r.ConsumedCapacity)
	case *dynamodb.UpdateItemOutput:
		m.write += units(r.ConsumedCapacity)
	case *dynamodb.DeleteItemOutput:
		m.write += units(r.ConsumedCapacity)
	}
	return out, md, err
}

// transaction returns what AWS bills for a transaction: two units for each started kilobyte of each item. DynamoDB
// Local reports two for the whole of it, so the items' sizes are looked up.
func (m *meter) transaction(ctx context.Context, p *dynamodb.TransactWriteItemsInput) float64 {
	total := 0.0
	for _, w := range p.TransactItems {
		var it, key map[string]types.AttributeValue
		switch {
		case w.Put != nil:
			it = w.Put.Item
		case w.Update != nil:
			key = w.Update.Key
		case w.ConditionCheck != nil:
			key = w.ConditionCheck.Key
		case w.Delete != nil:
			key = w.Delete.Key // gone by now; ours are below a kilobyte
		}
		if key != nil {
			got, err := m.plain.GetItem(ctx, &dynamodb.GetItemInput{TableName: m.table, Key: key})
			if err == nil {
				it = got.Item
			}
		}
		total += 2 * max(1, math.Ceil(float64(sizeOf(it))/1024))
	}
	return total
}

// batchUnits returns what AWS bills for strong reads: one unit for each started 4 kB of each item, and one for a
// missing one, which DynamoDB Local leaves out.
func batchUnits(p *dynamodb.BatchGetItemInput, result any) float64 {
	out, ok := result.(*dynamodb.BatchGetItemOutput)
	if !ok {
		return 0
	}
	total := 0.0
	for table, asked := range p.RequestItems {
		found := out.Responses[table]
		total += float64(len(asked.Keys) - len(found))
		for _, it := range found {
			total += max(1, math.Ceil(float64(sizeOf(it))/4096))
		}
	}
	return total
}

// sizeOf returns an item's size in bytes as DynamoDB counts it: names and values, three bytes more for a list or a map
// and one for each element.
func sizeOf(it map[string]types.AttributeValue) int {
	total := 0
	for name, value := range it {
		total += len(name) + valueSize(value)
	}
	return total
}

func valueSize(value types.AttributeValue) int {
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		return len(v.Value)
	case *types.AttributeValueMemberB:
		return len(v.Value)
	case *types.AttributeValueMemberN:
		return len(v.Value)/2 + 2
	case *types.AttributeValueMemberM:
		return 3 + len(v.Value) + sizeOf(v.Value)
	case *types.AttributeValueMemberL:
		total := 3 + len(v.Value)
		for _, e := range v.Value {
			total += valueSize(e)
		}
		return total
	}
	return 1
}

func units(c *types.ConsumedCapacity) float64 {
	if c == nil || c.CapacityUnits == nil {
		return 0
	}
	return *c.CapacityUnits
}

// within runs an operation and holds it against its budget: round trips (calls here, as none run in parallel), read and
// write units.
func (m *meter) within(t *testing.T, name string, calls int, read, write float64, operation func()) {
	t.Helper()
	m.calls, m.read, m.write, m.scanned = 0, 0, 0, 0
	operation()
	t.Logf("%-40s %d round trips, %g R, %g W; budget %d, %g R, %g W", name, m.calls, m.read, m.write, calls, read, write)
	if m.calls > calls || m.read > read || m.write > write {
		t.Errorf("%s is over its budget", name)
	}
}

// The budgets of operations are stated here. A change that costs a read or a write more says why in its commit.
func TestOperationsStayWithinTheirBudgets(t *testing.T) {
	f := newFixture(t)
	for i := range 60 {
		f.create(t, fmt.Sprintf("person%02d", i), field.Patch{
			"name": "Somebody With A Name", "mobile": "+44 20 7946 0018", "roles": []string{"EDITOR", "VIEWER"},
			"groups": []string{"STAFF"},
			"dateTo": field.Date("2031-12-31"), "dacGroups": []string{"DAC1"},
		})
	}
	m := &meter{plain: f.table.Client, table: &f.table.Name}
	on := *f
	on.table = &dynamo.Table{Client: m.client(t), Name: f.table.Name}
	on.environments, on.store, on.jobStore = dynamo.NewEnvironments(on.table), dynamo.Accounts{Table: on.table},
		dynamo.Jobs{Table: on.table}
	accounts := *f.accounts
	accounts.Store = on.store
	lister := directory.Service{Store: on.store, Now: time.Now}
	people := f.signin.clone()
	people.Credentials = sessions.NewCredentials(on.table)
	people.Accounts, people.Stats = attempts.Store{Table: on.table}, dynamo.Statistics{Table: on.table}
	people.useSessions(sessions.Store{Table: on.table})

	var session signin.Result
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	// The count of the day is one more call and write, beside the last, so no round trip (internal/signin/stats.go).
	signIn := func() {
		var err error
		session, err = people.Login(t.Context(), "admin", "a long enough secret", signin.ClientInfo{})
		must(err)
	}
	// Reference data says whether the licence lets people in; each process reads it once for each version.
	m.within(t, "sign-in, right password, the first", 5, 3, 6, signIn)
	m.within(t, "sign-in, right password", 4, 2, 6, signIn)
	// The third is the line in the log, with the count of the day beside it, which needs the outcome: why it failed is
	// known after the hash. Counting the network address is one more write beside the first read (TestArrivalsAreCounted).
	for _, who := range []string{"person01", "person01@example.com", "nobody", "nobody@example.com"} {
		m.within(t, "sign-in, wrong: "+who, 4, 2, 3, func() {
			if _, err := people.Login(t.Context(), who, "wrong wrong wrong", signin.ClientInfo{}); err == nil {
				t.Error("signed in")
			}
		})
	}
	_, err := people.Authenticate(t.Context(), session.Access.Reveal()) // reads the reference data once for each process
	must(err)
	m.within(t, "token check", 1, 3, 0, func() {
		_, err := people.Authenticate(t.Context(), session.Access.Reveal())
		must(err)
	})
	m.within(t, "refresh, with its check", 2, 3, 1, func() {
		_, err := people.Refresh(t.Context(), session.Refresh.Reveal(), signin.ClientInfo{})
		must(err)
	})
	scope := f.currentScope(t)
	m.within(t, "list 50, besides the token check", 1, 13, 0, func() {
		found, _, err := lister.Search(t.Context(), scope, directory.Query{Limit: 50})
		must(err)
		if len(found) != 50 {
			t.Errorf("%d accounts", len(found))
		}
	})
	m.within(t, "create, besides the token check", 1, 0, 8, func() {
		_, err := accounts.Create(t.Context(), scope, field.Patch{
			"username": "created", "name": "Created", "email": "created@example.com", "userType": "FULL",
			"roles": []string{"VIEWER"}})
		must(err)
	})
	// Row, anchor and event, and the conditions on the caller and on the rules, at 2 W each.
	m.within(t, "block, besides the token check", 3, 2, 10, func() {
		a := f.create(t, "victim", nil)
		_, err := accounts.Block(t.Context(), scope, a.ID, 0, "Left")
		must(err)
	})
	importBudget(t, &on, m)
}

// What the second step costs: the ticket with its account (3 round trips), the count of the try, and one transaction of
// the ticket, the session, the account's last sign-in and the code's time step.
func TestTheSecondStepStaysWithinItsBudget(t *testing.T) {
	f := newFixture(t)
	o := newOwner(t, f, "owner", nil)
	secret, _ := o.enrol(t)
	o.now = o.now.Add(time.Hour)
	m := &meter{plain: f.table.Client, table: &f.table.Name}
	metered := &dynamo.Table{Client: m.client(t), Name: f.table.Name}
	o.auth.Credentials, o.auth.Accounts = sessions.NewCredentials(metered), attempts.Store{Table: metered}
	o.auth.useSessions(sessions.Store{Table: metered})
	o.auth.useFactors(factors.Store{Table: metered})
	ticket := o.login(t, "").Ticket // reads the reference data once for each process
	m.within(t, "second factor, right code", 5, 4, 9, func() {
		if _, err := o.prove(ticket, mfa.TOTP, codeOf(t, secret, o.now), false); err != nil {
			t.Error(err)
		}
	})
}

// importBudget holds an import of new accounts against 30,400 W for 5,000 rows, in proportion.
func importBudget(t *testing.T, f *fixture, m *meter) {
	t.Helper()
	const rows = 640
	sheet := [][]any{headings()}
	for i := range rows {
		sheet = append(sheet, personRow(fmt.Sprintf("imported%04d", i)))
	}
	j := f.submit(t, transfer.Options{}, sheet...)
	const atTheEnds = 30 // taking the job, its states, the commit
	m.within(t, fmt.Sprintf("import of %d new accounts", rows), 60, 2*rows+20, math.Ceil(rows*30400.0/5000)+atTheEnds,
		func() {
			if err := f.worker().Run(t.Context(), env, j.ID); err != nil {
				t.Fatal(err)
			}
		})
	if got := f.job(t, j.ID); got.State != transfer.Done || got.Counts.Created != rows {
		t.Errorf("%s %+v", got.State, got.Counts)
	}
}
