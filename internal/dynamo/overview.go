package dynamo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/go-json-experiment/json"
	"golang.org/x/sync/errgroup"

	"useraccounts/internal/apikey"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/environment"
	"useraccounts/internal/overview"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
	"useraccounts/internal/transfer"
)

// Statistics keeps the cached figures of the home page and the daily counts, and reads what the page shows live.
type Statistics struct {
	*table.Table
}

var (
	_ overview.StatsCache = Statistics{}
	_ overview.LiveReader = Statistics{}
	_ signin.Stats        = Statistics{}
)

// Load implements overview.StatsCache.
func (s Statistics) Load(ctx context.Context, env string) (overview.Stats, time.Time, error) {
	it, err := s.Get(ctx, schema.OverviewKey(env))
	if err != nil || it["body"] == nil {
		return overview.Stats{}, table.Time(it, "leased"), err
	}
	var f overview.Stats
	if err := json.Unmarshal([]byte(table.String(it, "body")), &f); err != nil {
		return overview.Stats{}, time.Time{}, fmt.Errorf("read figures: %w", err)
	}
	return f, table.Time(it, "leased"), nil
}

// AcquireLease implements overview.StatsCache.
func (s Statistics) AcquireLease(ctx context.Context, env string, now, until time.Time) (bool, error) {
	_, err := s.UpdateRetrying(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: schema.OverviewKey(env).Attributes(), UpdateExpression: aws.String("SET leased = :until"),
		ConditionExpression:       aws.String("attribute_not_exists(leased) OR leased <= :now"),
		ExpressionAttributeValues: table.Item{":until": table.Timestamp(until), ":now": table.Timestamp(now)},
	})
	got, _, err := table.ConditionHeld(err)
	return got, err
}

// Save implements overview.StatsCache.
func (s Statistics) Save(ctx context.Context, env string, f overview.Stats) error {
	body, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("write figures: %w", err)
	}
	_, err = s.UpdateRetrying(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: schema.OverviewKey(env).Attributes(),
		UpdateExpression:          aws.String("SET body = :body, counted = :at REMOVE leased"),
		ConditionExpression:       aws.String("attribute_not_exists(counted) OR counted < :at"),
		ExpressionAttributeValues: table.Item{":body": table.S(string(body)), ":at": table.Timestamp(f.At)},
	})
	_, _, err = table.ConditionHeld(err)
	return err
}

const (
	// dailyCountShards is how many items share a day's count of sign-ins. Each is in a partition of its own, so that
	// a busy morning meets no hot item.
	dailyCountShards = 8
	// dailyCountRetention is how long the daily counts are kept: a year, and the month to compare it with.
	dailyCountRetention = 400 * 24 * time.Hour
)

// CountSignIn implements signin.Stats: one write, the same for success and failure.
func (s Statistics) CountSignIn(ctx context.Context, env string, now time.Time, failed bool) error {
	signIns, failures := int64(1), int64(0)
	if failed {
		signIns, failures = 0, 1
	}
	_, err := s.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name,
		Key: schema.DailyCountKey(env, table.RandomBelow(dailyCountShards),
			now.UTC().Format(time.DateOnly)).Attributes(),
		UpdateExpression:         aws.String("SET #ttl = :ttl ADD signIns :signIns, failures :failures"),
		ExpressionAttributeNames: map[string]string{"#ttl": "ttl"},
		ExpressionAttributeValues: table.Item{
			":ttl":     table.N(now.UTC().Truncate(24 * time.Hour).Add(dailyCountRetention).Unix()),
			":signIns": table.N(signIns), ":failures": table.N(failures)},
	})
	return table.WrapError("write", err)
}

// Days implements overview.LiveReader: a query of each shard, in parallel.
func (s Statistics) Days(ctx context.Context, env string, days []string) ([]overview.Day, error) {
	out := make([]overview.Day, len(days))
	at := map[string]*overview.Day{}
	for i, day := range days {
		out[i].Date = day
		at[day] = &out[i]
	}
	if len(days) == 0 {
		return nil, nil
	}
	found := make([][]table.Item, dailyCountShards)
	group, ctx := errgroup.WithContext(ctx)
	for n := range found {
		group.Go(func() error {
			read, err := s.Client.Query(ctx, &dynamodb.QueryInput{
				TableName: &s.Name, ConsistentRead: aws.Bool(true),
				KeyConditionExpression: aws.String("PK = :pk AND SK BETWEEN :from AND :until"),
				ExpressionAttributeValues: table.Item{":pk": table.S(schema.DailyCountPK(env, n)), ":from": table.S(days[0]),
					":until": table.S(days[len(days)-1])},
			})
			if err != nil {
				return table.WrapError("read", err)
			}
			found[n] = read.Items
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, items := range found {
		for _, it := range items {
			if day := at[table.String(it, "SK")]; day != nil {
				day.SignIns += table.Int(it, "signIns")
				day.Failures += table.Int(it, "failures")
			}
		}
	}
	return out, nil
}

// newestOwnJobs is among how many of somebody's newest jobs the unfinished ones are looked for.
const newestOwnJobs = 100

// ownJobs returns up to limit of somebody's jobs that were submitted and have not ended, in the order of submission. It
// reads the person's own jobs only, however many others wait (V96).
func (s Statistics) ownJobs(ctx context.Context, env, byID string, limit int) ([]overview.Job, error) {
	found, _, err := Jobs(s).OwnJobs(ctx, env, byID, "", newestOwnJobs)
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(j transfer.Job) bool { return j.State.Ended() || j.Submitted.IsZero() })
	slices.SortFunc(found, func(a, b transfer.Job) int { return a.Submitted.Compare(b.Submitted) })
	var out []overview.Job
	for _, j := range found[:min(limit, len(found))] {
		out = append(out, shownJob(j))
	}
	return out, nil
}

func shownJob(j transfer.Job) overview.Job {
	return overview.Job{ID: j.ID, Kind: string(j.Kind), State: string(j.State), By: j.By, Submitted: j.Submitted}
}

// Jobs implements overview.LiveReader. All jobs are read from the queue.
func (s Statistics) Jobs(ctx context.Context, env, byID string, limit int) ([]overview.Job, error) {
	if byID != "" {
		return s.ownJobs(ctx, env, byID, limit)
	}
	var out []overview.Job
	for after, more := "", true; more && len(out) < limit; {
		places, next, err := s.Query(ctx, table.Query{PK: schema.JobQueuePK(env), After: after, Limit: table.MaxBatchGet})
		if err != nil {
			return nil, err
		}
		keys := make([]table.Key, len(places))
		for i, place := range places {
			keys[i], after = schema.JobKey(env, table.String(place, "job")), table.String(place, "SK")
		}
		items, err := s.BatchGet(ctx, keys)
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			if it == nil {
				continue
			}
			j, err := jobOf(env, it)
			if err != nil {
				return nil, err
			}
			if !j.State.Ended() && len(out) < limit {
				out = append(out, shownJob(j))
			}
		}
		more = next
	}
	return out, nil
}

// Keys implements overview.LiveReader. Locked keys have an entry among those that expire too, so each key is read.
func (s Statistics) Keys(
	ctx context.Context, env environment.Environment, from, until time.Time, limit int,
) ([]overview.Key, int, error) {
	var found []overview.Key
	count := 0
	for after, places := "", []apikey.ExpiringKey(nil); ; {
		var err error
		places, after, err = Reminders{Accounts: Accounts(s)}.ExpiringKeys(ctx, env.ID, from, until, after, table.MaxBatchGet)
		if err != nil {
			return nil, 0, err
		}
		keys := make([]table.Key, len(places))
		for i, place := range places {
			keys[i] = schema.APIKeyKey(place.AccountID, place.KeyID)
		}
		items, err := s.BatchGet(ctx, keys)
		if err != nil {
			return nil, 0, err
		}
		for i, it := range items {
			if it == nil || !schema.APIKeyOf(places[i].AccountID, it).Locked.IsZero() {
				continue
			}
			if count++; len(found) < limit {
				found = append(found, expiringKey(schema.APIKeyOf(places[i].AccountID, it)))
			}
		}
		if after == "" || count >= overview.MaxKeys {
			break
		}
	}
	return found, min(count, overview.MaxKeys), s.fillUsernames(ctx, env, found)
}

func expiringKey(k session.APIKey) overview.Key {
	return overview.Key{ID: k.ID, Description: k.Description, AccountID: k.AccountID, Expires: k.Expires}
}

// fillUsernames fills in the usernames of the keys' owners.
func (s Statistics) fillUsernames(ctx context.Context, env environment.Environment, found []overview.Key) error {
	anchors := make([]table.Key, len(found))
	for i, k := range found {
		anchors[i] = schema.AnchorKey(k.AccountID)
	}
	items, err := s.BatchGet(ctx, anchors)
	if err != nil {
		return err
	}
	for i, it := range items {
		if a, ok := schema.AnchorOf(it, schema.VisibleAt(env.Imports, it)); ok {
			found[i].Username = a.Username
		}
	}
	return nil
}
