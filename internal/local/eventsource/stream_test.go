package eventsource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

func records(n int) []types.Record {
	out := make([]types.Record, n)
	for i := range out {
		number := fmt.Sprint(i + 1)
		out[i] = types.Record{EventName: types.OperationTypeInsert, Dynamodb: &types.StreamRecord{
			SequenceNumber: &number,
			Keys: map[string]types.AttributeValue{"PK": &types.AttributeValueMemberS{Value: "W#main"},
				"SK": &types.AttributeValueMemberS{Value: number}},
		}}
	}
	return out
}

// numbers reads which records an invocation was given, by their sort keys.
func numbers(t *testing.T, payload []byte) []string {
	t.Helper()
	var event struct {
		Records []struct {
			Dynamodb struct {
				Keys struct{ SK struct{ S string } }
			}
		}
	}
	if err := json.Unmarshal(payload, &event); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range event.Records {
		out = append(out, r.Dynamodb.Keys.SK.S)
	}
	return out
}

// A batch goes on from the record that failed, is halved where the function fails as a whole, and what never succeeds
// ends in the queue of failures alone.
func TestStreamDelivery(t *testing.T) {
	var calls [][]string
	var givenUp []string
	f := &StreamPoller{
		OnFailure: func(_ context.Context, body string) error { givenUp = append(givenUp, body); return nil },
		Function:  "mailer", ARN: "arn:stream", Bisects: true, ReportsPartialFailures: true, Retries: 2,
		Retry: time.Millisecond, Log: slog.New(slog.DiscardHandler),
	}
	f.Invoke = func(_ context.Context, payload []byte) ([]byte, error) {
		got := numbers(t, payload)
		calls = append(calls, got)
		if slices.Contains(got, "3") {
			return nil, errors.New("poisoned")
		}
		return nil, nil
	}
	f.deliver(t.Context(), "shard", records(4))
	if want := [][]string{{"1", "2", "3", "4"}, {"1", "2"}, {"3", "4"}, {"3"}, {"3"}, {"3"},
		{"4"}}; fmt.Sprint(calls) != fmt.Sprint(want) {
		t.Errorf("calls %v, want %v", calls, want)
	}
	if len(givenUp) != 1 {
		t.Fatalf("given up: %v", givenUp)
	}
	var told struct {
		DDBStreamBatchInfo struct {
			StartSequenceNumber string `json:"startSequenceNumber"`
			BatchSize           int    `json:"batchSize"`
		}
	}
	if err := json.Unmarshal([]byte(givenUp[0]), &told); err != nil ||
		told.DDBStreamBatchInfo.StartSequenceNumber != "3" || told.DDBStreamBatchInfo.BatchSize != 1 {
		t.Errorf("%s, %v", givenUp[0], err)
	}

	calls = nil
	failing := true
	f.Invoke = func(_ context.Context, payload []byte) ([]byte, error) {
		calls = append(calls, numbers(t, payload))
		if failing {
			failing = false
			return []byte(`{"batchItemFailures":[{"itemIdentifier":"3"}]}`), nil
		}
		return nil, nil
	}
	f.deliver(t.Context(), "shard", records(4))
	if want := [][]string{{"1", "2", "3", "4"}, {"3", "4"}}; fmt.Sprint(calls) != fmt.Sprint(want) {
		t.Errorf("calls %v, want %v", calls, want)
	}
}

// A clock runs the function at once and then again, whether it failed or not.
func TestClock(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	runs := 0
	c := &Scheduler{Function: "reminder", Rule: "Daily", Every: time.Millisecond, Log: slog.New(slog.DiscardHandler),
		Invoke: func(_ context.Context, payload []byte) ([]byte, error) {
			var event struct{ Source string }
			if err := json.Unmarshal(payload, &event); err != nil || event.Source != "aws.events" {
				t.Errorf("%s, %v", payload, err)
			}
			if runs++; runs == 3 {
				stop()
			}
			return nil, errors.New("failed")
		}}
	c.Run(ctx)
	if runs != 3 {
		t.Errorf("%d runs", runs)
	}
}
