package transfer

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/resource"
)

// An undo is an import of its own, of which the rows come from the report of the other and the values from what the table keeps
// beside what that one wrote. The table keeps the former image of an account, exactly, for as long as nobody writes it, and
// with it the number of the import. Whoever writes it takes both away. So what can be given back is what was not edited since,
// and neither can be mistaken: no copy in a file says as much. The report says only which rows there were.

// Undoing is what an undo needs of the store besides what an import does.
type Undoing interface {
	// Held says in words what keeps accounts of the ids from being taken away, for those that something belongs to by now.
	Held(ctx context.Context, ids []string) (map[string]string, error)
	// Namers returns who is whose manager: the folded codes of the resources that name each folded code.
	Namers(ctx context.Context, env environment.Environment) (map[string][]string, error)
	// Sweep removes what a committed undo left of the accounts that it took away, which nobody sees any more, and writes the
	// environment's log; nil rows are looked for. It may be called again.
	Sweep(ctx context.Context, j Job, rows []Trace) error
}

// The outcomes of a row of an undo.
const (
	RowUndone      Outcome = "undone"
	RowEditedSince Outcome = "editedSince"
	RowInUse       Outcome = "inUse"
)

// formerRow is a row of the import that is undone.
type formerRow struct {
	made bool
	// account and staff say which of the two the import changed.
	account, staff bool
}

// openUndo reads which rows the import had.
func (r *importRun) openUndo(ctx context.Context) error {
	body, err := r.Files.Get(ctx, File{Key: Job{Env: r.job.Env, ID: r.job.Undoes, ReportBy: r.job.UndoesReport}.ReportKey()})
	if fault.Is(err, fault.NotFound) {
		r.lose("reportGone", "The result of each row of the import is not there any more, so it cannot be undone.")
		return nil
	}
	if err != nil {
		return err
	}
	var rows []Row
	if err := json.Unmarshal(body, &rows); err != nil {
		return fmt.Errorf("read report: %w", err)
	}
	r.hash = hashOf(body)
	r.in = reader{columns: columns(), format: r.job.Options.DateFormat}
	for _, row := range rows {
		if row.Outcome != RowCreated && row.Outcome != RowUpdated {
			continue
		}
		was := formerRow{made: row.Outcome == RowCreated, account: row.Outcome == RowCreated}
		for _, change := range row.Changes {
			i := slices.IndexFunc(r.in.columns, func(c column) bool { return c.heading == change.Field })
			linked := change.Field == resourceHeading
			was.account = was.account || linked || i < 0 || r.in.columns[i].field != ""
			was.staff = was.staff || linked || i >= 0 && r.in.columns[i].staff != ""
		}
		r.lines = append(r.lines, line{number: row.Row, username: row.Username, patch: map[string]any{}})
		r.former = append(r.former, was)
	}
	r.job.Counts.Rows = len(r.lines)
	return nil
}

// checkUndo works out what each row would give back and what stands against it. What stands against one row leaves that one as
// it is, and those that depend on it.
func (r *importRun) checkUndo(ctx context.Context) error {
	r.rows, r.plans, r.todo = make([]Row, len(r.lines)), make([]plan, len(r.lines)), nil
	if err := r.look(ctx); err != nil {
		return err
	}
	if err := r.lookForUndone(ctx); err != nil {
		return err
	}
	ids := []string{}
	for i := range r.plans {
		if r.former[i].made && r.unedited(i) {
			ids = append(ids, r.plans[i].found.Account.ID)
		}
	}
	held, err := r.Undoing.Held(ctx, ids)
	if err != nil {
		return err
	}
	for i := range r.lines {
		if err := r.prepareUndo(ctx, i, held); err != nil {
			return err
		}
		if err := r.checked(ctx, i+1); err != nil {
			return err
		}
	}
	if err := r.unnamed(ctx); err != nil {
		return err
	}
	return r.conclude(ctx)
}

// lookForUndone reads the resources of the rows' accounts, and the managers that those would get back.
func (r *importRun) lookForUndone(ctx context.Context) error {
	r.made, r.named = map[string]int{}, map[string]bool{}
	var codes []string
	add := func(code string) {
		if code != "" && !slices.Contains(codes, foldCode(code)) {
			codes = append(codes, foldCode(code))
		}
	}
	for i := range r.plans {
		codes = append(codes, foldCode(r.plans[i].found.Account.Resource))
	}
	codes = slices.DeleteFunc(codes, func(code string) bool { return code == "" })
	if len(codes) == 0 {
		return nil
	}
	var err error
	if r.staff, err = r.Resources.Resources(ctx, r.scope.Env, r.job.Import, codes); err != nil {
		return err
	}
	codes = codes[:0]
	for _, found := range r.staff {
		if found.Former != nil {
			add(found.Former.Manager)
		}
	}
	codes = slices.DeleteFunc(codes, func(code string) bool { _, have := r.staff[code]; return have })
	managers, err := r.Resources.Resources(ctx, r.scope.Env, r.job.Import, codes)
	for code, found := range managers {
		r.staff[code] = found
	}
	return err
}

// unedited reports whether the row's account is as the import that is undone left it.
func (r *importRun) unedited(i int) bool {
	f := r.plans[i].found
	return f.Exists && !f.Staged && !f.Busy && f.Account.Stored.Import == r.job.UndoesImport && (f.Former == nil) == r.former[i].made
}

// against notes why a row cannot be undone.
func (r *importRun) against(i int, heading, code, message string) {
	r.wrong(i, fault.Field{Field: heading, Code: code, Message: message})
}

const editedSince, inUse = "editedSince", "inUse"

// prepareUndo plans what one row gives back, nothing if something stands against it.
func (r *importRun) prepareUndo(ctx context.Context, i int, held map[string]string) error {
	p, was := &r.plans[i], r.former[i]
	r.rows[i].Outcome = RowUndone
	switch found := p.found; {
	case found.Busy:
		r.against(i, usernameHeading, "busy", "Another import is changing this account; undo this one again when that has ended.")
	case found.Staged:
		p.whole = account.Write{Before: &found.Account, After: found.Written, Gone: found.Gone}
		if found.Gone {
			p.whole.After = account.Account{ID: found.Account.ID}
		}
		return nil
	case !found.Exists:
		r.against(i, usernameHeading, editedSince, "There is no account of this username any more: it was renamed or deleted since the import.")
	case was.account && !r.unedited(i):
		r.against(i, usernameHeading, editedSince, "The account was edited since the import, and is left as it is.")
	case was.made && !found.Account.LastLogin.IsZero():
		r.against(i, usernameHeading, inUse, "The account has signed in since the import; lock it instead.")
	case was.made && held[found.Account.ID] != "":
		r.against(i, usernameHeading, inUse, "The account has been used since the import: "+held[found.Account.ID])
	default:
		return r.giveBackRow(ctx, i)
	}
	return nil
}

// giveBackRow plans the write of a row against which nothing stands so far.
func (r *importRun) giveBackRow(ctx context.Context, i int) error {
	p, was := &r.plans[i], r.former[i]
	var (
		w   account.Write
		err error
	)
	switch {
	case was.made:
		w, err = r.Rules.Unmake(r.scope, p.found.Account)
	case was.account:
		w, err = r.Rules.Restore(r.scope, p.found.Account, *p.found.Former, r.now())
	}
	if err != nil {
		return r.refuseRow(i, err, headingOf)
	}
	if err := r.giveBackStaff(ctx, i, w); err != nil || len(r.rows[i].Errors) > 0 {
		return err
	}
	if w.Event.Kind == "" && !w.Gone {
		if p.staff == nil && !p.employed {
			r.rows[i].Outcome = RowUnchanged
		}
		return nil
	}
	w.Event.ID, w.Event.Job, w.Event.Row = r.job.ID, r.job.ID, r.lines[i].number
	r.lines[i].patch["email"] = w.After.Email // by which its key is found again
	p.write, p.whole = &w, w
	return nil
}

// giveBackStaff plans what becomes of the resource of a row's account: one that the import made goes, another gets its fields
// back, and belongs to nobody again if it did.
func (r *importRun) giveBackStaff(ctx context.Context, i int, w account.Write) error {
	p := &r.plans[i]
	code := p.found.Account.Resource
	loses := code != "" && w.Before != nil && w.After.Resource == ""
	if code == "" || !loses && !r.former[i].staff {
		return nil
	}
	found := r.staff[foldCode(code)]
	switch {
	case found.Staged:
		p.employed = true
		return nil
	case found.Busy:
		r.against(i, resourceHeading, "busy", "Another import is changing this account's resource; undo this one again when that has ended.")
		return nil
	case !found.Exists || found.Resource.Stored.Import != r.job.UndoesImport:
		r.against(i, resourceHeading, editedSince, "The resource "+code+" was edited since the import, and account and resource are left as they are.")
		return nil
	case !r.scope.Caller.May(access.ResourceWrite):
		r.against(i, resourceHeading, "forbidden", "Changing resources needs the permission resource.write, which you do not hold.")
		return nil
	case found.Former == nil:
		p.staff = &resource.Write{Before: &found.Resource, After: found.Resource, Deleted: true}
		return nil
	}
	staff, err := r.rulesFor(i).Restore(ctx, r.scope, found.Resource, *found.Former, r.now())
	if err != nil {
		return r.refuseRow(i, err, staffHeadingOf)
	}
	if staff.Event.Kind == "" {
		return nil
	}
	staff = r.logged(i, staff)
	if staff.After.AccountID == "" {
		staff.Event.Kind = "" // the account's own line tells of the link
	}
	p.staff = &staff
	return nil
}

// unnamed refuses to take away a resource that somebody has as a manager, unless that is undone with it.
func (r *importRun) unnamed(ctx context.Context) error {
	var namers map[string][]string
	rowOf := map[string]int{}
	for i := range r.plans {
		rowOf[foldCode(r.plans[i].found.Account.Resource)] = i
	}
	for i := range r.plans {
		staff := r.plans[i].staff
		if staff == nil || !staff.Deleted || len(r.rows[i].Errors) > 0 {
			continue
		}
		key := staff.Before.Key()
		for _, group := range r.scope.Catalogue.All(catalogue.ResourceGroup) {
			if foldCode(group.Defaults.Manager) == key {
				r.against(i, resourceHeading, inUse, "The resource group "+group.Code+" has the resource as its default manager by now.")
			}
		}
		if staff.Before.Stored.Named > 0 && namers == nil {
			var err error
			if namers, err = r.Undoing.Namers(ctx, r.scope.Env); err != nil {
				return err
			}
		}
		for _, namer := range namers[key] {
			r.without(i, key, namer, rowOf)
		}
	}
	return nil
}

// without makes the removal of a row's resource depend on the row that takes it out as the manager of another.
func (r *importRun) without(i int, key, namer string, rowOf map[string]int) {
	message := "The resource is by now the manager of the resource " + namer + "."
	j, ours := rowOf[namer]
	if ours && (r.plans[j].found.Staged || r.plans[j].employed && foldCode(r.staff[namer].Written.Manager) != key) {
		return // an earlier worker staged that
	}
	if staff := (*resource.Write)(nil); ours {
		if staff = r.plans[j].staff; staff != nil && (staff.Deleted || foldCode(staff.After.Manager) != key) {
			if j != i {
				r.plans[i].needs = append(r.plans[i].needs, need{j, resourceHeading, message})
			}
			return
		}
	}
	r.against(i, resourceHeading, inUse, message)
}

// outcomeOfWrong is what became of a row that something stands against.
func (r *importRun) outcomeOfWrong(i int) Outcome {
	if r.job.Kind == Undo {
		for _, e := range r.rows[i].Errors {
			if e.Code == editedSince || e.Code == inUse {
				return Outcome(e.Code)
			}
		}
	}
	return RowFailed
}

// readersEnd is how long after an undo counts somebody may still read by the environment as it was before: to them what the undo
// takes away has to be there, like the rest of it.
const readersEnd = 3 * time.Second

// sweep clears up after an undo that was committed.
func (w *Worker) sweep(ctx context.Context, job Job) error {
	if job.Kind != Undo || job.State != Done {
		return nil
	}
	if left := job.Ended.Add(readersEnd).Sub(w.Now()); left > 0 && w.Sleep != nil {
		if err := w.Sleep(ctx, left); err != nil {
			return err
		}
	}
	rows, err := w.tracesOf(ctx, job)
	if err != nil {
		return err
	}
	return w.Undoing.Sweep(ctx, job, rows)
}

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
