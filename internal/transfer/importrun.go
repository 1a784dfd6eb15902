package transfer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/fault"
	"useraccounts/internal/sheet"
)

// importRun is one attempt at an import, or at an undo, by one worker.
type importRun struct {
	*Worker
	job    Job
	scope  access.Scope
	reader rowReader
	// file is the uploaded workbook, fileHash the hash of its content; of an undo, the hash of the import's report.
	file     []byte
	fileHash string
	rows     []importRow
	// checked is set once the rows are being checked: from then on there is a result for each of them.
	checked bool
	// resources holds what was read, by folded code.
	resources map[string]ResourceState
	// newResources are the rows that create a resource, newManagers the new resources that are somebody's manager; both by
	// folded code.
	newResources map[string]*importRow
	newManagers  map[string]bool
	// copiedRoles are the roles of new accounts whose row names none; nil for no such option.
	copiedRoles []string
	// seats is what the whole import changes of the seats in use.
	seats []account.SeatChange
	// resultSheet receives the sheet that is written in the background while rows are staged.
	resultSheet chan resultSheet
	// headingMarks are the marks of a sheet with wrong headings.
	headingMarks []sheet.RowMark
}

// importRow is one row of an import: what the sheet asks for, what becomes of it, and what it writes.
type importRow struct {
	index  int
	input  rowInput
	result Row
	plan   rowPlan
	// imported is set in an undo: what the import did to this row.
	imported importedRow
}

// failed reports whether the row has errors.
func (row *importRow) failed() bool { return len(row.result.Errors) > 0 }

// toStage reports whether something of the row still has to be staged.
func (row *importRow) toStage() bool {
	return !row.failed() && (row.plan.stageAccount != nil || row.plan.stageResource != nil)
}

// addRow adds a row as it was read.
func (r *importRun) addRow(input rowInput, imported importedRow) {
	r.rows = append(r.rows, importRow{
		index: len(r.rows), input: input, imported: imported, result: Row{Row: input.number, Username: input.username},
	})
}

// maxRestarts is how often an import starts again because accounts were changed while it ran.
const maxRestarts = 3

// runImport runs an import from the step that its record names, and returns the job as it ended.
func (w *Worker) runImport(ctx context.Context, job Job) (Job, error) {
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

// rollbackState returns the state of a job that will not commit: RollingBack if rows were staged, else as it is.
func (w *Worker) rollbackState(job Job) State {
	if job.ImportID != 0 {
		return RollingBack
	}
	return job.State
}

// refuse ends the import in a state, for a reason, after a rollback of what was staged.
func (r *importRun) refuse(as State, code, detail string) {
	r.job.FinalState = as
	r.job.Problem = &Problem{Code: code, Detail: detail}
}

const fileGoneDetail = "The uploaded file is no longer there, or was replaced after it was submitted. " +
	"Nothing was imported. Start a new import and upload the file again."

// load reads the rows of the uploaded file. A file that cannot be imported at all refuses the import.
func (r *importRun) load(ctx context.Context) error {
	if r.job.ImportID == 0 && r.job.FinalState != "" {
		return nil // nothing to roll back, so the rows are not needed
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
	data, err := r.Files.Get(ctx, r.job.File)
	if fault.Is(err, fault.NotFound) {
		r.abort("fileGone", fileGoneDetail)
		return nil
	}
	if err != nil {
		return err
	}
	r.file = data
	if r.fileHash = sha256Hex(data); r.job.ImportID != 0 && r.job.FileHash != "" && r.job.FileHash != r.fileHash {
		r.abort("fileGone", fileGoneDetail) // not the file whose rows were staged (V76)
		return nil
	}
	if err := r.parse(data); err != nil {
		f := fault.As(err)
		if f == nil {
			return err
		}
		if r.job.ImportID != 0 { // another release staged the rows, and read the file differently
			r.abort(f.Code, f.Detail)
			return nil
		}
		r.refuse(Refused, f.Code, f.Detail)
		r.job.Problem.Fields = f.Fields
	}
	return nil
}

// parse reads all rows of the workbook before anything else is done for any of them. It stops at the limit.
func (r *importRun) parse(data []byte) error {
	wb, err := sheet.Open(bytes.NewReader(data), int64(len(data)), sheet.DefaultLimits())
	if err != nil {
		return err
	}
	r.job.OtherSheets, r.job.HiddenSheet = wb.OtherSheets(), wb.Hidden()
	r.job.HiddenRows, r.job.DroppedTimes = 0, nil
	header, err := wb.Header()
	if err != nil {
		return err
	}
	matched, invalid := sheet.MatchHeadings(header, headings())
	if len(invalid) > 0 {
		r.setHeadingMarks(wb, header.Number, matched, invalid)
		return fault.New(fault.Invalid, "headings", "Some headings of the sheet are wrong, so nothing was imported. "+
			"Fix the columns listed and upload the file again. An export shows the correct headings.").WithFields(invalid...)
	}
	r.reader = rowReader{columns: columns(), headings: matched, dateFormat: r.job.Options.DateFormat}
	for row, err := range wb.Data(MaxRows) {
		if err != nil {
			r.rows = nil
			return err
		}
		if matched.IsEmpty(row) {
			continue
		}
		if row.Hidden {
			r.job.HiddenRows++
		}
		in := r.reader.read(row)
		r.job.DroppedTimes = append(r.job.DroppedTimes, in.droppedTimes...)
		r.job.DroppedTimes = r.job.DroppedTimes[:min(len(r.job.DroppedTimes), maxDroppedTimes)]
		r.addRow(in, importedRow{})
	}
	if r.job.Counts.Rows = len(r.rows); len(r.rows) == 0 {
		return fault.New(fault.Invalid, "noRows",
			"The sheet has headings but no rows. Add a row for each account and upload the file again.")
	}
	return nil
}

// execute checks all rows, stages them and commits. It sets FinalState if the import cannot go on.
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
		r.refuse(Failed, "overtaken", "Other people changed accounts of this job each time it was about to finish. "+
			"Nothing was changed. Try again later.")
	default:
		return err
	}
	return nil
}

// actorScope returns the scope of the job's actor as of now.
func (w *Worker) actorScope(ctx context.Context, job Job) (access.Scope, error) {
	scope, err := w.Directory.Actor(ctx, job.Env, job.ByID)
	scope.Caller.AuthenticatedAt, scope.Caller.RequestedAt = job.ProvedAt, job.Submitted
	if job.ByKey != "" {
		scope.Caller = scope.Caller.AsAPIKey(job.ByKey)
	}
	return scope, err
}

// loadActor reads the actor's permissions, which may have changed since the submit (V76).
func (r *importRun) loadActor(ctx context.Context) error {
	scope, err := r.actorScope(ctx, r.job)
	if fault.Is(err, fault.Forbidden) || (err == nil && !scope.Caller.May(access.AccountImport)) {
		r.refuse(Failed, "rightsRevoked",
			"The person who submitted this job no longer has permission to import. Nothing was changed.")
		return nil
	}
	r.scope = scope
	return err
}

// finishDryRun ends a dry run. Its report says what each row would change.
func (r *importRun) finishDryRun(ctx context.Context) error {
	if err := r.writeReport(ctx); err != nil {
		return err
	}
	r.job.State, r.job.Ended = Done, r.now()
	return r.Jobs.Save(ctx, r.job)
}

// stage writes the rows under the import's number, which no reader sees yet. A worker that resumes must have the same
// permissions and the same failed rows as the one before, else what that one staged is out of date.
func (r *importRun) stage(ctx context.Context) error {
	permissions, failedRows := r.permissionsFingerprint(), r.failedRowsFingerprint()
	if r.job.State != Writing {
		if err := r.writeRowRefs(ctx); err != nil {
			return err
		}
		r.job.CatalogueVersion, r.job.FileHash = r.scope.Env.CatalogueVersion, r.fileHash
		r.job.PermissionsFingerprint, r.job.FailedRowsFingerprint = permissions, failedRows
		job, err := r.Staging.Begin(ctx, r.job)
		if err != nil {
			return err
		}
		r.job = job
	} else if r.job.PermissionsFingerprint != permissions || r.job.FailedRowsFingerprint != failedRows {
		return ErrStale
	}
	rows := r.stagedRows()
	if err := r.assignNumbers(ctx, rows); err != nil {
		return err
	}
	r.startResultSheet()
	for len(rows) > 0 {
		n, err := r.Staging.Stage(ctx, r.job, rows)
		if err != nil {
			return err
		}
		r.job.NextRow = rows[n-1].NextRow
		rows = rows[n:]
	}
	return nil
}

// permissionsFingerprint identifies the permissions of the actor.
func (r *importRun) permissionsFingerprint() string {
	held := make([]string, 0, len(r.scope.Caller.Permissions))
	for p := range r.scope.Caller.Permissions {
		held = append(held, string(p))
	}
	slices.Sort(held)
	return sha256Hex([]byte(strings.Join(held, " ")))[:16]
}

// failedRowsFingerprint identifies the failed rows; "" for none.
func (r *importRun) failedRowsFingerprint() string {
	var indexes []byte
	for i := range r.rows {
		if r.rows[i].failed() {
			indexes = strconv.AppendInt(append(indexes, ' '), int64(i), 10)
		}
	}
	if indexes == nil {
		return ""
	}
	return sha256Hex(indexes)[:16]
}

func sha256Hex(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// commit writes the report, checks the actor and the file once more, and commits the import.
func (r *importRun) commit(ctx context.Context) error {
	if err := r.writeReport(ctx); err != nil {
		return err
	}
	checkedBy := r.scope.Caller.Permissions
	if err := r.loadActor(ctx); err != nil || r.job.FinalState != "" {
		return err
	}
	if len(r.scope.Caller.Permissions.Missing(checkedBy)) > 0 {
		return ErrStale // rows may grant what the actor no longer holds (V61)
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

// verifyFile refuses the import if the file is not the one that was read (V76, C44).
func (r *importRun) verifyFile(ctx context.Context) error {
	if r.job.Kind == Undo {
		return nil
	}
	data, err := r.Files.Get(ctx, r.job.File)
	if fault.Is(err, fault.NotFound) || (err == nil && sha256Hex(data) != r.fileHash) {
		r.refuse(Failed, "fileGone", "The uploaded file was removed or replaced during the import. Nothing was imported. "+
			"Start a new import and upload the file again.")
		return nil
	}
	return err
}
