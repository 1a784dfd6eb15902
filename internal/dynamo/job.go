package dynamo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/go-json-experiment/json"

	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/fault"
	"useraccounts/internal/transfer"
)

// Jobs keeps imports and exports. What conditions look at are attributes; the rest of a job is one JSON text, so that
// the item stays below the kilobyte of one write unit.
type Jobs struct {
	*table.Table
}

var (
	_ transfer.JobStore       = Jobs{}
	_ transfer.WorkerJobStore = Jobs{}
)

func jobItem(j transfer.Job) (table.Item, error) {
	body, err := json.Marshal(j)
	if err != nil {
		return nil, fmt.Errorf("write job: %w", err)
	}
	k := schema.JobKey(j.Env, j.ID)
	return table.Item{
		"PK": table.S(k.PK), "SK": table.S(k.SK), "body": table.S(string(body)), "state": table.S(string(j.State)),
		"epoch": table.N(j.Epoch), schema.AttrImportID: table.N(j.ImportID), "next": table.N(int64(j.NextRow)),
		"ttl": jobTTL(j),
	}, nil
}

func jobOf(env string, it table.Item) (transfer.Job, error) {
	var j transfer.Job
	if err := json.Unmarshal([]byte(table.String(it, "body")), &j); err != nil {
		return transfer.Job{}, fmt.Errorf("read job: %w", err)
	}
	j.Env, j.ID, j.State = env, table.String(it, "SK"), transfer.State(table.String(it, "state"))
	j.Epoch, j.ImportID, j.NextRow = table.Int(it, "epoch"), table.Int(it, schema.AttrImportID), int(table.Int(it, "next"))
	j.MessageSent, j.CancelRequested = table.Bool(it, "queued"), table.Bool(it, "cancel")
	j.UndoJobID, j.Undone = table.String(it, "undoing"), table.Bool(it, "undone")
	j.File.Key = j.UploadKey()
	return j, nil
}

// Create implements transfer.JobStore.
func (s Jobs) Create(ctx context.Context, j transfer.Job) error {
	it, err := jobItem(j)
	if err != nil {
		return err
	}
	items := []types.TransactWriteItem{
		{Put: &types.Put{TableName: &s.Name, Item: it, ConditionExpression: aws.String("attribute_not_exists(PK)")}},
		{Put: &types.Put{TableName: &s.Name, Item: ownJobItem(j)}},
	}
	if j.State == transfer.Submitted {
		return s.submit(ctx, j, items...)
	}
	return s.Transact(ctx, items)
}

// ownJobItem is the entry of a job among those of its owner.
func ownJobItem(j transfer.Job) table.Item {
	it := schema.OwnJobKey(j.Env, j.ByID, j.ID).Attributes()
	it["ttl"] = jobTTL(j)
	return it
}

// Job implements transfer.JobStore.
func (s Jobs) Job(ctx context.Context, env, id string) (transfer.Job, error) {
	it, err := s.Get(ctx, schema.JobKey(env, id))
	if err != nil {
		return transfer.Job{}, err
	}
	if it == nil {
		return transfer.Job{}, fault.New(fault.NotFound, "notFound", "There is no such job.")
	}
	return jobOf(env, it)
}

// Jobs implements transfer.JobStore.
func (s Jobs) Jobs(ctx context.Context, env, after string, limit int) ([]transfer.Job, string, error) {
	return s.page(ctx, env, schema.JobPK(env), after, limit, jobOf)
}

// OwnJobs implements transfer.JobStore. It reads as much whatever others have stored. In an environment that is not
// upgraded yet it looks for the person's jobs among the next of all.
func (s Jobs) OwnJobs(ctx context.Context, env, owner, after string, limit int) ([]transfer.Job, string, error) {
	ready, err := s.Get(ctx, schema.OwnJobsReadyKey(env))
	if err != nil {
		return nil, "", err
	}
	if ready == nil {
		jobs, next, err := s.Jobs(ctx, env, after, notReadyPageSize)
		own := slices.DeleteFunc(jobs, func(j transfer.Job) bool { return j.ByID != owner })
		if len(own) > limit {
			own = own[:limit]
			next = own[limit-1].ID
		}
		return own, next, err
	}
	entries, next, err := s.page(ctx, env, schema.OwnJobsPK(env, owner), after, limit,
		func(_ string, it table.Item) (transfer.Job, error) {
			return transfer.Job{ID: table.String(it, "SK")}, nil
		})
	if err != nil || len(entries) == 0 {
		return nil, next, err
	}
	keys := make([]table.Key, len(entries))
	for i, entry := range entries {
		keys[i] = schema.JobKey(env, entry.ID)
	}
	items, err := s.BatchGet(ctx, keys)
	if err != nil {
		return nil, "", err
	}
	out := make([]transfer.Job, 0, len(items))
	for _, it := range items {
		if it == nil { // it has just expired
			continue
		}
		j, err := jobOf(env, it)
		if err != nil {
			return nil, "", err
		}
		out = append(out, j)
	}
	return out, next, nil
}

// notReadyPageSize is how many jobs are looked at for those of one person, in an environment that is not upgraded yet.
const notReadyPageSize = 200

// page reads a page of a partition, newest first, and the id to go on from.
func (s Jobs) page(
	ctx context.Context, env, pk, after string, limit int, decode func(env string, it table.Item) (transfer.Job, error),
) ([]transfer.Job, string, error) {
	items, more, err := s.Query(ctx, table.Query{PK: pk, After: after, Backwards: true, Limit: limit})
	if err != nil {
		return nil, "", err
	}
	out := make([]transfer.Job, len(items))
	for i, it := range items {
		if out[i], err = decode(env, it); err != nil {
			return nil, "", err
		}
	}
	if !more || len(out) == 0 {
		return out, "", nil
	}
	return out, out[len(out)-1].ID, nil
}

// update changes a job's item under a condition; ErrSuperseded if the condition does not hold.
func (s Jobs) update(ctx context.Context, env, id, update, condition string, values table.Item) (table.Item, error) {
	in := &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: schema.JobKey(env, id).Attributes(), UpdateExpression: &update,
		ConditionExpression:       &condition,
		ExpressionAttributeValues: values, ExpressionAttributeNames: reservedNames(update + " " + condition),
		ReturnValues: types.ReturnValueAllNew,
	}
	out, err := s.Client.UpdateItem(ctx, in)
	held, _, err := table.ConditionHeld(err)
	if err != nil {
		return nil, err
	}
	if !held {
		return nil, transfer.ErrSuperseded
	}
	return out.Attributes, nil
}

// Transition implements transfer.JobStore.
func (s Jobs) Transition(ctx context.Context, j transfer.Job, from transfer.State) error {
	it, err := jobItem(j)
	if err != nil {
		return err
	}
	update, condition := "SET body = :body, #state = :state", "#state = :from"
	values := table.Item{":body": it["body"], ":state": it["state"], ":from": table.S(string(from))}
	if j.State == transfer.Submitted {
		return s.submit(ctx, j, types.TransactWriteItem{Update: &types.Update{
			TableName: &s.Name, Key: schema.JobKey(j.Env, j.ID).Attributes(), UpdateExpression: &update,
			ConditionExpression:       &condition,
			ExpressionAttributeValues: values, ExpressionAttributeNames: reservedNames(update + " " + condition),
		}})
	}
	_, err = s.update(ctx, j.Env, j.ID, update, condition, values)
	return err
}

// SetFlag implements transfer.JobStore.
func (s Jobs) SetFlag(ctx context.Context, j transfer.Job, what transfer.Flag) error {
	values := table.Item{":yes": table.BOOL(true)}
	condition := "attribute_exists(PK)" + notEnded(values)
	if what == transfer.FlagCancelRequested {
		condition += " AND #state <> :rolling"
		values[":rolling"] = table.S(string(transfer.RollingBack))
	}
	_, err := s.update(ctx, j.Env, j.ID, "SET "+string(what)+" = :yes", condition, values)
	return err
}

// notEnded is the part of a condition that says that the job has not ended.
func notEnded(values table.Item) string {
	condition := ""
	for i, end := range finalStates() {
		name := fmt.Sprintf(":end%d", i)
		condition += " AND #state <> " + name
		values[name] = table.S(string(end))
	}
	return condition
}

func finalStates() []transfer.State {
	return []transfer.State{transfer.Done, transfer.Refused, transfer.Cancelled, transfer.Failed}
}

// Claim implements transfer.WorkerJobStore.
func (s Jobs) Claim(ctx context.Context, env, id string) (transfer.Job, error) {
	it, err := s.update(ctx, env, id, "SET epoch = epoch + :one", "attribute_exists(PK)", table.Item{":one": table.N(1)})
	if errors.Is(err, transfer.ErrSuperseded) {
		return transfer.Job{}, fault.New(fault.NotFound, "notFound", "There is no such job.")
	}
	if err != nil {
		return transfer.Job{}, err
	}
	return jobOf(env, it)
}

// CancelRequested implements transfer.WorkerJobStore.
func (s Jobs) CancelRequested(ctx context.Context, env, id string) (bool, error) {
	j, err := s.Job(ctx, env, id)
	return j.CancelRequested, err
}

// Save implements transfer.WorkerJobStore. A job that a person cancelled before its worker started stays cancelled.
func (s Jobs) Save(ctx context.Context, j transfer.Job) error {
	set, values, err := jobUpdate(j)
	if err != nil {
		return err
	}
	_, err = s.update(ctx, j.Env, j.ID, set, "epoch = :epoch"+notEnded(values), values)
	return err
}

func jobUpdate(j transfer.Job) (string, table.Item, error) {
	it, err := jobItem(j)
	if err != nil {
		return "", nil, err
	}
	return "SET body = :body, #state = :state, #next = :next, imp = :imp", table.Item{
		":body": it["body"], ":state": it["state"], ":epoch": it["epoch"], ":next": it["next"],
		":imp": it[schema.AttrImportID],
	}, nil
}

// reservedNames returns the attribute names of an expression that has placeholders for reserved words.
func reservedNames(expression string) map[string]string {
	out := map[string]string{}
	for _, name := range []string{"state", "next", "row"} {
		if strings.Contains(expression, "#"+name) {
			out["#"+name] = name
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
