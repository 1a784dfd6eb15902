package transfer

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/resource"
)

// Errors of the store that are not failures.
var (
	// ErrSuperseded means that another worker claimed the job, or that it has ended. This worker must stop.
	ErrSuperseded = errors.New("job was claimed by another worker")
	// ErrCancelled means that a person asked to cancel the job.
	ErrCancelled = errors.New("job was cancelled")
	// ErrStale means that an account or an identifier of the import was changed since it was checked.
	ErrStale = errors.New("an account was changed since it was checked")
)

// WorkerJobStore is the store of jobs as the worker needs it. Every write is conditional on the job's epoch.
type WorkerJobStore interface {
	// Claim raises the job's epoch, so that earlier workers can no longer write, and returns the job.
	Claim(ctx context.Context, env, id string) (Job, error)
	// Save writes the job's body and state; ErrSuperseded.
	Save(ctx context.Context, j Job) error
	// CancelRequested reports whether a person asked to cancel the job.
	CancelRequested(ctx context.Context, env, id string) (bool, error)
}

// Staging writes the rows of an import under its number, where no reader sees them, and commits or removes them.
type Staging interface {
	// Begin gives the import its number and sets the state Writing; ErrSuperseded, ErrCancelled.
	Begin(ctx context.Context, j Job) (Job, error)
	// Stage writes as many rows as one transaction holds, together with the job's progress, and returns their number;
	// ErrSuperseded, ErrCancelled, ErrStale.
	Stage(ctx context.Context, j Job, rows []StagedRow) (int, error)
	// Commit makes the import visible, changes the seats in use and ends the job. It depends on the epoch of the actor's
	// account and on the limits of the licences; ErrSuperseded, ErrCancelled, ErrStale.
	Commit(ctx context.Context, j Job, actor access.Caller, seats []account.SeatChange) error
	// Rollback removes what was staged for the rows; for nil rows, everything with the import's number. It may be
	// repeated.
	Rollback(ctx context.Context, j Job, rows []RowRef) error
	// FinishRollback releases the number of an import that was rolled back, and writes the job's state; ErrSuperseded.
	FinishRollback(ctx context.Context, j Job) error
}

// StagedRow is a row to be staged.
type StagedRow struct {
	// NextRow is the index of the row after this one, where a later worker resumes.
	NextRow int
	// Account is the change of the account. Without an account in it the row changes the resource alone.
	Account account.Write
	// Resource is the change of the account's resource; nil for none.
	Resource *resource.Write
	// ManagerCreated says that this import creates the resource's manager, IsManager that this new resource is the manager
	// of another one of the import. Neither has to wait for the other to be staged.
	ManagerCreated, IsManager bool
	// AcquiredIdentifiers are the login identifiers that the account takes over from other accounts of the file, with the
	// ids of those. ReleasedIdentifiers are those that other accounts take over from this one.
	AcquiredIdentifiers map[string]string
	ReleasedIdentifiers []string
}

// RowRef tells under which keys a row was staged: username and email normalised, the code of its resource folded. The
// id of an existing account finds it if somebody changes its username meanwhile.
type RowRef struct{ Username, Email, Resource, ID string }

// Directory is what the worker reads of accounts.
type Directory interface {
	// Actor returns the current scope of the account that a job runs for; Forbidden if it can no longer sign in.
	Actor(ctx context.Context, env, accountID string) (access.Scope, error)
	AccountLookup
	// Page is that of account.Store.
	Page(ctx context.Context, env environment.Environment, after string, limit int) ([]account.Account, string, error)
	account.SeatCounter
}

// AccountLookup is what the check of a sheet's rows reads.
type AccountLookup interface {
	// AccountsByUsername returns the state of each normalised username, in order.
	AccountsByUsername(ctx context.Context, env environment.Environment, importID int64,
		usernames []string) ([]AccountState, error)
	// Owners returns the account of each normalised identifier that has one.
	Owners(ctx context.Context, env environment.Environment, identifiers []string) (map[string]string, error)
	// HadKeys returns those of the accounts that an API key was ever made for.
	HadKeys(ctx context.Context, accountIDs []string) (map[string]bool, error)
}

// AccountState is what the directory has for a username.
type AccountState struct {
	Account account.Account
	// Exists is false for a username that is free, as far as readers see.
	Exists bool
	// Staged says that this import wrote the account already, Created that it created it, StagedAccount what it wrote.
	Staged, Created bool
	StagedAccount   account.Account
	// Busy says that another import is writing the account, BeingRemoved that a committed undo has not purged it yet.
	Busy, BeingRemoved bool
	// Tombstone says that this import removes the account.
	Tombstone bool
	// Previous is the account before the import that wrote it last. It is nil if the account was written since, or if that
	// import created it.
	Previous *account.Account
}

// Files is the store of workbooks and reports.
type Files interface {
	// Get reads one version of a file; NotFound if it is no longer there.
	Get(ctx context.Context, f File) ([]byte, error)
	Put(ctx context.Context, key, contentType string, body []byte) error
}

// Worker runs jobs, one at a time. A message may be delivered twice, or late, or while an earlier worker is still
// running. So Claim raises the job's epoch, and from then on every write of an earlier worker fails: the epoch is a
// fencing token. There is no lease: the queue delivers one message of a job at a time, so a second worker only follows
// one that died or is stuck.
type Worker struct {
	Jobs      WorkerJobStore
	Staging   Staging
	Directory Directory
	Resources Resources
	UndoStore UndoStore
	Files     Files
	Rules     account.Rules
	Log       *slog.Logger
	Now       func() time.Time
	NewID     func() string
	Scheduler Scheduler
	// Sleep waits; nil does not wait.
	Sleep func(ctx context.Context, d time.Duration) error
}

// Run runs a job as far as it goes. It returns nil once the message may be deleted: the job has ended, does not exist,
// or has to wait for an earlier one (see Scheduler).
func (w *Worker) Run(ctx context.Context, env, id string) error {
	job, found, err := w.claim(ctx, env, id)
	if err != nil || !found {
		return err
	}
	if job.State.Ended() {
		return w.afterEnd(ctx, job)
	}
	if wait, err := w.Scheduler.mustWait(ctx, job); wait || err != nil {
		return err
	}
	if job.Kind == Export {
		err = w.export(ctx, job)
	} else {
		job, err = w.runImport(ctx, job)
	}
	if errors.Is(err, ErrSuperseded) {
		w.Log.WarnContext(ctx, "job claimed by another worker", "job", id, "epoch", job.Epoch)
	}
	if err != nil {
		return err
	}
	return w.afterEnd(ctx, job)
}

// Abandon ends a job whose message failed as often as the queue delivers it: it rolls back what was staged and starts
// the next job (V85).
func (w *Worker) Abandon(ctx context.Context, env, id string) error {
	job, found, err := w.claim(ctx, env, id)
	if err != nil || !found {
		return err
	}
	if !job.State.Ended() {
		w.Log.ErrorContext(ctx, "job given up", "job", id, "kind", job.Kind, "state", job.State)
		job.Problem = &Problem{Code: "givenUp",
			Detail: "This job was tried several times and could not be completed because of a problem on our side. " +
				"Nothing was changed. Try again later. If it happens again, give the job's number to your system administrator."}
		if job.Kind == Export {
			job.State, job.Ended = Failed, w.now()
			err = w.Jobs.Save(ctx, job)
		} else {
			job.FinalState, job.State = Failed, w.rollbackState(job)
			job, err = w.runImport(ctx, job)
		}
		if err != nil {
			return err
		}
	}
	return w.afterEnd(ctx, job)
}

// afterEnd starts the next job, and clears up after an undo.
func (w *Worker) afterEnd(ctx context.Context, job Job) error {
	if err := w.Scheduler.startNext(ctx, job.Env, job.ID); err != nil {
		return err
	}
	return w.purgeTombstones(ctx, job)
}

// claim claims a job. found is false if the job does not exist or was not submitted.
func (w *Worker) claim(ctx context.Context, env, id string) (job Job, found bool, err error) {
	job, err = w.Jobs.Claim(ctx, env, id)
	if fault.Is(err, fault.NotFound) || (err == nil && job.State == Created) {
		w.Log.WarnContext(ctx, "message for a job that does not exist or was not submitted", "job", id)
		return Job{}, false, nil
	}
	return job, err == nil, err
}

func (w *Worker) now() time.Time { return w.Now().UTC().Truncate(time.Millisecond) }

// Sleep waits, unless the context ends before.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
