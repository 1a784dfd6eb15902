package dynamo

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/transfer"
)

var _ transfer.JobQueue = Jobs{}

// queueTimeFormat sorts the entries of the queue by the time of submission.
const queueTimeFormat = "20060102T150405.000Z"

func queueEntryKey(j transfer.Job) table.Key {
	return schema.JobQueueKey(j.Env, j.Submitted.UTC().Format(queueTimeFormat), j.ID)
}

// queueEntryItem is the job's entry in the queue, which is written when it is submitted.
func (s Jobs) queueEntryItem(j transfer.Job) types.TransactWriteItem {
	it := queueEntryKey(j).Attributes()
	it["job"] = table.S(j.ID)
	return types.TransactWriteItem{Put: &types.Put{TableName: &s.Name, Item: it}}
}

// UnfinishedJobs implements transfer.JobQueue. It removes the entries of jobs that have ended, so that whatever ends
// a job need not.
func (s Jobs) UnfinishedJobs(ctx context.Context, env string) ([]transfer.Job, error) {
	places, err := s.QueryAll(ctx, table.Query{PK: schema.JobQueuePK(env)})
	if err != nil {
		return nil, err
	}
	keys := make([]table.Key, len(places))
	for i, place := range places {
		keys[i] = schema.JobKey(env, table.String(place, "job"))
	}
	items, err := s.BatchGet(ctx, keys)
	if err != nil {
		return nil, err
	}
	var out []transfer.Job
	for i, it := range items {
		if it != nil {
			j, err := jobOf(env, it)
			if err != nil {
				return nil, err
			}
			if !j.State.Ended() {
				out = append(out, j)
				continue
			}
		}
		_, err := s.Client.DeleteItem(ctx,
			&dynamodb.DeleteItemInput{TableName: &s.Name,
				Key: table.NewKey(schema.JobQueuePK(env), table.String(places[i], "SK")).Attributes()})
		if err != nil {
			return nil, table.WrapError("write", err)
		}
	}
	return out, nil
}

// jobTTL is when a job expires: after the days that the environment keeps its log.
func jobTTL(j transfer.Job) types.AttributeValue {
	days := j.RetentionDays
	if days <= 0 {
		days = maxRetentionDays
	}
	return table.N(j.Created.Add(time.Duration(days) * 24 * time.Hour).Unix())
}

// maxRetentionDays is for jobs that do not say how long they are kept.
const maxRetentionDays = 3650

// submit writes a job together with its entry in the queue.
func (s Jobs) submit(ctx context.Context, j transfer.Job, job ...types.TransactWriteItem) error {
	err := s.Transact(ctx, append(job, s.queueEntryItem(j)))
	var cancelled *table.CancelledError
	if errors.As(err, &cancelled) {
		return transfer.ErrSuperseded
	}
	return err
}
