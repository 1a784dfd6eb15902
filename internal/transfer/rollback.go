package transfer

import (
	"cmp"
	"context"

	"github.com/go-json-experiment/json"

	"useraccounts/internal/account"
	"useraccounts/internal/fault"
)

// rollback removes what was staged and ends the job in its FinalState. again is true if the import starts again.
func (r *importRun) rollback(ctx context.Context) (again bool, err error) {
	r.resultSheet = nil // it shows the outcome of a commit
	r.resetCounts()
	if err := r.writeFinalResults(ctx); err != nil {
		return false, err
	}
	if r.job.ImportID != 0 {
		if err := r.removeStaged(ctx); err != nil {
			return false, err
		}
	}
	again = r.job.FinalState == Checking
	r.job.State, r.job.FinalState, r.job.NextRow = r.job.FinalState, "", 0
	r.job.FirstNumber, r.job.NumberCount = 0, 0
	if again {
		r.job.Restarts++
	} else {
		r.job.Ended = r.now()
	}
	if err := r.Staging.FinishRollback(ctx, r.job); err != nil {
		return false, err
	}
	r.job.ImportID = 0
	return again, nil
}

// writeFinalResults writes the report of a job that ends without a commit. A restart only drops the report of the
// commit that failed.
func (r *importRun) writeFinalResults(ctx context.Context) error {
	switch {
	case r.job.FinalState == Checking:
		r.job.HasReport, r.job.HasResultSheet = false, false
		return nil
	case r.checked && len(r.rows) > 0:
		return r.writeReport(ctx)
	case r.headingMarks != nil:
		return r.writeHeadingsSheet(ctx)
	}
	return nil
}

// removeStaged removes the rows that were staged.
func (r *importRun) removeStaged(ctx context.Context) error {
	if r.job.State != RollingBack {
		r.job.State = RollingBack
		if err := r.Jobs.Save(ctx, r.job); err != nil {
			return err
		}
	}
	refs, err := r.stagedRefs(ctx)
	if err != nil {
		return err
	}
	return r.Staging.Rollback(ctx, r.job, refs)
}

// resetCounts sets the counts and outcomes of an import that changed nothing.
func (r *importRun) resetCounts() {
	c := &r.job.Counts
	c.Skipped = max(0, c.Rows-c.Failed)
	c.Created, c.Updated, c.Unchanged, c.Undone = 0, 0, 0, 0
	for i := range r.rows {
		if row := &r.rows[i]; !row.failed() {
			row.result.Outcome = RowSkipped
		}
	}
}

// abort ends a job whose file can no longer be used, after a rollback of what was staged.
func (r *importRun) abort(code, detail string) {
	if r.job.FinalState == "" {
		r.refuse(Failed, code, detail)
		r.job.State = r.rollbackState(r.job)
	}
}

// rowRefs returns the keys of all rows. Rows that were not checked have no account yet.
func (r *importRun) rowRefs() []RowRef {
	out := make([]RowRef, 0, len(r.rows))
	for i := range r.rows {
		input, state := &r.rows[i].input, &r.rows[i].plan.account
		username, ok := account.Normalise(input.username)
		if !ok {
			continue
		}
		email, _ := input.patch["email"].(string)
		email, _ = account.Normalise(email)
		ref := RowRef{Username: username, Email: email, Resource: foldCode(input.resourceCode())}
		if state.Exists {
			ref.ID = state.Account.ID
			ref.Resource = cmp.Or(ref.Resource, foldCode(state.Account.Resource))
		}
		out = append(out, ref)
	}
	return out
}

// stagedRefs returns the keys of the rows that were staged, as written before staging. If that file is gone they are
// those of the uploaded file, and else nil: then the store looks for the import's number.
func (r *importRun) stagedRefs(ctx context.Context) ([]RowRef, error) {
	refs, err := r.readRowRefs(ctx, r.job)
	if refs == nil && err == nil && len(r.rows) > 0 && r.job.FileHash == r.fileHash && r.job.Kind == Import {
		refs = r.rowRefs()
	}
	return refs, err
}

// readRowRefs reads the keys that writeRowRefs wrote; nil if that file is gone.
func (w *Worker) readRowRefs(ctx context.Context, job Job) ([]RowRef, error) {
	body, err := w.Files.Get(ctx, File{Key: job.RowRefsKey()})
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []RowRef
	return out, json.Unmarshal(body, &out)
}

// writeRowRefs stores the keys of all rows before the first one is staged. So staged rows are found even if the
// uploaded file is gone.
func (r *importRun) writeRowRefs(ctx context.Context) error {
	body, err := json.Marshal(r.rowRefs())
	if err != nil {
		return err
	}
	r.job.RowRefsEpoch = r.job.Epoch
	return r.Files.Put(ctx, r.job.RowRefsKey(), "application/json", body)
}
