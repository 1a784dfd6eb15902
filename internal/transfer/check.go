package transfer

import (
	"context"
	"fmt"
	"slices"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/credential"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/resource"
)

// rowPlan is what one row will write.
type rowPlan struct {
	// account is what the directory has for the row's username.
	account AccountState
	// accountChange is the change of the account, even if an earlier worker has staged it.
	accountChange account.Write
	// stageAccount and stageResource are the writes that still have to be staged; nil for none.
	stageAccount  *account.Write
	stageResource *resource.Write
	// acquired are the identifiers that the row takes over from accounts of other rows, with the ids of those accounts.
	// released are the identifiers that other rows take over from this one.
	acquired     map[string]string
	released     []string
	dependencies []dependency
	// resourceStaged says that an earlier worker staged the change of the resource, and the account does not change.
	resourceStaged bool
}

// dependency is another row that must be free of errors for this row to be imported.
type dependency struct {
	on             *importRow
	field, message string
}

// check plans every row and finds its errors, over the whole file. An import with a failed row and without Skip errors
// is refused before anything is written. The error is ErrStale if the rows that an earlier worker staged are out of
// date.
func (r *importRun) check(ctx context.Context) error {
	r.checked = true
	if r.job.Kind == Undo {
		return r.checkUndo(ctx)
	}
	if err := r.loadOptions(ctx); err != nil || r.job.FinalState != "" {
		return err
	}
	if err := r.loadAccounts(ctx); err != nil {
		return err
	}
	r.findDuplicates()
	if err := r.loadResources(ctx); err != nil {
		return err
	}
	for i := range r.rows {
		if err := r.planRow(ctx, &r.rows[i]); err != nil {
			return err
		}
		if err := r.saveProgress(ctx, i+1); err != nil {
			return err
		}
	}
	return r.finishCheck(ctx)
}

// finishCheck compares the planned rows with each other and with the directory, and counts them.
func (r *importRun) finishCheck(ctx context.Context) error {
	if err := r.checkUniqueness(ctx); err != nil {
		return err
	}
	if err := r.checkNeverUsed(ctx); err != nil {
		return err
	}
	r.failDependents()
	counts := Counts{Rows: len(r.rows)}
	for i := range r.rows {
		if err := r.finishRow(&r.rows[i], &counts); err != nil {
			return err
		}
	}
	r.job.Counts, r.job.Checked = counts, len(r.rows)
	if counts.Failed > 0 && !r.job.Options.SkipErrors {
		r.refuse(Refused, "rowErrors", fmt.Sprintf(
			"%d of %d rows have errors, so nothing was imported. Fix these rows and upload the file again, or tick Skip errors.",
			counts.Failed, counts.Rows))
	}
	if r.job.Kind == Undo && counts.Undone == 0 {
		r.refuse(Refused, "nothingUndone",
			"No row of the import could be undone. Each row says why. Nothing was changed.")
	}
	return r.countSeats(ctx)
}

// progressInterval is the number of checked rows after which the progress is saved.
const progressInterval = 1000

// saveProgress saves how many rows have been checked. A worker that resumes the writing saves nothing: the progress is
// that of the writing by then.
func (r *importRun) saveProgress(ctx context.Context, n int) error {
	if n%progressInterval != 0 || n == len(r.rows) || r.job.State != Checking {
		return nil
	}
	r.job.Checked = n
	return r.Jobs.Save(ctx, r.job)
}

// loadAccounts reads the account of every row.
func (r *importRun) loadAccounts(ctx context.Context) error {
	usernames := make([]string, len(r.rows))
	for i := range r.rows {
		row := &r.rows[i]
		for _, f := range row.input.errors {
			r.addError(row, f)
		}
		normalised, ok := account.Normalise(row.input.username)
		if !ok && row.input.username != "" {
			r.addError(row, fault.Field{Field: usernameHeading, Code: "character",
				Message: "Username contains characters that cannot be used to sign in, or is too long."})
		}
		usernames[i] = normalised
	}
	return r.awaitPurge(ctx, func() (bool, error) {
		states, err := r.Directory.AccountsByUsername(ctx, r.scope.Env, r.job.ImportID, usernames)
		beingRemoved := false
		for i := range states {
			r.rows[i].plan.account = states[i]
			beingRemoved = beingRemoved || states[i].BeingRemoved
		}
		return beingRemoved, err
	})
}

// purgeWaitSeconds is how many seconds an import waits for a committed undo to purge its tombstones.
const purgeWaitSeconds = 60

// awaitPurge repeats a read until nothing that it found is being removed. So a person who undoes an import and uploads
// the corrected sheet at once does not get "busy" errors.
func (r *importRun) awaitPurge(ctx context.Context, read func() (beingRemoved bool, err error)) error {
	for range purgeWaitSeconds {
		beingRemoved, err := read()
		if err != nil || !beingRemoved || r.Sleep == nil {
			return err
		}
		if err := r.Sleep(ctx, time.Second); err != nil {
			return err
		}
	}
	_, err := read()
	return err
}

// addError adds an error to a row unless its column has one already.
func (r *importRun) addError(row *importRow, f fault.Field) {
	if !slices.ContainsFunc(row.result.Errors, func(e RowError) bool { return e.Field == f.Field }) {
		row.result.Errors = append(row.result.Errors, r.reader.rowError(&row.input, f))
	}
}

// findDuplicates adds an error to both of two rows with the same username, email or resource code, in any spelling.
func (r *importRun) findDuplicates() {
	type occurrence struct {
		row     *importRow
		heading string
	}
	first := map[string]occurrence{}
	addDuplicate := func(row *importRow, heading string, other occurrence) {
		r.addError(row, fault.Field{Field: heading, Code: "doubled", Message: fmt.Sprintf(
			"Row %d has the same value in %s, perhaps in another spelling. A value may appear only once in a file.",
			other.row.input.number, other.heading)})
	}
	check := func(row *importRow, heading, normalised string) {
		earlier, found := first[normalised]
		if !found {
			first[normalised] = occurrence{row, heading}
			return
		}
		if earlier.row == row {
			return
		}
		addDuplicate(row, heading, earlier)
		addDuplicate(earlier.row, earlier.heading, occurrence{row, heading})
	}
	for i := range r.rows {
		row := &r.rows[i]
		if username, ok := account.Normalise(row.input.username); ok {
			check(row, usernameHeading, username)
		}
	}
	for i := range r.rows {
		row := &r.rows[i]
		if text, ok := row.input.patch["email"].(string); ok {
			if email, ok := account.Normalise(text); ok {
				check(row, emailHeading, email)
			}
		}
	}
	clear(first)
	for i := range r.rows {
		row := &r.rows[i]
		code := row.input.resourceCode()
		if code != "" && (row.input.createResource || row.plan.account.Account.Resource != "") {
			check(row, resourceHeading, foldCode(code))
		}
	}
}

// planRow plans what one row writes; nothing if it has errors.
func (r *importRun) planRow(ctx context.Context, row *importRow) error {
	p := &row.plan
	if slices.ContainsFunc(row.result.Errors, func(e RowError) bool { return e.Field == usernameHeading }) {
		return nil // without a username there is no account to check the other columns against
	}
	if p.account.Busy {
		r.addError(row, fault.Field{Field: usernameHeading, Code: "busy",
			Message: "Another import is changing this account. Run this import again when that one has ended."})
		return nil
	}
	if p.account.Staged {
		r.resumeRow(row)
		return nil
	}
	write, err := r.planAccount(row)
	if err != nil {
		if err := r.addFault(row, err, accountHeading); err != nil {
			return err
		}
	}
	r.checkMobile(row)
	if err := r.planResource(ctx, row, &write); err != nil {
		return err
	}
	if write.Event.Kind == "" {
		if p.stageResource == nil && row.result.Outcome == RowUpdated && !p.resourceStaged {
			row.result.Outcome = RowUnchanged
		}
		return nil
	}
	if write.Before != nil {
		write.Event.ID = r.job.ID // a job writes one event for each account, which a rollback finds by this id
	}
	write.Event.Job, write.Event.Row = r.job.ID, row.input.number
	p.stageAccount, p.accountChange = &write, write
	return nil
}

// planAccount returns the change of the row's account, or its creation.
func (r *importRun) planAccount(row *importRow) (account.Write, error) {
	patch := row.input.patch
	if row.plan.account.Exists {
		delete(patch, "username") // the username finds the account; its spelling stays
		row.result.Outcome = RowUpdated
		return r.Rules.Change(r.scope, row.plan.account.Account, patch, r.now())
	}
	if _, given := patch["roles"]; !given && r.copiedRoles != nil {
		patch["roles"] = slices.Clone(r.copiedRoles)
	}
	row.result.Outcome = RowCreated
	return r.Rules.Create(r.scope, patch, r.NewID(), r.now())
}

// resumeRow takes over a row that an earlier worker staged.
func (r *importRun) resumeRow(row *importRow) {
	p := &row.plan
	p.accountChange = account.Write{After: p.account.StagedAccount}
	row.result.Outcome = RowCreated
	if p.account.Exists {
		row.result.Outcome = RowUpdated
		p.accountChange.Before = &p.account.Account
	}
	r.resumeResource(row)
}

// checkMobile refuses a mobile number that was typed as a number and so lost its leading zeros or its plus sign.
func (r *importRun) checkMobile(row *importRow) {
	mobile, _ := row.input.patch["mobile"].(string)
	heading := accountHeading(r.reader.columns, "mobile")
	if slices.Contains(row.input.numberTyped, heading) && r.Rules.E164(mobile, r.scope.Env.Settings.Country) == "" {
		r.addError(row, fault.Field{Field: heading, Code: "mobileNumber",
			Message: "Mobile is not a number that can be dialled."})
	}
}

// addFault turns a fault of the rules into errors of the row, under the headings of the sheet. It returns any other
// error.
func (r *importRun) addFault(row *importRow, err error, heading func([]column, string) string) error {
	f := fault.As(err)
	if f == nil {
		return err
	}
	if len(f.Fields) == 0 {
		r.addError(row, fault.Field{Field: usernameHeading, Code: f.Code, Message: f.Detail})
	}
	for _, invalid := range f.Fields {
		invalid.Field = heading(r.reader.columns, invalid.Field)
		r.addError(row, invalid)
	}
	return nil
}

// checkUniqueness refuses a row whose email, or whose username with an @, belongs to another account, unless another
// row of the file releases it.
func (r *importRun) checkUniqueness(ctx context.Context) error {
	var added []string
	releasedBy := map[string]*importRow{}
	for i := range r.rows {
		change := &r.rows[i].plan.accountChange
		added = append(added, addedLoginKeys(change)...)
		if change.Before != nil {
			after := change.After.LoginKeys()
			for _, key := range change.Before.LoginKeys() {
				if !slices.Contains(after, key) {
					releasedBy[key] = &r.rows[i]
				}
			}
		}
	}
	owners, err := r.Directory.Owners(ctx, r.scope.Env, added)
	if err != nil {
		return err
	}
	for i := range r.rows {
		for _, identifier := range addedLoginKeys(&r.rows[i].plan.accountChange) {
			r.checkIdentifier(&r.rows[i], identifier, owners, releasedBy)
		}
	}
	return nil
}

// checkNeverUsed refuses the rows whose account must never have had an API key, if it had one (V91). The write has the
// same condition, but there it can only say that the whole import was overtaken.
func (r *importRun) checkNeverUsed(ctx context.Context) error {
	var ids []string
	for i := range r.rows {
		if w := r.rows[i].plan.stageAccount; w != nil && w.NeverUsed {
			ids = append(ids, w.After.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	hadKeys, err := r.Directory.HadKeys(ctx, ids)
	if err != nil {
		return err
	}
	for i := range r.rows {
		row := &r.rows[i]
		if w := row.plan.stageAccount; w != nil && w.NeverUsed && hadKeys[w.After.ID] {
			if err := r.addFault(row, credential.Used(w.Before.Username), accountHeading); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkIdentifier refuses an identifier that belongs to another account, or plans its transfer from the row that
// releases it.
func (r *importRun) checkIdentifier(row *importRow, identifier string, owners map[string]string,
	releasedBy map[string]*importRow) {
	p := &row.plan
	heading := usernameHeading
	if email, _ := account.Normalise(p.accountChange.After.Email); email == identifier {
		heading = emailHeading
	}
	if from, ok := releasedBy[identifier]; ok && from != row {
		from.plan.released = append(from.plan.released, identifier)
		if p.acquired == nil {
			p.acquired = map[string]string{}
		}
		p.acquired[identifier] = from.plan.accountChange.Before.ID
		p.dependencies = append(p.dependencies, dependency{from, heading, fmt.Sprintf(
			"%s is still used by the account of row %d. That row would release it, but has errors itself.",
			heading, from.input.number)})
		return
	}
	if owner, held := owners[identifier]; held && owner != p.accountChange.After.ID && p.stageAccount != nil {
		r.addError(row, fault.Field{Field: heading, Code: "taken",
			Message: heading + " is used by another account, as an email or a username, perhaps in another spelling."})
	}
}

// addedLoginKeys returns the login keys that an account has after a change and did not have before.
func addedLoginKeys(w *account.Write) []string {
	keys := w.After.LoginKeys()
	if w.Before == nil {
		return keys
	}
	before := w.Before.LoginKeys()
	return slices.DeleteFunc(keys, func(key string) bool { return slices.Contains(before, key) })
}

// failDependents fails rows that depend on a failed row, until no such row is left. Rows that hand identifiers to each
// other, or name each other's resources, are imported together or not at all.
func (r *importRun) failDependents() {
	for again := true; again; {
		again = false
		for i := range r.rows {
			row := &r.rows[i]
			if row.failed() {
				continue
			}
			for _, d := range row.plan.dependencies {
				if d.on.failed() {
					r.addError(row, fault.Field{Field: d.field, Code: "otherRow", Message: d.message})
					again = true
				}
			}
		}
	}
}

// finishRow sets the row's outcome and changes, and counts it.
func (r *importRun) finishRow(row *importRow, counts *Counts) error {
	p := &row.plan
	if row.failed() {
		if r.job.Options.SkipErrors && (p.account.Staged || p.resourceStaged) {
			return ErrStale // an earlier worker staged it without errors
		}
		row.result.Outcome = r.failedOutcome(row)
		counts.Failed++
		return nil
	}
	switch row.result.Outcome {
	case RowCreated:
		counts.Created++
	case RowUpdated:
		counts.Updated++
	case RowUndone:
		counts.Undone++
	default:
		counts.Unchanged++
	}
	r.addChanges(row)
	if row.toStage() && row.index < r.job.NextRow {
		return ErrStale // an earlier worker was past this row and found nothing to write
	}
	return nil
}

// stagedRows returns the rows that still have to be staged, in order.
func (r *importRun) stagedRows() []StagedRow {
	var out []StagedRow
	for i := range r.rows {
		if row := &r.rows[i]; row.toStage() {
			out = append(out, r.stagedRow(row))
		}
	}
	return out
}

// stagedRow returns a row as the store takes it.
func (r *importRun) stagedRow(row *importRow) StagedRow {
	p := &row.plan
	out := StagedRow{NextRow: row.index + 1, Resource: p.stageResource, AcquiredIdentifiers: p.acquired,
		ReleasedIdentifiers: p.released}
	if p.stageAccount != nil {
		out.Account = *p.stageAccount
	}
	if p.stageResource != nil {
		manager := foldCode(p.stageResource.After.Manager)
		_, out.ManagerCreated = r.newResources[manager]
		out.IsManager = p.stageResource.Before == nil && r.newManagers[p.stageResource.After.Key()]
	}
	return out
}

// addChanges lists what the row changes. A new account is its own description, except in a dry run.
func (r *importRun) addChanges(row *importRow) {
	change := &row.plan.accountChange
	if change.Tombstone || change.Before == nil && change.After.ID != "" && !r.job.Options.DryRun {
		return
	}
	var accountDiffs, resourceDiffs []field.Diff
	if change.After.ID != "" {
		before := account.Account{}
		if change.Before != nil {
			before = *change.Before
		}
		accountDiffs = account.Fields().Compare(&before, &change.After)
	}
	if w := r.resourceChange(row); w != nil {
		before := resource.Resource{}
		if w.Before != nil {
			before = *w.Before
		}
		resourceDiffs = resource.Fields().Compare(&before, &w.After)
	}
	row.result.Changes = r.reader.changes(accountDiffs, resourceDiffs)
}
