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

// An undo is an import of its own, of which the rows come from the report of the other and the values from what the
// table keeps beside what that one wrote. The table keeps the former image of an account, exactly, for as long as
// nobody writes it, and with it the number of the import. Whoever writes it takes both away. So what can be given back
// is what was not edited since, and neither can be mistaken: no copy in a file says as much. The report says only which
// rows there were.

// UndoStore is what an undo needs of the store besides what an import does.
type UndoStore interface {
	// Dependents says in words what keeps accounts of the ids from being taken away, for those that something belongs to
	// by now.
	Dependents(ctx context.Context, ids []string) (map[string]string, error)
	// DirectReports returns who is whose manager: the folded codes of the resources that name each folded code.
	DirectReports(ctx context.Context, env environment.Environment) (map[string][]string, error)
	// PurgeTombstones removes what a committed undo left of the accounts that it took away, which nobody sees any more,
	// and writes the environment's log; nil rows are looked for. It may be called again.
	PurgeTombstones(ctx context.Context, j Job, rows []RowRef) error
}

// The outcomes of a row of an undo.
const (
	RowUndone      Outcome = "undone"
	RowEditedSince Outcome = "editedSince"
	RowInUse       Outcome = "inUse"
)

// importedRow is a row of the import that is undone.
type importedRow struct {
	created bool
	// account and staff say which of the two the import changed.
	account, resource bool
}

// loadUndo reads which rows the import had.
func (r *importRun) loadUndo(ctx context.Context) error {
	body, err := r.Files.Get(ctx,
		File{Key: Job{Env: r.job.Env, ID: r.job.UndoesJobID, ReportEpoch: r.job.UndoesReportEpoch}.ReportKey()})
	if fault.Is(err, fault.NotFound) {
		r.abort("reportGone", "The result of each row of the import is not there any more, so it cannot be undone.")
		return nil
	}
	if err != nil {
		return err
	}
	var rows []Row
	if err := json.Unmarshal(body, &rows); err != nil {
		return fmt.Errorf("read report: %w", err)
	}
	r.fileHash = sha256Hex(body)
	r.reader = rowReader{columns: columns(), dateFormat: r.job.Options.DateFormat}
	for _, row := range rows {
		if row.Outcome != RowCreated && row.Outcome != RowUpdated {
			continue
		}
		was := importedRow{created: row.Outcome == RowCreated, account: row.Outcome == RowCreated}
		for _, change := range row.Changes {
			i := slices.IndexFunc(r.reader.columns, func(c column) bool { return c.heading == change.Field })
			linked := change.Field == resourceHeading
			was.account = was.account || linked || i < 0 || r.reader.columns[i].accountField != ""
			was.resource = was.resource || linked || i >= 0 && r.reader.columns[i].resourceField != ""
		}
		r.lines = append(r.lines, rowInput{number: row.Row, username: row.Username, patch: map[string]any{}})
		r.importedRows = append(r.importedRows, was)
	}
	r.job.Counts.Rows = len(r.lines)
	return nil
}

// checkUndo works out what each row would give back and what stands against it. What stands against one row leaves that
// one as it is, and those that depend on it.
func (r *importRun) checkUndo(ctx context.Context) error {
	r.rows, r.plans, r.toStage = make([]Row, len(r.lines)), make([]rowPlan, len(r.lines)), nil
	if err := r.loadAccounts(ctx); err != nil {
		return err
	}
	if err := r.loadResourcesToRestore(ctx); err != nil {
		return err
	}
	ids := []string{}
	for i := range r.plans {
		if r.importedRows[i].created && r.unedited(i) {
			ids = append(ids, r.plans[i].account.Account.ID)
		}
	}
	held, err := r.UndoStore.Dependents(ctx, ids)
	if err != nil {
		return err
	}
	for i := range r.lines {
		if err := r.planUndo(ctx, i, held); err != nil {
			return err
		}
		if err := r.saveProgress(ctx, i+1); err != nil {
			return err
		}
	}
	if err := r.checkDirectReports(ctx); err != nil {
		return err
	}
	return r.finishCheck(ctx)
}

// loadResourcesToRestore reads the resources of the rows' accounts, and the managers that those would get back.
func (r *importRun) loadResourcesToRestore(ctx context.Context) error {
	r.newResources, r.newManagers = map[string]int{}, map[string]bool{}
	var codes []string
	add := func(code string) {
		if code != "" && !slices.Contains(codes, foldCode(code)) {
			codes = append(codes, foldCode(code))
		}
	}
	for i := range r.plans {
		codes = append(codes, foldCode(r.plans[i].account.Account.Resource))
	}
	codes = slices.DeleteFunc(codes, func(code string) bool { return code == "" })
	if len(codes) == 0 {
		return nil
	}
	var err error
	if r.resources, err = r.Resources.ResourcesByCode(ctx, r.scope.Env, r.job.ImportID, codes); err != nil {
		return err
	}
	codes = codes[:0]
	for _, found := range r.resources {
		if found.Previous != nil {
			add(found.Previous.Manager)
		}
	}
	codes = slices.DeleteFunc(codes, func(code string) bool { _, have := r.resources[code]; return have })
	managers, err := r.Resources.ResourcesByCode(ctx, r.scope.Env, r.job.ImportID, codes)
	for code, found := range managers {
		r.resources[code] = found
	}
	return err
}

// unedited reports whether the row's account is as the import that is undone left it.
func (r *importRun) unedited(i int) bool {
	f := r.plans[i].account
	return f.Exists && !f.Staged && !f.Busy && f.Account.Stored.Import == r.job.UndoesImportID &&
		(f.Previous == nil) == r.importedRows[i].created
}

// addObstacle notes why a row cannot be undone.
func (r *importRun) addObstacle(i int, heading, code, message string) {
	r.addError(i, fault.Field{Field: heading, Code: code, Message: message})
}

const codeEditedSince, codeInUse = "editedSince", "inUse"

// planUndo plans what one row gives back, nothing if something stands against it.
func (r *importRun) planUndo(ctx context.Context, i int, held map[string]string) error {
	p, was := &r.plans[i], r.importedRows[i]
	r.rows[i].Outcome = RowUndone
	switch found := p.account; {
	case found.Busy:
		r.addObstacle(i, usernameHeading, "busy",
			"Another import is changing this account; undo this one again when that has ended.")
	case found.Staged:
		p.accountChange = account.Write{Before: &found.Account, After: found.StagedAccount, Tombstone: found.Tombstone}
		if found.Tombstone {
			p.accountChange.After = account.Account{ID: found.Account.ID}
		}
		return nil
	case !found.Exists:
		r.addObstacle(i, usernameHeading, codeEditedSince,
			"There is no account of this username any more: it was renamed or deleted since the import.")
	case was.account && !r.unedited(i):
		r.addObstacle(i, usernameHeading, codeEditedSince, "The account was edited since the import, and is left as it is.")
	case was.created && !found.Account.LastLogin.IsZero():
		r.addObstacle(i, usernameHeading, codeInUse, "The account has signed in since the import; lock it instead.")
	case was.created && held[found.Account.ID] != "":
		r.addObstacle(i, usernameHeading, codeInUse, "The account has been used since the import: "+held[found.Account.ID])
	default:
		return r.planRestore(ctx, i)
	}
	return nil
}

// planRestore plans the write of a row against which nothing stands so far.
func (r *importRun) planRestore(ctx context.Context, i int) error {
	p, was := &r.plans[i], r.importedRows[i]
	var (
		w   account.Write
		err error
	)
	switch {
	case was.created:
		w, err = r.Rules.UndoCreate(r.scope, p.account.Account)
	case was.account:
		w, err = r.Rules.Restore(r.scope, p.account.Account, *p.account.Previous, r.now())
	}
	if err != nil {
		return r.addFault(i, err, accountHeading)
	}
	if err := r.planResourceRestore(ctx, i, w); err != nil || len(r.rows[i].Errors) > 0 {
		return err
	}
	if w.Event.Kind == "" && !w.Tombstone {
		if p.stageResource == nil && !p.resourceStaged {
			r.rows[i].Outcome = RowUnchanged
		}
		return nil
	}
	w.Event.ID, w.Event.Job, w.Event.Row = r.job.ID, r.job.ID, r.lines[i].number
	r.lines[i].patch["email"] = w.After.Email // by which its key is found again
	p.stageAccount, p.accountChange = &w, w
	return nil
}

// planResourceRestore plans what becomes of the resource of a row's account: one that the import made goes, another
// gets its fields back, and belongs to nobody again if it did.
func (r *importRun) planResourceRestore(ctx context.Context, i int, w account.Write) error {
	p := &r.plans[i]
	code := p.account.Account.Resource
	loses := code != "" && w.Before != nil && w.After.Resource == ""
	if code == "" || !loses && !r.importedRows[i].resource {
		return nil
	}
	found := r.resources[foldCode(code)]
	switch {
	case found.Staged:
		p.resourceStaged = true
		return nil
	case found.Busy:
		r.addObstacle(i, resourceHeading, "busy",
			"Another import is changing this account's resource; undo this one again when that has ended.")
		return nil
	case !found.Exists || found.Resource.Stored.Import != r.job.UndoesImportID:
		r.addObstacle(i, resourceHeading, codeEditedSince,
			"The resource "+code+" was edited since the import, and account and resource are left as they are.")
		return nil
	case !r.scope.Caller.May(access.ResourceWrite):
		r.addObstacle(i, resourceHeading, "forbidden",
			"Changing resources needs the permission resource.write, which you do not hold.")
		return nil
	case found.Previous == nil:
		p.stageResource = &resource.Write{Before: &found.Resource, After: found.Resource, Deleted: true}
		return nil
	}
	staff, err := r.resourceRules(i).Restore(ctx, r.scope, found.Resource, *found.Previous, r.now())
	if err != nil {
		return r.addFault(i, err, fieldHeadingOfResource)
	}
	if staff.Event.Kind == "" {
		return nil
	}
	staff = r.withEvent(i, staff)
	if staff.After.AccountID == "" {
		staff.Event.Kind = "" // the account's own line tells of the link
	}
	p.stageResource = &staff
	return nil
}

// checkDirectReports refuses to take away a resource that somebody has as a manager, unless that is undone with it.
func (r *importRun) checkDirectReports(ctx context.Context) error {
	var namers map[string][]string
	rowOf := map[string]int{}
	for i := range r.plans {
		rowOf[foldCode(r.plans[i].account.Account.Resource)] = i
	}
	for i := range r.plans {
		staff := r.plans[i].stageResource
		if staff == nil || !staff.Deleted || len(r.rows[i].Errors) > 0 {
			continue
		}
		key := staff.Before.Key()
		for _, group := range r.scope.Catalogue.All(catalogue.ResourceGroup) {
			if foldCode(group.Defaults.Manager) == key {
				r.addObstacle(i, resourceHeading, codeInUse,
					"The resource group "+group.Code+" has the resource as its default manager by now.")
			}
		}
		if staff.Before.Stored.ReferenceCount > 0 && namers == nil {
			var err error
			if namers, err = r.UndoStore.DirectReports(ctx, r.scope.Env); err != nil {
				return err
			}
		}
		for _, namer := range namers[key] {
			r.dependOnReport(i, key, namer, rowOf)
		}
	}
	return nil
}

// dependOnReport makes the removal of a row's resource depend on the row that takes it out as the manager of another.
func (r *importRun) dependOnReport(i int, key, namer string, rowOf map[string]int) {
	message := "The resource is by now the manager of the resource " + namer + "."
	j, ours := rowOf[namer]
	if ours && (r.plans[j].account.Staged || r.plans[j].resourceStaged &&
		foldCode(r.resources[namer].StagedResource.Manager) != key) {
		return // an earlier worker staged that
	}
	if staff := (*resource.Write)(nil); ours {
		if staff = r.plans[j].stageResource; staff != nil && (staff.Deleted || foldCode(staff.After.Manager) != key) {
			if j != i {
				r.plans[i].dependencies = append(r.plans[i].dependencies, dependency{j, resourceHeading, message})
			}
			return
		}
	}
	r.addObstacle(i, resourceHeading, codeInUse, message)
}

// failedOutcome is what became of a row that something stands against.
func (r *importRun) failedOutcome(i int) Outcome {
	if r.job.Kind == Undo {
		for _, e := range r.rows[i].Errors {
			if e.Code == codeEditedSince || e.Code == codeInUse {
				return Outcome(e.Code)
			}
		}
	}
	return RowFailed
}

// snapshotLifetime is how long after an undo counts somebody may still read by the environment as it was before: to
// them what the undo takes away has to be there, like the rest of it.
const snapshotLifetime = 3 * time.Second

// purgeTombstones clears up after an undo that was committed.
func (w *Worker) purgeTombstones(ctx context.Context, job Job) error {
	if job.Kind != Undo || job.State != Done {
		return nil
	}
	if left := job.Ended.Add(snapshotLifetime).Sub(w.Now()); left > 0 && w.Sleep != nil {
		if err := w.Sleep(ctx, left); err != nil {
			return err
		}
	}
	rows, err := w.readRowRefs(ctx, job)
	if err != nil {
		return err
	}
	return w.UndoStore.PurgeTombstones(ctx, job, rows)
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
