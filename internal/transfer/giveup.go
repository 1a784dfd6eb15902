package transfer

import (
	"cmp"
	"context"

	"github.com/go-json-experiment/json"

	"useraccounts/internal/account"
	"useraccounts/internal/fault"
)

// giveUp takes back what was staged and ends the job as decided, or says to start again.
func (r *importRun) giveUp(ctx context.Context) (again bool, err error) {
	as := r.job.EndAs
	r.marked = nil // it tells of what will not be
	r.discount()
	if as == Checking {
		r.job.Report, r.job.Sheet = false, false // one that was to be committed tells of what did not happen
	} else if len(r.rows) > 0 {
		if err := r.report(ctx); err != nil {
			return false, err
		}
	} else if r.heads != nil {
		if err := r.giveBackHeadings(ctx); err != nil {
			return false, err
		}
	}
	if r.job.Import != 0 {
		if r.job.State != RollingBack {
			r.job.State = RollingBack
			if err := r.Jobs.Save(ctx, r.job); err != nil {
				return false, err
			}
		}
		rows, err := r.traces(ctx)
		if err != nil {
			return false, err
		}
		if err := r.Staging.TakeBack(ctx, r.job, rows); err != nil {
			return false, err
		}
	}
	r.job.State, r.job.EndAs, r.job.Next = as, "", 0
	r.job.FirstNumber, r.job.Numbers = 0, 0
	if as == Checking {
		r.job.Restarts++
	} else {
		r.job.Ended = r.now()
	}
	if err := r.Staging.Close(ctx, r.job); err != nil {
		return false, err
	}
	r.job.Import = 0
	return as == Checking, nil
}

// discount sets the counts of an import of which nothing counts.
func (r *importRun) discount() {
	c := &r.job.Counts
	c.Skipped = max(0, c.Rows-c.Failed)
	c.Created, c.Updated, c.Unchanged, c.Undone = 0, 0, 0, 0
	for i := range r.rows {
		if len(r.rows[i].Errors) == 0 {
			r.rows[i].Outcome = RowSkipped
		}
	}
}

// traces returns where rows are staged; plans, which say what there was for each, may be missing.
func traces(lines []line, plans []plan) []Trace {
	out := make([]Trace, 0, len(lines))
	for i, l := range lines {
		username, ok := account.Normalise(l.username)
		if !ok {
			continue
		}
		email, _ := l.patch["email"].(string)
		email, _ = account.Normalise(email)
		trace := Trace{Username: username, Email: email, Resource: foldCode(l.code())}
		if i < len(plans) && plans[i].found.Exists {
			trace.ID = plans[i].found.Account.ID
			trace.Resource = cmp.Or(trace.Resource, foldCode(plans[i].found.Account.Resource))
		}
		out = append(out, trace)
	}
	return out
}

// traces returns where the rows of a job were staged: as was written down before the first was, or else as its file says.
func (r *importRun) traces(ctx context.Context) ([]Trace, error) {
	rows, err := r.tracesOf(ctx, r.job)
	if rows == nil && err == nil && len(r.lines) > 0 && r.job.FileHash == r.hash && r.job.Kind == Import {
		rows = traces(r.lines, nil)
	}
	return rows, err
}

// tracesOf reads what was written down; nil, for what the store finds by the number, if that is gone as well.
func (w *Worker) tracesOf(ctx context.Context, job Job) ([]Trace, error) {
	body, err := w.Files.Get(ctx, File{Key: job.TracesKey()})
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []Trace
	return out, json.Unmarshal(body, &out)
}

// trace writes down where the rows will be staged, before the first is: whatever becomes of the uploaded file, they are found.
func (r *importRun) trace(ctx context.Context) error {
	body, err := json.Marshal(traces(r.lines, r.plans))
	if err != nil {
		return err
	}
	r.job.TracesBy = r.job.Epoch
	return r.Files.Put(ctx, r.job.TracesKey(), "application/json", body)
}

// lose ends a job whose file is gone, with what it staged taken back.
func (r *importRun) lose(code, detail string) {
	if r.job.EndAs == "" {
		r.refuse(Failed, code, detail)
		r.job.State = r.undoState(r.job)
	}
}
