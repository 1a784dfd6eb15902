package transfer

import (
	"context"
	"fmt"
	"maps"
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

// An undo is an import of its own. Its rows come from the report of the import that it undoes, and its values from the
// table. Beside what an import wrote, the table keeps the previous image of the account and the number of the import,
// until somebody writes the account again. So whatever can be restored was not edited since.

// UndoStore is what an undo needs of the store besides what an import does.
type UndoStore interface {
	// Dependents returns, in words, what forbids to remove an account, for those of the ids that have something.
	Dependents(ctx context.Context, ids []string) (map[string]string, error)
	// DirectReports returns the folded codes of the resources that each manager has, by the manager's folded code.
	DirectReports(ctx context.Context, env environment.Environment) (map[string][]string, error)
	// PurgeTombstones removes the accounts that a committed undo removed, which no reader sees any more, and writes the
	// environment's log. nil rows are looked for. It may be repeated.
	PurgeTombstones(ctx context.Context, j Job, rows []RowRef) error
}

// The outcomes of a row of an undo.
const (
	RowUndone      Outcome = "undone"
	RowEditedSince Outcome = "editedSince"
	RowInUse       Outcome = "inUse"
)

// importedRow is what the import did that is undone: whether it created the account, and which of account and resource
// it changed.
type importedRow struct{ created, account, resource bool }

// loadUndo reads from the import's report which rows it wrote.
func (r *importRun) loadUndo(ctx context.Context) error {
	report := Job{Env: r.job.Env, ID: r.job.UndoesJobID, ReportEpoch: r.job.UndoesReportEpoch}.ReportKey()
	body, err := r.Files.Get(ctx, File{Key: report})
	if fault.Is(err, fault.NotFound) {
		r.abort("reportGone", "The results of the import are no longer there, so it cannot be undone.")
		return nil
	}
	if err != nil {
		return err
	}
	var results []Row
	if err := json.Unmarshal(body, &results); err != nil {
		return fmt.Errorf("read report: %w", err)
	}
	r.fileHash = sha256Hex(body)
	r.reader = rowReader{columns: columns(), dateFormat: r.job.Options.DateFormat}
	for _, result := range results {
		if result.Outcome == RowCreated || result.Outcome == RowUpdated {
			r.addRow(rowInput{number: result.Row, username: result.Username, patch: map[string]any{}},
				importedBy(r.reader.columns, result))
		}
	}
	r.job.Counts.Rows = len(r.rows)
	return nil
}

// importedBy returns what an import did to a row, by its result.
func importedBy(columns []column, result Row) importedRow {
	created := result.Outcome == RowCreated
	out := importedRow{created: created, account: created}
	for _, change := range result.Changes {
		i := slices.IndexFunc(columns, func(c column) bool { return c.heading == change.Field })
		isLink := change.Field == resourceHeading // the link is a field of both
		out.account = out.account || isLink || i < 0 || columns[i].accountField != ""
		out.resource = out.resource || isLink || i >= 0 && columns[i].resourceField != ""
	}
	return out
}

// checkUndo plans what each row restores and finds what forbids it. A row that cannot be undone stays as it is, and so
// do the rows that depend on it.
func (r *importRun) checkUndo(ctx context.Context) error {
	if err := r.loadAccounts(ctx); err != nil {
		return err
	}
	if err := r.loadResourcesToRestore(ctx); err != nil {
		return err
	}
	ids := []string{}
	for i := range r.rows {
		if row := &r.rows[i]; row.imported.created && r.unedited(row) {
			ids = append(ids, row.plan.account.Account.ID)
		}
	}
	dependents, err := r.UndoStore.Dependents(ctx, ids)
	if err != nil {
		return err
	}
	for i := range r.rows {
		if err := r.planUndo(ctx, &r.rows[i], dependents); err != nil {
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

// loadResourcesToRestore reads the resources of the rows' accounts, and the managers that they get back.
func (r *importRun) loadResourcesToRestore(ctx context.Context) error {
	r.newResources, r.newManagers = map[string]*importRow{}, map[string]bool{}
	var codes []string
	for i := range r.rows {
		if code := r.rows[i].plan.account.Account.Resource; code != "" {
			codes = append(codes, foldCode(code))
		}
	}
	if len(codes) == 0 {
		return nil
	}
	var err error
	if r.resources, err = r.Resources.ResourcesByCode(ctx, r.scope.Env, r.job.ImportID, codes); err != nil {
		return err
	}
	var managers []string
	for _, state := range r.resources {
		if state.Previous == nil || state.Previous.Manager == "" {
			continue
		}
		code := foldCode(state.Previous.Manager)
		if _, loaded := r.resources[code]; !loaded && !slices.Contains(managers, code) {
			managers = append(managers, code)
		}
	}
	states, err := r.Resources.ResourcesByCode(ctx, r.scope.Env, r.job.ImportID, managers)
	maps.Copy(r.resources, states)
	return err
}

// unedited reports whether the row's account is as the import left it.
func (r *importRun) unedited(row *importRow) bool {
	state := &row.plan.account
	return state.Exists && !state.Staged && !state.Busy && state.Account.Stored.Import == r.job.UndoesImportID &&
		(state.Previous == nil) == row.imported.created
}

// addObstacle adds what forbids to undo a row.
func (r *importRun) addObstacle(row *importRow, heading, code, message string) {
	r.addError(row, fault.Field{Field: heading, Code: code, Message: message})
}

const codeEditedSince, codeInUse = "editedSince", "inUse"

// planUndo plans what one row restores; nothing if it cannot be undone.
func (r *importRun) planUndo(ctx context.Context, row *importRow, dependents map[string]string) error {
	imported, state := row.imported, &row.plan.account
	row.result.Outcome = RowUndone
	switch {
	case state.Busy:
		r.addObstacle(row, usernameHeading, "busy",
			"Another import is changing this account. Undo this import again when that one has ended.")
	case state.Staged:
		change := account.Write{Before: &state.Account, After: state.StagedAccount, Tombstone: state.Tombstone}
		if state.Tombstone {
			change.After = account.Account{ID: state.Account.ID}
		}
		row.plan.accountChange = change
	case !state.Exists:
		r.addObstacle(row, usernameHeading, codeEditedSince,
			"There is no account with this username any more. It was renamed or deleted after the import.")
	case imported.account && !r.unedited(row):
		r.addObstacle(row, usernameHeading, codeEditedSince,
			"The account was edited after the import and stays as it is.")
	case imported.created && !state.Account.LastLogin.IsZero():
		r.addObstacle(row, usernameHeading, codeInUse, "The account has signed in since the import. Lock it instead.")
	case imported.created && dependents[state.Account.ID] != "":
		r.addObstacle(row, usernameHeading, codeInUse,
			"The account has been used since the import: "+dependents[state.Account.ID])
	default:
		return r.planRestore(ctx, row)
	}
	return nil
}

// planRestore plans the write of a row that nothing forbids so far.
func (r *importRun) planRestore(ctx context.Context, row *importRow) error {
	p := &row.plan
	var (
		w   account.Write
		err error
	)
	switch {
	case row.imported.created:
		w, err = r.Rules.UndoCreate(r.scope, p.account.Account)
	case row.imported.account:
		w, err = r.Rules.Restore(r.scope, p.account.Account, *p.account.Previous, r.now())
	}
	if err != nil {
		return r.addFault(row, err, accountHeading)
	}
	if err := r.planResourceRestore(ctx, row, w); err != nil || row.failed() {
		return err
	}
	if w.Event.Kind == "" && !w.Tombstone {
		if p.stageResource == nil && !p.resourceStaged {
			row.result.Outcome = RowUnchanged
		}
		return nil
	}
	w.Event.ID, w.Event.Job, w.Event.Row = r.job.ID, r.job.ID, row.input.number
	row.input.patch["email"] = w.After.Email // for the RowRef: a rollback finds the login key by it
	p.stageAccount, p.accountChange = &w, w
	return nil
}

// planResourceRestore plans the restore of the resource of a row's account. A resource that the import created is
// removed; another one gets its fields back, and loses its account if it had none.
func (r *importRun) planResourceRestore(ctx context.Context, row *importRow, w account.Write) error {
	p := &row.plan
	code := p.account.Account.Resource
	loses := code != "" && w.Before != nil && w.After.Resource == ""
	if code == "" || !loses && !row.imported.resource {
		return nil
	}
	state := r.resources[foldCode(code)]
	switch {
	case state.Staged:
		p.resourceStaged = true
		return nil
	case state.Busy:
		r.addObstacle(row, resourceHeading, "busy",
			"Another import is changing this account's resource. Undo this import again when that one has ended.")
		return nil
	case !state.Exists || state.Resource.Stored.Import != r.job.UndoesImportID:
		r.addObstacle(row, resourceHeading, codeEditedSince,
			"The resource "+code+" was edited after the import. The account and the resource stay as they are.")
		return nil
	case !r.scope.Caller.May(access.ResourceWrite):
		r.addObstacle(row, resourceHeading, "forbidden", "You need the permission resource.write to change resources.")
		return nil
	case state.Previous == nil:
		p.stageResource = &resource.Write{Before: &state.Resource, After: state.Resource, Deleted: true}
		return nil
	}
	restored, err := r.resourceRules(row).Restore(ctx, r.scope, state.Resource, *state.Previous, r.now())
	if err != nil {
		return r.addFault(row, err, resourceHeadingOf)
	}
	if restored.Event.Kind == "" {
		return nil
	}
	restored = r.withEvent(row, restored)
	if restored.After.AccountID == "" {
		restored.Event.Kind = "" // the account's own event tells of the link
	}
	p.stageResource = &restored
	return nil
}

// checkDirectReports refuses to remove a resource that is a manager, unless the undo changes that as well.
func (r *importRun) checkDirectReports(ctx context.Context) error {
	var reports map[string][]string
	rowOf := map[string]*importRow{}
	for i := range r.rows {
		rowOf[foldCode(r.rows[i].plan.account.Account.Resource)] = &r.rows[i]
	}
	for i := range r.rows {
		row := &r.rows[i]
		removal := row.plan.stageResource
		if removal == nil || !removal.Deleted || row.failed() {
			continue
		}
		manager := removal.Before.Key()
		for _, group := range r.scope.Catalogue.All(catalogue.ResourceGroup) {
			if foldCode(group.Defaults.Manager) == manager {
				r.addObstacle(row, resourceHeading, codeInUse,
					"The resource is now the default manager of the resource group "+group.Code+".")
			}
		}
		if removal.Before.Stored.ReferenceCount > 0 && reports == nil {
			var err error
			if reports, err = r.UndoStore.DirectReports(ctx, r.scope.Env); err != nil {
				return err
			}
		}
		for _, report := range reports[manager] {
			r.dependOnReport(row, manager, report, rowOf[report])
		}
	}
	return nil
}

// dependOnReport makes the removal of a manager depend on the row of a direct report, if that row gives the report
// another manager. reportRow is nil for a report outside the import.
func (r *importRun) dependOnReport(row *importRow, manager, report string, reportRow *importRow) {
	message := "The resource is now the manager of the resource " + report + "."
	if reportRow != nil {
		p := &reportRow.plan
		if p.account.Staged || p.resourceStaged && foldCode(r.resources[report].StagedResource.Manager) != manager {
			return // an earlier worker staged it
		}
		w := p.stageResource
		if w != nil && (w.Deleted || foldCode(w.After.Manager) != manager) {
			if reportRow != row {
				row.plan.dependencies = append(row.plan.dependencies, dependency{reportRow, resourceHeading, message})
			}
			return
		}
	}
	r.addObstacle(row, resourceHeading, codeInUse, message)
}

// failedOutcome returns the outcome of a row with errors. In an undo some errors are outcomes of their own.
func (r *importRun) failedOutcome(row *importRow) Outcome {
	if r.job.Kind == Undo {
		for _, e := range row.result.Errors {
			if e.Code == codeEditedSince || e.Code == codeInUse {
				return Outcome(e.Code)
			}
		}
	}
	return RowFailed
}

// snapshotLifetime is how long a reader may still use the environment as it was before a commit. For so long after an
// undo its tombstones must stay.
const snapshotLifetime = 3 * time.Second

// purgeTombstones purges what a committed undo removed.
func (w *Worker) purgeTombstones(ctx context.Context, job Job) error {
	if job.Kind != Undo || job.State != Done {
		return nil
	}
	if wait := job.Ended.Add(snapshotLifetime).Sub(w.Now()); wait > 0 && w.Sleep != nil {
		if err := w.Sleep(ctx, wait); err != nil {
			return err
		}
	}
	refs, err := w.readRowRefs(ctx, job)
	if err != nil {
		return err
	}
	return w.UndoStore.PurgeTombstones(ctx, job, refs)
}
