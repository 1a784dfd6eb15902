package transfer

import (
	"context"
	"errors"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/credential"
	"useraccounts/internal/fault"
)

// UndoPeriod is how long after its end an import can be undone.
const UndoPeriod = 7 * 24 * time.Hour

// UndoJobStore creates the jobs that undo imports.
type UndoJobStore interface {
	// CreateUndo writes a submitted undo, and notes it in the import that it undoes; ErrSuperseded if that import was
	// undone since it was read, or has another undo.
	CreateUndo(ctx context.Context, undo, undone Job) error
}

// UndoableUntil returns until when an import can be undone; zero if it cannot be, or has been.
func (j Job) UndoableUntil() time.Time {
	if j.Kind != Import || j.State != Done || j.Options.DryRun || j.Undone || j.Counts.Created+j.Counts.Updated == 0 {
		return time.Time{}
	}
	return j.Ended.Add(UndoPeriod)
}

// Undo creates a job that undoes an import, and sends it to the worker. If such a job is running, or is done, it
// returns that one: a second click does nothing. A job that did not succeed is followed by another.
func (s *Service) Undo(ctx context.Context, sc access.Scope, id string) (Job, error) {
	const tries = 4
	for range tries {
		job, err := s.Get(ctx, sc, id)
		if err != nil {
			return Job{}, err
		}
		if job.UndoJobID != "" {
			existing, err := s.Jobs.Job(ctx, job.Env, job.UndoJobID)
			if err == nil && existing.State == Submitted && !existing.MessageSent {
				return s.send(ctx, existing)
			}
			if err == nil && (existing.State == Done || !existing.State.Ended()) ||
				err != nil && !fault.Is(err, fault.NotFound) {
				return existing, err
			}
		}
		if err := s.checkUndoable(job); err != nil {
			return Job{}, err
		}
		if sc.Caller.KeyID == "" { // what a key may do is decided row by row
			if err := credential.CheckProof(sc, s.Now()); err != nil {
				return Job{}, err
			}
		}
		undo := s.newJob(sc, Undo, Options{SkipErrors: true, DateFormat: job.Options.DateFormat})
		undo.State, undo.Submitted = Submitted, undo.Created
		undo.UndoesJobID, undo.UndoesImportID, undo.UndoesReportEpoch = job.ID, job.ImportID, job.ReportEpoch
		err = s.UndoJobs.CreateUndo(ctx, undo, job)
		if err == nil {
			return s.send(ctx, undo)
		}
		if !errors.Is(err, ErrSuperseded) {
			return Job{}, err
		}
	}
	return Job{}, jobBusy()
}

// checkUndoable returns why an import cannot be undone; nil if it can.
func (s *Service) checkUndoable(job Job) error {
	until := job.UndoableUntil()
	switch {
	case job.Kind != Import:
		return fault.New(fault.Conflict, "notImport", "Only an import can be undone.")
	case !job.State.Ended():
		return fault.New(fault.Conflict, "notEnded",
			"The import has not ended yet. Cancel it instead.").WithRetryAfter(2 * time.Second)
	case job.Undone:
		return fault.New(fault.Conflict, "undone", "This import has already been undone.")
	case until.IsZero():
		return fault.New(fault.Conflict, "nothingToUndo", "This import changed nothing, so there is nothing to undo.")
	case s.Now().After(until):
		return fault.New(fault.Conflict, "tooLate",
			"An import can be undone for 7 days, and that time is over. Export the accounts, correct the sheet and import it.")
	}
	return nil
}
