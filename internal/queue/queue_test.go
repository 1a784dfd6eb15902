package queue_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"useraccounts/internal/local/localtest"
	"useraccounts/internal/queue"
)

// A message is held for as long as its worker lives, however short the lease. When the worker dies, here by an end of
// its renewals, the message comes again after the lease, long before the visibility timeout of the queue.
func TestAHeldMessageComesAgainSoonAfterItsWorkerDied(t *testing.T) {
	t.Parallel()
	client := localtest.Services(t).SQSClient()
	q := queue.Queue{Client: client, URL: localtest.Queue(t, "TransferQueue").URL}
	if err := q.Send(t.Context(), "group", "one", []byte("work")); err != nil {
		t.Fatal(err)
	}
	receive := func(wait int32) string {
		t.Helper()
		out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &q.URL, WaitTimeSeconds: wait})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Messages) == 0 {
			return ""
		}
		return *out.Messages[0].ReceiptHandle
	}
	receipt := receive(20)
	if receipt == "" {
		t.Fatal("no message")
	}
	const lease = 3 * time.Second
	stop := q.Hold(t.Context(), receipt, lease, slog.New(slog.DiscardHandler))
	if receive(5) != "" {
		t.Error("the message was delivered again while its worker lived")
	}
	stop()
	again := ""
	for until := time.Now().Add(20 * lease); again == "" && time.Now().Before(until); {
		again = receive(1)
	}
	if again == "" {
		t.Fatal("the message did not come again")
	}
	if err := q.Return(t.Context(), again, 0); err != nil {
		t.Fatal(err)
	}
	if receive(20) == "" {
		t.Error("the message that was given back did not come at once")
	}
}
