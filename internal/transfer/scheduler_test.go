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

// queuedJob is a job in the line, submitted so many minutes after now.
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
		o := newFakeBackend(existingAccount("one"))
		o.submitExport(sheet.ISO)
		o.job.Options.Queue = true
		o.jobsBefore = []transfer.Job{ahead}
		for range 2 {
			if err := o.run(); err != nil || o.job.State != transfer.Submitted || o.count("page") > 0 {
				t.Errorf("behind %s: %v, %s", ahead.ID, err, o.job.State)
			}
		}
		o.job.Options.Queue = false // one that was submitted starts at once
		o.runTo(t, transfer.Done)
		o.jobsBefore = nil
		o.submitExport(sheet.ISO)
		o.job.Options.Queue = true
		o.runTo(t, transfer.Done)
	}
}

// Whatever ends a job sends the message of the queued one that is first then, once; those behind wait on. If the line
// cannot be looked at, the message stays, and the next delivery looks again.
func TestTheEndOfAJobBringsTheNext(t *testing.T) {
	o := newFakeBackend(existingAccount("one"))
	o.submitExport(sheet.ISO)
	o.jobsAfter = []transfer.Job{queuedJob("next", 1, true, transfer.Submitted),
		queuedJob("last", 2, true, transfer.Submitted)}
	o.jobQueueErr = errDown
	if err := o.run(); !errors.Is(err, errDown) || o.job.State != transfer.Done || len(o.messages) > 0 {
		t.Fatalf("%v, %s, %v", err, o.job.State, o.messages)
	}
	o.jobQueueErr = nil
	if err := o.run(); err != nil || !slices.Equal(o.messages, []string{"test next-job"}) {
		t.Errorf("%v, sent %v", err, o.messages)
	}
	o.messages, o.jobsAfter = nil,
		[]transfer.Job{queuedJob("running", 1, true, transfer.Writing), queuedJob("last", 2, true, transfer.Submitted)}
	if err := o.run(); err != nil || len(o.messages) > 0 {
		t.Errorf("%v, sent %v over one that runs", err, o.messages)
	}
}

// V67: a job whose submit stopped before the message was sent does not hold up the line for ever.
func TestALostMessageIsSentAgain(t *testing.T) {
	lost, fresh := queuedJob("lost", -2, false, transfer.Submitted), queuedJob("fresh", 0, false, transfer.Submitted)
	lost.MessageSent, fresh.MessageSent = false, false
	o := newFakeBackend(existingAccount("one"))
	o.submitExport(sheet.ISO)
	o.jobsAfter = []transfer.Job{lost, fresh}
	o.runTo(t, transfer.Done)
	if !slices.Equal(o.messages, []string{"lost lost-job"}) {
		t.Errorf("sent %v", o.messages)
	}
}

// Cancelling a job lets the next one run, and so does the second click where the first could not.
func TestCancellingBringsTheNext(t *testing.T) {
	d := newFakeStore(queuedJob("a", 0, true, transfer.Submitted), queuedJob("b", 1, true, transfer.Submitted))
	d.errs["Line"] = errDown
	if _, err := d.service().Cancel(t.Context(), caller("9"), "a"); !errors.Is(err, errDown) {
		t.Fatal(err)
	}
	delete(d.errs, "Line")
	got, err := d.service().Cancel(t.Context(), caller("9", access.AccountExport), "a")
	if err != nil || got.State != transfer.Cancelled ||
		!slices.Equal(d.messages, []string{`test b-a {"env":"test","job":"b"}`}) {
		t.Errorf("%v, %s, sent %v", err, got.State, d.messages)
	}
}

// V85: a job that cannot be run is failed with a reason, what it staged is taken back, and the queue goes on.
func TestAJobIsGivenUp(t *testing.T) {
	o := mixedImport(t, transfer.Options{})
	o.onCall = func(call string) error {
		if call == "commit" {
			return errDown
		}
		return nil
	}
	for range 5 {
		if err := o.run(); !errors.Is(err, errDown) {
			t.Fatal(err)
		}
	}
	if len(o.staged) == 0 || !o.pending {
		t.Fatal("nothing was staged")
	}
	o.jobsAfter = []transfer.Job{queuedJob("next", 1, true, transfer.Submitted)}
	for range 2 { // the dead letter may come twice
		if err := o.worker().Abandon(context.Background(), "test", "job"); err != nil {
			t.Fatal(err)
		}
	}
	if o.job.State != transfer.Failed || o.job.Problem == nil || o.job.Problem.Code != "givenUp" || o.pending ||
		len(o.staged) > 0 || o.job.Ended.IsZero() {
		t.Errorf("%+v %+v, staged %v", o.job, o.job.Problem, o.staged)
	}
	o.assertUnchanged(t, "given up")
	if len(o.messages) == 0 || o.messages[0] != "test next-job" {
		t.Errorf("sent %v", o.messages)
	}
	o = newFakeBackend(existingAccount("one"))
	o.submitExport(sheet.ISO)
	if err := o.worker().Abandon(context.Background(), "test", "job"); err != nil || o.job.State != transfer.Failed {
		t.Errorf("an export: %v %s", err, o.job.State)
	}
	o = newFakeBackend()
	o.submit(transfer.Options{}, nil)
	o.job.State = transfer.Created
	if err := o.worker().Abandon(context.Background(), "test", "job"); err != nil || o.job.State != transfer.Created {
		t.Errorf("not submitted: %v %s", err, o.job.State)
	}
}

// A running export stops when it is cancelled.
func TestARunningExportIsCancelled(t *testing.T) {
	o := newFakeBackend(hostileAccounts()...)
	o.submitExport(sheet.ISO)
	o.onCall = func(call string) error {
		if call == "put" {
			o.job.CancelRequested = true
		}
		return nil
	}
	o.runTo(t, transfer.Cancelled)
}
