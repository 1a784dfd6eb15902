package systemtest_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/boot"
	"useraccounts/internal/directory"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/attempts"
	"useraccounts/internal/dynamo/sessions"
	"useraccounts/internal/local/localtest"
	"useraccounts/internal/password"
	"useraccounts/internal/phone"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
	"useraccounts/internal/transfer"
)

// inProcessService is what the functions wire, wired in this process: what it asks of the store can be recorded.
type inProcessService struct {
	client    *dynamodb.Client // not recorded
	table     string
	env       string
	recorder  *recorder
	lister    *directory.Service
	signin    *signin.PasswordService
	jobs      dynamo.Jobs
	directory dynamo.Directory
	worker    *transfer.Worker
	files     *memoryFiles
}

func newInProcessService(b *testing.B, tableName, env string) *inProcessService {
	b.Helper()
	table, r := open(b, tableName), &recorder{took: timings{}}
	client := table.Client
	table.Client = r.on(client)
	rules := account.Rules{E164: phone.E164}
	environments, store := dynamo.NewEnvironments(table), dynamo.Accounts{Table: table}
	p := &inProcessService{client: client, table: tableName, env: env, recorder: r,
		files: &memoryFiles{stored: map[string][]byte{}}}
	p.lister = &directory.Service{Store: store, Now: time.Now}
	authenticator := &signin.TokenAuthenticator{EnvID: env, Credentials: sessions.NewCredentials(table), Now: time.Now}
	p.signin = &signin.PasswordService{
		Steps: &signin.Steps{
			Attempts: &signin.Attempts{
				TokenAuthenticator: authenticator,
				Accounts:           attempts.Store{Table: table},
				NewID:              token.NewID,
				Sleep:              signin.Sleep,
			},
			Sessions: sessions.Store{Table: table},
			Random:   rand.Reader,
		},
		Passwords: account.PasswordSetter{Passwords: password.Argon2id{}, Verifier: password.Argon2id{}},
	}
	p.jobs, p.directory = dynamo.Jobs{Table: table},
		dynamo.Directory{Accounts: store, Environments: environments, Now: time.Now}
	p.worker = &transfer.Worker{
		Jobs: p.jobs, Staging: dynamo.Imports{Jobs: p.jobs, Accounts: store, Environments: environments},
		Directory: p.directory,
		Files:     p.files, Rules: rules, Log: slog.New(slog.DiscardHandler), Now: time.Now, NewID: token.NewIDString,
		Scheduler: transfer.Scheduler{Jobs: p.jobs, Now: time.Now},
	}
	return p
}

// open opens a table with the client that functions have.
func open(b *testing.B, tableName string) *dynamo.Table {
	b.Helper()
	given := map[string]string{}
	for _, variable := range localtest.Services(b).Environment() {
		name, value, _ := strings.Cut(variable, "=")
		given[name] = value
	}
	var cfg boot.AWS
	must(b, boot.LoadFrom(&cfg, func(name string) (string, bool) { value, ok := given[name]; return value, ok }))
	return dynamo.Open(cfg.Config(boot.DynamoDB), tableName)
}

// scope is the administrator's scope, as of now.
func (p *inProcessService) scope(b *testing.B) access.Scope {
	b.Helper()
	env, err := p.directory.Environments.Environment(b.Context(), p.env)
	must(b, err)
	found, err := p.directory.AccountsByUsername(b.Context(), env, 0, []string{"admin"})
	must(b, err)
	scope, err := p.directory.Actor(b.Context(), p.env, found[0].Account.ID)
	must(b, err)
	return scope
}

// recorder keeps what is asked of the store, and how long the answers took.
type recorder struct {
	mu    sync.Mutex
	calls []any
	took  timings
	// beside is done before and after calls in turn; nil for nothing.
	beside func(call any)
}

func (r *recorder) on(client *dynamodb.Client) *dynamodb.Client {
	o := client.Options()
	o.APIOptions = append(slices.Clone(o.APIOptions), func(s *middleware.Stack) error {
		return s.Initialize.Add(middleware.InitializeMiddlewareFunc("recorder", r.handle), middleware.Before)
	})
	return dynamodb.New(o)
}

func (r *recorder) handle(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
	middleware.InitializeOutput, middleware.Metadata, error,
) {
	r.mu.Lock()
	before := len(r.calls)%2 == 0
	r.calls = append(r.calls, in.Parameters)
	r.mu.Unlock()
	if before && r.beside != nil {
		r.beside(in.Parameters)
	}
	began := time.Now()
	out, md, err := next.HandleInitialize(ctx, in)
	took := time.Since(began)
	if !before && r.beside != nil {
		r.beside(in.Parameters)
	}
	kind := fmt.Sprintf("%T", in.Parameters)
	r.mu.Lock()
	r.took[kind] = append(r.took[kind], took)
	r.mu.Unlock()
	return out, md, err
}

// record returns what a deed asks of the store.
func (p *inProcessService) record(operation func()) []any {
	p.recorder.calls, p.recorder.took = nil, timings{}
	operation()
	return p.recorder.calls
}

// replayBare asks the same of the store again, one after another, with nothing of ours around it and no conditions on
// writes.
func replayBare(b *testing.B, client *dynamodb.Client, table string, calls []any) {
	b.Helper()
	for _, call := range calls {
		var err error
		switch p := call.(type) {
		case *dynamodb.BatchGetItemInput:
			asked := map[string]types.KeysAndAttributes{}
			for _, keys := range p.RequestItems {
				asked[table] = keys
			}
			_, err = client.BatchGetItem(b.Context(), &dynamodb.BatchGetItemInput{RequestItems: asked})
		case *dynamodb.QueryInput:
			again := *p
			again.TableName = &table
			_, err = client.Query(b.Context(), &again)
		case *dynamodb.UpdateItemInput:
			_, err = client.UpdateItem(b.Context(), &dynamodb.UpdateItemInput{
				TableName: &table, Key: p.Key, UpdateExpression: p.UpdateExpression, ReturnValues: p.ReturnValues,
				ExpressionAttributeValues: used(p.ExpressionAttributeValues, p.UpdateExpression),
				ExpressionAttributeNames:  used(p.ExpressionAttributeNames, p.UpdateExpression),
			})
		case *dynamodb.TransactWriteItemsInput:
			_, err = client.TransactWriteItems(b.Context(),
				&dynamodb.TransactWriteItemsInput{TransactItems: unconditional(table, p.TransactItems)})
		default:
			b.Fatalf("nobody said how to do %T again", call)
		}
		must(b, err)
	}
}

func unconditional(table string, items []types.TransactWriteItem) []types.TransactWriteItem {
	out := make([]types.TransactWriteItem, len(items))
	for i, it := range items {
		switch {
		case it.Put != nil:
			out[i].Put = &types.Put{TableName: &table, Item: it.Put.Item}
		case it.Update != nil:
			out[i].Update = &types.Update{
				TableName: &table, Key: it.Update.Key, UpdateExpression: it.Update.UpdateExpression,
				ExpressionAttributeValues: used(it.Update.ExpressionAttributeValues, it.Update.UpdateExpression),
				ExpressionAttributeNames:  used(it.Update.ExpressionAttributeNames, it.Update.UpdateExpression),
			}
		default:
			out[i] = it
		}
	}
	return out
}

var placeholder = regexp.MustCompile(`[:#]\w+`)

// used leaves the placeholders that the expression has: the store refuses others.
func used[V any](given map[string]V, expression *string) map[string]V {
	out := maps.Clone(given)
	names := placeholder.FindAllString(aws.ToString(expression), -1)
	maps.DeleteFunc(out, func(name string, _ V) bool { return !slices.Contains(names, name) })
	if len(out) == 0 {
		return nil
	}
	return out
}

// capacityUnits returns the capacity that AWS bills for calls: a unit for each item read strongly (ours are
// below 4 kB), two for each started kilobyte of each item of a transaction (an updated one is below one).
func capacityUnits(calls []any) (read, write float64) {
	for _, call := range calls {
		switch p := call.(type) {
		case *dynamodb.BatchGetItemInput:
			for _, keys := range p.RequestItems {
				read += float64(len(keys.Keys))
			}
		case *dynamodb.GetItemInput, *dynamodb.QueryInput:
			read++
		case *dynamodb.UpdateItemInput, *dynamodb.PutItemInput:
			write++
		case *dynamodb.TransactWriteItemsInput:
			for _, it := range p.TransactItems {
				size := 1
				if it.Put != nil {
					size = itemSize(&types.AttributeValueMemberM{Value: it.Put.Item})
				}
				write += 2 * math.Ceil(float64(size)/1024)
			}
		}
	}
	return read, write
}

func itemSize(value types.AttributeValue) int {
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		return len(v.Value)
	case *types.AttributeValueMemberB:
		return len(v.Value)
	case *types.AttributeValueMemberN:
		return len(v.Value)/2 + 2
	case *types.AttributeValueMemberM:
		total := 3
		for name, inner := range v.Value {
			total += 1 + len(name) + itemSize(inner)
		}
		return total
	case *types.AttributeValueMemberL:
		total := 3
		for _, inner := range v.Value {
			total += 1 + itemSize(inner)
		}
		return total
	}
	return 1
}

// memoryFiles is the object store of a worker in this process.
type memoryFiles struct{ stored map[string][]byte }

// Get implements transfer.Files.
func (m *memoryFiles) Get(_ context.Context, f transfer.File) ([]byte, error) {
	return m.stored[f.Key], nil
}

// Put implements transfer.Files.
func (m *memoryFiles) Put(_ context.Context, key, _ string, body []byte) error {
	m.stored[key] = body
	return nil
}

var _ transfer.Files = (*memoryFiles)(nil)
