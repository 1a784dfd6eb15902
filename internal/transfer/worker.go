package transfer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/resource"
	"useraccounts/internal/sheet"
)

// What a step of the store can come to besides an error.
var (
	// ErrSuperseded means that another worker took the job, or it ended: this one must stop.
	ErrSuperseded = errors.New("job was taken by another worker")
	// ErrCancelled means that a person asked to cancel.
	ErrCancelled = errors.New("cancel was asked for")
	// ErrStale means that an account or identifier of the import was changed by somebody since it was checked.
	ErrStale = errors.New("an account changed meanwhile")
)

// WorkerJobStore is the record of jobs as the worker needs it. Every write holds the job's epoch against the stored
// one.
type WorkerJobStore interface {
	// Claim raises the job's epoch, so that no earlier worker can write any more, and returns the job.
	Claim(ctx context.Context, env, id string) (Job, error)
	// Save writes the job's body and state; ErrSuperseded.
	Save(ctx context.Context, j Job) error
	// CancelRequested reports whether a person asked to cancel a job.
	CancelRequested(ctx context.Context, env, id string) (bool, error)
}

// Staging is how an import reaches the table unseen and comes to count.
type Staging interface {
	// Begin gives the import its number and sets it Writing; ErrSuperseded, ErrCancelled.
	Begin(ctx context.Context, j Job) (Job, error)
	// Stage writes as many of the rows as one transaction holds, with the job's progress, and returns how many those are;
	// ErrSuperseded, ErrCancelled, ErrStale.
	Stage(ctx context.Context, j Job, rows []StagedRow) (int, error)
	// Commit makes the import count, with the seats that it takes and gives back, and ends the job, if the actor's account
	// still has the epoch and the licences the seats; ErrSuperseded, ErrCancelled, ErrStale.
	Commit(ctx context.Context, j Job, actor access.Caller, seats []account.SeatChange) error
	// Rollback undoes what was staged for the rows, given by normalised username and email, or, for nil, for those that
	// carry the import's number; it may be called again.
	Rollback(ctx context.Context, j Job, rows []RowRef) error
	// FinishRollback ends the number of an import that was taken back and gives the job its state; ErrSuperseded.
	FinishRollback(ctx context.Context, j Job) error
}

// StagedRow is a row to write.
type StagedRow struct {
	// NextRow is the index of the row after this one: where a later worker goes on.
	NextRow int
	// Account is what becomes of the account; without an account in it the row changes the resource alone.
	Account account.Write
	// Resource is what becomes of the account's resource, nil for nothing.
	Resource *resource.Write
	// ManagerCreated says that the resource's manager is one that this import makes; Named that the new resource is the
	// manager of one that this import writes. So neither waits for the other to be staged.
	ManagerCreated, IsManager bool
	// AcquiredIdentifiers are the identifiers that the account gets from others of the file, with the ids of those, Leaves
	// those that others of the file get from it.
	AcquiredIdentifiers map[string]string
	ReleasedIdentifiers []string
}

// RowRef is what tells where a row was staged: username and email normalised, the code of the resource it names folded,
// the id of the account that it changes, whose username a person may change meanwhile.
type RowRef struct{ Username, Email, Resource, ID string }

// Directory is what the worker reads of accounts.
type Directory interface {
	// Actor returns the scope of the account that a job runs for, as of now; Forbidden if it cannot sign in any more.
	Actor(ctx context.Context, env, accountID string) (access.Scope, error)
	// AccountsByUsername returns what there is for each normalised username, in order.
	AccountsByUsername(ctx context.Context, env environment.Environment, importID int64,
		usernames []string) ([]AccountState, error)
	// Owners returns the account that holds each normalised identifier, for those that are held.
	Owners(ctx context.Context, env environment.Environment, identifiers []string) (map[string]string, error)
	// Page is account.Store's.
	Page(ctx context.Context, env environment.Environment, after string, limit int) ([]account.Account, string, error)
	account.SeatCounter
}

// AccountState is what the directory has for a username.
type AccountState struct {
	Account account.Account
	// Exists is false for a username that is free, as far as readers see.
	Exists bool
	// Staged rows were written by this import already; New says that it made them.
	Staged, Created bool
	// StagedAccount is what this import staged.
	StagedAccount account.Account
	// Busy rows are being written by another import, or Leaving: taken away by an undo that counts, and not cleared up
	// yet.
	Busy, BeingRemoved bool
	// Tombstone says that this import takes the account away, Former what it was before the import that wrote it last, if
	// nobody wrote it since and that one did not make it.
	Tombstone bool
	Previous  *account.Account
}

// Files is the store of workbooks and reports.
type Files interface {
	// Get reads one version of a file; NotFound if it is gone or not that version.
	Get(ctx context.Context, f File) ([]byte, error)
	Put(ctx context.Context, key, contentType string, body []byte) error
}

// Worker runs jobs, one at a time. A message may be delivered twice, late, or while an earlier worker still thinks that
// it runs: Take raises the epoch, and every later write of the earlier one fails. There is no lease, because the queue
// delivers one message of a job at a time and a second worker only ever follows a dead or stuck first.
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
	// Sleep waits for readers before what they may still see is removed; nil does not wait.
	Sleep func(ctx context.Context, d time.Duration) error
}

// Run runs a job as far as it goes. It returns nil once the message may be deleted: the job has ended, or there is
// none, or its turn has not come (Turns).
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
		job, err = w.importFile(ctx, job)
	}
	if errors.Is(err, ErrSuperseded) {
		w.Log.WarnContext(ctx, "job was taken over", "job", id, "epoch", job.Epoch)
	}
	if err != nil {
		return err
	}
	return w.afterEnd(ctx, job)
}

// afterEnd is what comes after the end of a job: the next one's turn, and what an undo left behind.
func (w *Worker) afterEnd(ctx context.Context, job Job) error {
	if err := w.Scheduler.startNext(ctx, job.Env, job.ID); err != nil {
		return err
	}
	return w.purgeTombstones(ctx, job)
}

// claim takes a job, unless there is none or it was not submitted.
func (w *Worker) claim(ctx context.Context, env, id string) (Job, bool, error) {
	job, err := w.Jobs.Claim(ctx, env, id)
	if fault.Is(err, fault.NotFound) || (err == nil && job.State == Created) {
		w.Log.WarnContext(ctx, "message for a job that is not there or not submitted", "job", id)
		return Job{}, false, nil
	}
	return job, err == nil, err
}

// maxRestarts is how often an import starts again because accounts changed under it.
const maxRestarts = 3

// importFile runs an import from wherever its record says it stands, and returns it as it ended.
func (w *Worker) importFile(ctx context.Context, job Job) (Job, error) {
	for {
		if job.CancelRequested && job.State != RollingBack {
			job.FinalState = Cancelled
			job.State = w.rollbackState(job)
		}
		r := importRun{Worker: w, job: job}
		if err := r.load(ctx); err != nil {
			return r.job, err
		}
		if r.job.State != RollingBack && r.job.FinalState == "" {
			if err := r.execute(ctx); err != nil {
				return r.job, err
			}
		}
		if r.job.FinalState == "" {
			return r.job, nil // committed
		}
		again, err := r.rollback(ctx)
		if err != nil || !again {
			return r.job, err
		}
		job = r.job
	}
}

// rollbackState is the state in which a job that will not commit goes on: with rows to take back, or with nothing done.
func (w *Worker) rollbackState(job Job) State {
	if job.ImportID != 0 {
		return RollingBack
	}
	return job.State
}

// importRun is one import in one worker.
type importRun struct {
	*Worker
	job      Job
	scope    access.Scope
	reader   rowReader
	fileHash string
	// file is the uploaded file, marked the sheet that is being made of it while rows are staged.
	file        []byte
	resultSheet chan resultSheet
	// headingMarks are the marks of a sheet whose headings are not right.
	headingMarks []sheet.RowMark
	lines        []rowInput
	// importedRows says of each line of an undo what the import did.
	importedRows []importedRow
	rows         []Row
	plans        []rowPlan
	toStage      []StagedRow
	// resources is what was found of resources, by folded code; made are those the file makes, with their rows, named
	// those of them that are somebody's manager.
	resources    map[string]ResourceState
	newResources map[string]int
	newManagers  map[string]bool
	// copiedRoles are the roles that new accounts get, nil for none.
	copiedRoles []string
	// seats is what the import as a whole changes of the seats in use.
	seats []account.SeatChange
}

// refuse ends the import without a change; with rows to take back if some were staged.
func (r *importRun) refuse(as State, code, detail string) {
	r.job.FinalState = as
	r.job.Problem = &Problem{Code: code, Detail: detail}
}

// load reads the file. What is wrong with it as a whole refuses the import.
func (r *importRun) load(ctx context.Context) error {
	if r.job.ImportID == 0 && r.job.FinalState != "" {
		return nil // nothing to take back, so no need to know the rows
	}
	if r.job.State == Submitted {
		r.job.State = Checking
		if err := r.Jobs.Save(ctx, r.job); err != nil {
			return err
		}
	}
	if r.job.Kind == Undo {
		return r.loadUndo(ctx)
	}
	const gone = "The uploaded file is not there any more, or was replaced after the submit. Nothing was imported; " +
		"begin a new import and upload it again."
	data, err := r.Files.Get(ctx, r.job.File)
	if fault.Is(err, fault.NotFound) {
		r.abort("fileGone", gone)
		return nil
	}
	if err != nil {
		return err
	}
	r.file = data
	if r.fileHash = sha256Hex(data); r.job.ImportID != 0 && r.job.FileHash != "" && r.job.FileHash != r.fileHash {
		r.abort("fileGone", gone) // not the one whose rows were staged (V76)
		return nil
	}
	if err := r.parse(data); err != nil {
		f := fault.As(err)
		if f == nil {
			return err
		}
		if r.job.ImportID != 0 { // a release that reads otherwise than the one that staged
			r.abort(f.Code, f.Detail)
			return nil
		}
		r.refuse(Refused, f.Code, f.Detail)
		r.job.Problem.Fields = f.Fields
	}
	return nil
}

func (r *importRun) parse(data []byte) error {
	wb, err := sheet.Open(bytes.NewReader(data), int64(len(data)), sheet.DefaultLimits())
	if err != nil {
		return err
	}
	r.job.OtherSheets, r.job.HiddenSheet = wb.OtherSheets(), wb.Hidden()
	header, err := wb.Header()
	if err != nil {
		return err
	}
	matched, bad := sheet.MatchHeadings(header, headings())
	if len(bad) > 0 {
		r.setHeadingMarks(wb, header.Number, matched, bad)
		return fault.New(fault.Invalid, "headings",
			"The sheet's headings are not right. Mend the columns named and upload the file again; an export has them as "+
				"they should be.").WithFields(bad...)
	}
	r.reader = rowReader{columns: columns(), headings: matched, dateFormat: r.job.Options.DateFormat}
	// Nothing else that costs comes before all rows are read, and reading stops at the limit.
	for row, err := range wb.Data(MaxRows) {
		if err != nil {
			r.lines = nil // a report of some of the rows would tell of an import that was looked at
			return err
		}
		if !matched.IsEmpty(row) {
			r.lines = append(r.lines, r.reader.read(row))
		}
	}
	if r.job.Counts.Rows = len(r.lines); len(r.lines) == 0 {
		return fault.New(fault.Invalid, "noRows",
			"The sheet has headings but no rows. Fill in a row for each account and upload the file again.")
	}
	return nil
}

// execute checks all rows, stages them and commits. It sets FinalState where the import must not go on.
func (r *importRun) execute(ctx context.Context) error {
	if err := r.loadActor(ctx); err != nil || r.job.FinalState != "" {
		return err
	}
	err := r.check(ctx)
	if err == nil && r.job.FinalState != "" {
		return nil
	}
	if err == nil && r.job.Options.DryRun {
		return r.finishDryRun(ctx)
	}
	if err == nil {
		err = r.stage(ctx)
	}
	if err == nil {
		err = r.commit(ctx)
	}
	switch {
	case errors.Is(err, ErrCancelled):
		r.job.FinalState = Cancelled
	case errors.Is(err, ErrStale) && r.job.Restarts < maxRestarts:
		r.job.FinalState = Checking
	case errors.Is(err, ErrStale):
		r.refuse(Failed, "overtaken",
			"Accounts of this job were changed by others each time it was about to finish. Nothing was changed; try again "+
				"when they are done.")
	default:
		return err
	}
	return nil
}

// actorScope reads whom a job acts for, and what they may do by now.
func (w *Worker) actorScope(ctx context.Context, job Job) (access.Scope, error) {
	scope, err := w.Directory.Actor(ctx, job.Env, job.ByID)
	if job.ByKey != "" {
		scope.Caller = scope.Caller.AsAPIKey(job.ByKey)
	}
	return scope, err
}

// loadActor reads the rights of whom the import runs for, which may have changed since the submit (V76).
func (r *importRun) loadActor(ctx context.Context) error {
	scope, err := r.actorScope(ctx, r.job)
	if fault.Is(err, fault.Forbidden) || (err == nil && !scope.Caller.May(access.AccountImport)) {
		r.refuse(Failed, "rightsRevoked", "Whoever submitted this may not import any more. Nothing was changed.")
		return nil
	}
	r.scope = scope
	return err
}

// finishDryRun ends a dry run: what each row would do is its report.
func (r *importRun) finishDryRun(ctx context.Context) error {
	if err := r.writeReport(ctx); err != nil {
		return err
	}
	r.job.State, r.job.Ended = Done, r.now()
	return r.Jobs.Save(ctx, r.job)
}

// stage writes what is to be written, unseen.
func (r *importRun) stage(ctx context.Context) error {
	if r.job.State != Writing {
		if err := r.writeRowRefs(ctx); err != nil {
			return err
		}
		r.job.CatalogueVersion = r.scope.Env.CatalogueVersion
		r.job.PermissionsHash, r.job.FileHash, r.job.FailedRowsHash = r.permissionsHash(), r.fileHash, r.failedRowsHash()
		begun, err := r.Staging.Begin(ctx, r.job)
		if err != nil {
			return err
		}
		r.job = begun
	} else if r.job.PermissionsHash != r.permissionsHash() || r.job.FailedRowsHash != r.failedRowsHash() {
		return ErrStale // what an earlier worker staged was judged by other rights, or with other rows
	}
	if err := r.assignNumbers(ctx); err != nil {
		return err
	}
	r.startResultSheet()
	for len(r.toStage) > 0 {
		n, err := r.Staging.Stage(ctx, r.job, r.toStage)
		if err != nil {
			return err
		}
		r.job.NextRow = r.toStage[n-1].NextRow
		r.toStage = r.toStage[n:]
	}
	return nil
}

// permissionsHash names the permissions that the actor holds.
func (r *importRun) permissionsHash() string {
	held := make([]string, 0, len(r.scope.Caller.Permissions))
	for p := range r.scope.Caller.Permissions {
		held = append(held, string(p))
	}
	slices.Sort(held)
	return sha256Hex([]byte(strings.Join(held, " ")))[:16]
}

// failedRowsHash names the rows that are wrong and are left out.
func (r *importRun) failedRowsHash() string {
	var wrong []byte
	for i := range r.rows {
		if len(r.rows[i].Errors) > 0 {
			wrong = strconv.AppendInt(append(wrong, ' '), int64(i), 10)
		}
	}
	if wrong == nil {
		return ""
	}
	return sha256Hex(wrong)[:16]
}

func sha256Hex(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// verifyFile refuses to commit what was read from another file than is there (V76, C44).
func (r *importRun) verifyFile(ctx context.Context) error {
	if r.job.Kind == Undo {
		return nil
	}
	data, err := r.Files.Get(ctx, r.job.File)
	if fault.Is(err, fault.NotFound) || (err == nil && sha256Hex(data) != r.fileHash) {
		r.refuse(Failed, "fileGone",
			"The uploaded file was removed or replaced while it was imported. Nothing was imported; begin a new import and "+
				"upload it again.")
		return nil
	}
	return err
}

// commit stores the result of each row, looks at the actor's rights once more, and makes the import count.
func (r *importRun) commit(ctx context.Context) error {
	if err := r.writeReport(ctx); err != nil {
		return err
	}
	checkedBy := r.scope.Caller.Permissions
	if err := r.loadActor(ctx); err != nil || r.job.FinalState != "" {
		return err
	}
	if len(r.scope.Caller.Permissions.Missing(checkedBy)) > 0 {
		return ErrStale // rows may give what the actor holds no more (V61)
	}
	if err := r.verifyFile(ctx); err != nil || r.job.FinalState != "" {
		return err
	}
	done := r.job
	done.State, done.Ended = Done, r.now()
	if err := r.Staging.Commit(ctx, done, r.scope.Caller, r.seatChanges()); err != nil {
		return err
	}
	r.job = done
	return nil
}

func (w *Worker) now() time.Time { return w.Now().UTC().Truncate(time.Millisecond) }
