package transfer

import (
	"context"
	"errors"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
)

// UndoPeriod is how long after its commit an import can be undone.
const UndoPeriod = 7 * 24 * time.Hour

// UndoJobStore is the record of jobs as an order to undo needs it.
type UndoJobStore interface {
	// CreateUndo writes the job that undoes an import, submitted, and notes it on the import; ErrSuperseded if the import
	// was undone, or has another such job than of names, by now.
	CreateUndo(ctx context.Context, undo, of Job) error
}

// UndoableUntil is until when an import can be undone; zero for what cannot be, and for what was.
func (j Job) UndoableUntil() time.Time {
	if j.Kind != Import || j.State != Done || j.Options.DryRun || j.Undone || j.Counts.Created+j.Counts.Updated == 0 {
		return time.Time{}
	}
	return j.Ended.Add(UndoPeriod)
}

// Undo begins a job that undoes an import, and hands it to the worker. While one is under way, and after one that did
// it, the answer is that job: a second click does nothing. One that came to nothing is followed by another.
func (s *Service) Undo(ctx context.Context, sc access.Scope, id string) (Job, error) {
	const tries = 4
	for range tries {
		job, err := s.Get(ctx, sc, id)
		if err != nil {
			return Job{}, err
		}
		if job.UndoJobID != "" {
			before, err := s.Jobs.Job(ctx, job.Env, job.UndoJobID)
			if err == nil && before.State == Submitted && !before.MessageSent {
				return s.send(ctx, before)
			}
			if err == nil && (before.State == Done || !before.State.Ended()) || err != nil && !fault.Is(err, fault.NotFound) {
				return before, err
			}
		}
		if err := s.checkUndoable(job); err != nil {
			return Job{}, err
		}
		undo := s.newJob(sc, Undo, Options{SkipErrors: true, DateFormat: job.Options.DateFormat})
		undo.State, undo.Submitted, undo.UndoesJobID, undo.UndoesImportID, undo.UndoesReportEpoch = Submitted, undo.Created,
			job.ID, job.ImportID, job.ReportEpoch
		err = s.UndoJobs.CreateUndo(ctx, undo, job)
		if err == nil {
			return s.send(ctx, undo)
		}
		if !errors.Is(err, ErrSuperseded) {
			return Job{}, err
		}
	}
	return Job{},
		fault.New(fault.Conflict, "busy", "The job is moving on just now; try again.").WithRetryAfter(time.Second)
}

// checkUndoable refuses to undo what cannot be undone, and says why.
func (s *Service) checkUndoable(job Job) error {
	until := job.UndoableUntil()
	switch {
	case job.Kind != Import:
		return fault.New(fault.Conflict, "notImport", "Only an import can be undone.")
	case !job.State.Ended():
		return fault.New(fault.Conflict, "notEnded",
			"The import has not ended yet; cancel it instead.").WithRetryAfter(2 * time.Second)
	case job.Undone:
		return fault.New(fault.Conflict, "undone", "This import was undone already.")
	case until.IsZero():
		return fault.New(fault.Conflict, "nothingToUndo", "This import changed nothing, so there is nothing to undo.")
	case s.Now().After(until):
		return fault.New(fault.Conflict, "tooLate",
			"An import can be undone for 7 days, and those are over. Export the accounts, mend the sheet and import it.")
	}
	return nil
}
