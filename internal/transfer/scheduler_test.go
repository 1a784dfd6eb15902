package transfer_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/sheet"
	"useraccounts/internal/transfer"
)

// queuedJob returns a job in the queue that was submitted so many minutes after now.
func queuedJob(id string, minute int, queue bool, state transfer.State) transfer.Job {
	return transfer.Job{
		ID: id, Env: "test", Kind: transfer.Export, State: state, MessageSent: true,
		Submitted: now.Add(time.Duration(minute) * time.Minute),
		Options:   transfer.Options{Queue: queue, DateFormat: sheet.ISO}, ByID: "9",
	}
}

// A queued job runs only when all that were submitted before it have ended, queued or not, however often its message
// comes.
func TestAQueuedJobWaitsForItsTurn(t *testing.T) {
	for _, ahead := range []transfer.Job{queuedJob("a", -1, false, transfer.Writing),
		queuedJob("b", -1, true, transfer.Submitted)} {
		b := newFakeBackend(existingAccount("one"))
		b.submitExport(sheet.ISO)
		b.job.Options.Queue = true
		b.jobsBefore = []transfer.Job{ahead}
		for range 2 {
			if err := b.run(); err != nil || b.job.State != transfer.Submitted || b.count("page") > 0 {
				t.Errorf("behind %s: %v, %s", ahead.ID, err, b.job.State)
			}
		}
		b.job.Options.Queue = false // one that was submitted starts at once
		b.runTo(t, transfer.Done)
		b.jobsBefore = nil
		b.submitExport(sheet.ISO)
		b.job.Options.Queue = true
		b.runTo(t, transfer.Done)
	}
}

// The end of a job sends the message of the first queued job, once. If the queue cannot be read the message of the
// ended job stays, and its next delivery reads the queue again.
func TestTheEndOfAJobBringsTheNext(t *testing.T) {
	b := newFakeBackend(existingAccount("one"))
	b.submitExport(sheet.ISO)
	b.jobsAfter = []transfer.Job{queuedJob("next", 1, true, transfer.Submitted),
		queuedJob("last", 2, true, transfer.Submitted)}
	b.jobQueueErr = errDown
	if err := b.run(); !errors.Is(err, errDown) || b.job.State != transfer.Done || len(b.messages) > 0 {
		t.Fatalf("%v, %s, %v", err, b.job.State, b.messages)
	}
	b.jobQueueErr = nil
	if err := b.run(); err != nil || !slices.Equal(b.messages, []string{"test next-job"}) {
		t.Errorf("%v, sent %v", err, b.messages)
	}
	b.messages, b.jobsAfter = nil,
		[]transfer.Job{queuedJob("running", 1, true, transfer.Writing), queuedJob("last", 2, true, transfer.Submitted)}
	if err := b.run(); err != nil || len(b.messages) > 0 {
		t.Errorf("%v, sent %v over one that runs", err, b.messages)
	}
}

// V67: a job whose submit stopped before its message was sent does not block the queue.
func TestALostMessageIsSentAgain(t *testing.T) {
	lost, fresh := queuedJob("lost", -2, false, transfer.Submitted), queuedJob("fresh", 0, false, transfer.Submitted)
	lost.MessageSent, fresh.MessageSent = false, false
	b := newFakeBackend(existingAccount("one"))
	b.submitExport(sheet.ISO)
	b.jobsAfter = []transfer.Job{lost, fresh}
	b.runTo(t, transfer.Done)
	if !slices.Equal(b.messages, []string{"lost lost-job"}) {
		t.Errorf("sent %v", b.messages)
	}
}

// Cancelling a job lets the next one run, and so does the second click where the first could not.
func TestCancellingBringsTheNext(t *testing.T) {
	s := newFakeStore(queuedJob("a", 0, true, transfer.Submitted), queuedJob("b", 1, true, transfer.Submitted))
	s.errs["UnfinishedJobs"] = errDown
	if _, err := s.service().Cancel(t.Context(), caller("9"), "a"); !errors.Is(err, errDown) {
		t.Fatal(err)
	}
	delete(s.errs, "UnfinishedJobs")
	got, err := s.service().Cancel(t.Context(), caller("9", access.AccountExport), "a")
	if err != nil || got.State != transfer.Cancelled ||
		!slices.Equal(s.messages, []string{`test b-a {"env":"test","job":"b"}`}) {
		t.Errorf("%v, %s, sent %v", err, got.State, s.messages)
	}
}

// V85: a job that cannot be run fails with a reason, what it staged is rolled back, and the next job runs.
func TestAJobIsGivenUp(t *testing.T) {
	b := mixedImport(t, transfer.Options{})
	b.onCall = func(call string) error {
		if call == "commit" {
			return errDown
		}
		return nil
	}
	for range 5 {
		if err := b.run(); !errors.Is(err, errDown) {
			t.Fatal(err)
		}
	}
	if len(b.staged) == 0 || !b.pending {
		t.Fatal("nothing was staged")
	}
	b.jobsAfter = []transfer.Job{queuedJob("next", 1, true, transfer.Submitted)}
	for range 2 { // the dead letter may come twice
		if err := b.worker().Abandon(context.Background(), "test", "job"); err != nil {
			t.Fatal(err)
		}
	}
	if b.job.State != transfer.Failed || b.job.Problem == nil || b.job.Problem.Code != "givenUp" || b.pending ||
		len(b.staged) > 0 || b.job.Ended.IsZero() {
		t.Errorf("%+v %+v, staged %v", b.job, b.job.Problem, b.staged)
	}
	b.assertUnchanged(t, "given up")
	if len(b.messages) == 0 || b.messages[0] != "test next-job" {
		t.Errorf("sent %v", b.messages)
	}
	b = newFakeBackend(existingAccount("one"))
	b.submitExport(sheet.ISO)
	if err := b.worker().Abandon(context.Background(), "test", "job"); err != nil || b.job.State != transfer.Failed {
		t.Errorf("an export: %v %s", err, b.job.State)
	}
	b = newFakeBackend()
	b.submit(transfer.Options{}, nil)
	b.job.State = transfer.Created
	if err := b.worker().Abandon(context.Background(), "test", "job"); err != nil || b.job.State != transfer.Created {
		t.Errorf("not submitted: %v %s", err, b.job.State)
	}
}

// A running export stops when it is cancelled.
func TestARunningExportIsCancelled(t *testing.T) {
	b := newFakeBackend(hostileAccounts()...)
	b.submitExport(sheet.ISO)
	b.onCall = func(call string) error {
		if call == "put" {
			b.job.CancelRequested = true
		}
		return nil
	}
	b.runTo(t, transfer.Cancelled)
}
