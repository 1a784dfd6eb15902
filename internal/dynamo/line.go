package dynamo

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/transfer"
)

var _ transfer.Line = Jobs{}

// lineTime puts places in the line in the order of the submits.
const lineTime = "20060102T150405.000Z"

func linePlace(j transfer.Job) key {
	return lineKey(j.Env, j.Submitted.UTC().Format(lineTime), j.ID)
}

// lineUp is the job's place in the line of those that were submitted, written with the submit.
func (s Jobs) lineUp(j transfer.Job) types.TransactWriteItem {
	it := linePlace(j).attributes()
	it["job"] = str(j.ID)
	return types.TransactWriteItem{Put: &types.Put{TableName: &s.Name, Item: it}}
}

// Line implements transfer.Line. The places of jobs that have ended are taken away here, so that no end of a job has to.
func (s Jobs) Line(ctx context.Context, env string) ([]transfer.Job, error) {
	places, err := s.queryAll(ctx, page{pk: linePK(env)})
	if err != nil {
		return nil, err
	}
	keys := make([]key, len(places))
	for i, place := range places {
		keys[i] = jobKey(env, text(place, "job"))
	}
	items, err := s.getAll(ctx, keys)
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
		_, err := s.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &s.Name, Key: key{linePK(env), text(places[i], "SK")}.attributes()})
		if err != nil {
			return nil, store("write", err)
		}
	}
	return out, nil
}

// keptUntil is when a job is swept: after the days that the environment keeps its log.
func keptUntil(j transfer.Job) types.AttributeValue {
	days := j.KeptDays
	if days <= 0 {
		days = maxKeptDays
	}
	return num(j.Created.Add(time.Duration(days) * 24 * time.Hour).Unix())
}

// maxKeptDays is for jobs that do not say how long they are kept.
const maxKeptDays = 3650

// submitting writes a job together with its place in the line.
func (s Jobs) submitting(ctx context.Context, job types.TransactWriteItem, j transfer.Job) error {
	err := s.transact(ctx, []types.TransactWriteItem{job, s.lineUp(j)})
	var cancelled *errCancelled
	if errors.As(err, &cancelled) {
		return transfer.ErrLost
	}
	return err
}
