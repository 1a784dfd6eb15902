package transfer

import (
	"cmp"
	"context"

	"github.com/go-json-experiment/json"

	"useraccounts/internal/account"
	"useraccounts/internal/fault"
)

// rollback takes back what was staged and ends the job as decided, or says to start again.
func (r *importRun) rollback(ctx context.Context) (again bool, err error) {
	as := r.job.FinalState
	r.resultSheet = nil // it tells of what will not be
	r.resetCounts()
	if as == Checking {
		r.job.HasReport, r.job.HasResultSheet = false, false // one that was to be committed tells of what did not happen
	} else if len(r.rows) > 0 {
		if err := r.writeReport(ctx); err != nil {
			return false, err
		}
	} else if r.headingMarks != nil {
		if err := r.writeHeadingsSheet(ctx); err != nil {
			return false, err
		}
	}
	if r.job.ImportID != 0 {
		if r.job.State != RollingBack {
			r.job.State = RollingBack
			if err := r.Jobs.Save(ctx, r.job); err != nil {
				return false, err
			}
		}
		rows, err := r.rowRefs(ctx)
		if err != nil {
			return false, err
		}
		if err := r.Staging.Rollback(ctx, r.job, rows); err != nil {
			return false, err
		}
	}
	r.job.State, r.job.FinalState, r.job.NextRow = as, "", 0
	r.job.FirstNumber, r.job.NumberCount = 0, 0
	if as == Checking {
		r.job.Restarts++
	} else {
		r.job.Ended = r.now()
	}
	if err := r.Staging.FinishRollback(ctx, r.job); err != nil {
		return false, err
	}
	r.job.ImportID = 0
	return as == Checking, nil
}

// resetCounts sets the counts of an import of which nothing counts.
func (r *importRun) resetCounts() {
	c := &r.job.Counts
	c.Skipped = max(0, c.Rows-c.Failed)
	c.Created, c.Updated, c.Unchanged, c.Undone = 0, 0, 0, 0
	for i := range r.rows {
		if len(r.rows[i].Errors) == 0 {
			r.rows[i].Outcome = RowSkipped
		}
	}
}

// rowRefsOf returns where rows are staged; plans, which say what there was for each, may be missing.
func rowRefsOf(lines []rowInput, plans []rowPlan) []RowRef {
	out := make([]RowRef, 0, len(lines))
	for i, l := range lines {
		username, ok := account.Normalise(l.username)
		if !ok {
			continue
		}
		email, _ := l.patch["email"].(string)
		email, _ = account.Normalise(email)
		trace := RowRef{Username: username, Email: email, Resource: foldCode(l.resourceCode())}
		if i < len(plans) && plans[i].account.Exists {
			trace.ID = plans[i].account.Account.ID
			trace.Resource = cmp.Or(trace.Resource, foldCode(plans[i].account.Account.Resource))
		}
		out = append(out, trace)
	}
	return out
}

// rowRefs returns where the rows of a job were staged: as was written down before the first was, or else as its file
// says.
func (r *importRun) rowRefs(ctx context.Context) ([]RowRef, error) {
	rows, err := r.readRowRefs(ctx, r.job)
	if rows == nil && err == nil && len(r.lines) > 0 && r.job.FileHash == r.fileHash && r.job.Kind == Import {
		rows = rowRefsOf(r.lines, nil)
	}
	return rows, err
}

// readRowRefs reads what was written down; nil, for what the store finds by the number, if that is gone as well.
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

// writeRowRefs writes down where the rows will be staged, before the first is: whatever becomes of the uploaded file,
// they are found.
func (r *importRun) writeRowRefs(ctx context.Context) error {
	body, err := json.Marshal(rowRefsOf(r.lines, r.plans))
	if err != nil {
		return err
	}
	r.job.RowRefsEpoch = r.job.Epoch
	return r.Files.Put(ctx, r.job.RowRefsKey(), "application/json", body)
}

// abort ends a job whose file is gone, with what it staged taken back.
func (r *importRun) abort(code, detail string) {
	if r.job.FinalState == "" {
		r.refuse(Failed, code, detail)
		r.job.State = r.rollbackState(r.job)
	}
}
