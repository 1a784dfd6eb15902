package transfer

import (
	"context"
	"fmt"
	"slices"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/resource"
)

// rowPlan is what one row comes to.
type rowPlan struct {
	account AccountState
	// accountChange is what the row changes of its account, also where an earlier worker staged that.
	accountChange account.Write
	// stageAccount and staff are what is still to be staged of account and resource, nil for nothing.
	stageAccount  *account.Write
	stageResource *resource.Write
	// acquired are the identifiers that the row gets from accounts of other rows, with their former owners; leaves those
	// that it hands over.
	acquired     map[string]string
	released     []string
	dependencies []dependency
	// resourceStaged says that an earlier worker staged the row's change of a resource alone.
	resourceStaged bool
}

// dependency is another row that has to be right for this one to be.
type dependency struct {
	row            int
	field, message string
}

// check works out what each row would do and what is wrong with it, over the whole file. With a wrong row and no Skip
// errors it refuses the import, with nothing written. ErrStale if an earlier worker's rows are no longer what they
// were.
func (r *importRun) check(ctx context.Context) error {
	if r.job.Kind == Undo {
		return r.checkUndo(ctx)
	}
	r.rows, r.plans, r.toStage = make([]Row, len(r.lines)), make([]rowPlan, len(r.lines)), nil
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
	for i := range r.lines {
		if err := r.planRow(ctx, i); err != nil {
			return err
		}
		if err := r.saveProgress(ctx, i+1); err != nil {
			return err
		}
	}
	return r.finishCheck(ctx)
}

// finishCheck holds the rows against each other, counts them, and says which are to be written.
func (r *importRun) finishCheck(ctx context.Context) error {
	if err := r.checkUniqueness(ctx); err != nil {
		return err
	}
	r.failDependents()
	counts := Counts{Rows: len(r.lines)}
	for i := range r.rows {
		if err := r.finishRow(i, &counts); err != nil {
			return err
		}
	}
	r.job.Counts, r.job.Checked = counts, len(r.rows)
	if counts.Failed > 0 && !r.job.Options.SkipErrors {
		r.refuse(Refused, "rowErrors", fmt.Sprintf(
			"%d of %d rows are not right, so nothing was imported. Mend them and upload the file again, or tick Skip errors.",
			counts.Failed, counts.Rows))
	}
	if r.job.Kind == Undo && counts.Undone == 0 {
		r.refuse(Refused, "nothingUndone", "No row of the import could be undone; its rows say why. Nothing was changed.")
	}
	return r.countSeats(ctx)
}

// progressInterval is after how many rows an import tells how far it has checked.
const progressInterval = 1000

// saveProgress tells how many rows have been checked, now and then.
func (r *importRun) saveProgress(ctx context.Context, n int) error {
	if n%progressInterval != 0 || n == len(r.lines) || r.job.State != Checking {
		return nil // a later worker's, which goes on writing, shows what was written
	}
	r.job.Checked = n
	return r.Jobs.Save(ctx, r.job)
}

// loadAccounts reads what there is for every username of the file.
func (r *importRun) loadAccounts(ctx context.Context) error {
	names := make([]string, len(r.lines))
	for i, l := range r.lines {
		r.rows[i] = Row{Row: l.number, Username: l.username}
		for _, f := range l.errors {
			r.addError(i, f)
		}
		normal, ok := account.Normalise(l.username)
		if !ok && l.username != "" {
			r.addError(i,
				fault.Field{Field: usernameHeading, Code: "character",
					Message: "Username holds characters that cannot be used to sign in, or is too long."})
		}
		names[i] = normal
	}
	return r.awaitPurge(ctx, func() (bool, error) {
		found, err := r.Directory.AccountsByUsername(ctx, r.scope.Env, r.job.ImportID, names)
		leaving := false
		for i := range found {
			r.plans[i].account = found[i]
			leaving = leaving || found[i].BeingRemoved
		}
		return leaving, err
	})
}

// purgeWaitSeconds is how many seconds an import waits for an undo that counts already to clear up what it took away.
const purgeWaitSeconds = 60

// awaitPurge reads again until nothing that was found is leaving: who undoes an import and uploads the mended sheet at
// once is not told that the accounts are being changed.
func (r *importRun) awaitPurge(ctx context.Context, read func() (leaving bool, err error)) error {
	for range purgeWaitSeconds {
		leaving, err := read()
		if err != nil || !leaving || r.Sleep == nil {
			return err
		}
		if err := r.Sleep(ctx, time.Second); err != nil {
			return err
		}
	}
	_, err := read()
	return err
}

// addError adds an error to a row unless the same column has one.
func (r *importRun) addError(i int, f fault.Field) {
	if !slices.ContainsFunc(r.rows[i].Errors, func(have RowError) bool { return have.Field == f.Field }) {
		r.rows[i].Errors = append(r.rows[i].Errors, r.reader.rowError(&r.lines[i], f))
	}
}

// findDuplicates refuses identifiers, and codes of resources, that two rows of the file claim, in any spelling, on both
// rows.
func (r *importRun) findDuplicates() {
	type claimed struct {
		row     int
		heading string
	}
	first := map[string]claimed{}
	claim := func(i int, heading, normal string) {
		at, taken := first[normal]
		if !taken {
			first[normal] = claimed{i, heading}
			return
		}
		if at.row == i {
			return
		}
		tell := func(on int, heading string, other claimed) {
			r.addError(on, fault.Field{Field: heading, Code: "doubled", Message: fmt.Sprintf(
				"Row %d has the same as its %s, perhaps in another spelling; each may stand once in a file.",
				r.lines[other.row].number, other.heading)})
		}
		tell(i, heading, at)
		tell(at.row, at.heading, claimed{i, heading})
	}
	for i, l := range r.lines {
		if normal, ok := account.Normalise(l.username); ok {
			claim(i, usernameHeading, normal)
		}
	}
	for i, l := range r.lines {
		if email, ok := l.patch["email"].(string); ok {
			if normal, ok := account.Normalise(email); ok {
				claim(i, emailHeading, normal)
			}
		}
	}
	clear(first)
	for i, l := range r.lines {
		if code := l.resourceCode(); code != "" && (l.createResource || r.plans[i].account.Account.Resource != "") {
			claim(i, resourceHeading, foldCode(code))
		}
	}
}

// planRow plans what one row writes, nothing if something is wrong.
func (r *importRun) planRow(ctx context.Context, i int) error {
	p := &r.plans[i]
	if slices.ContainsFunc(r.rows[i].Errors, func(f RowError) bool { return f.Field == usernameHeading }) {
		return nil // whose row it is cannot be told, so neither what else is wrong with it
	}
	if p.account.Busy {
		r.addError(i,
			fault.Field{Field: usernameHeading, Code: "busy",
				Message: "Another import is changing this account; run this one again when that has ended."})
		return nil
	}
	if p.account.Staged {
		r.resumeRow(i)
		return nil
	}
	l := r.lines[i]
	var (
		write account.Write
		err   error
	)
	if p.account.Exists {
		delete(l.patch, "username") // the match key: its spelling stays
		write, err = r.Rules.Change(r.scope, p.account.Account, l.patch, r.now())
		r.rows[i].Outcome = RowUpdated
	} else {
		if _, given := l.patch["roles"]; !given && r.copiedRoles != nil {
			l.patch["roles"] = slices.Clone(r.copiedRoles)
		}
		write, err = r.Rules.Create(r.scope, l.patch, r.NewID(), r.now())
		r.rows[i].Outcome = RowCreated
	}
	if err != nil {
		if err := r.addFault(i, err, accountHeading); err != nil {
			return err
		}
	}
	r.checkMobile(i)
	if err := r.planResource(ctx, i, &write); err != nil {
		return err
	}
	if write.Event.Kind == "" && p.stageResource == nil && r.rows[i].Outcome == RowUpdated && !p.resourceStaged {
		r.rows[i].Outcome = RowUnchanged
	}
	if write.Event.Kind == "" {
		return nil
	}
	if write.Before != nil {
		write.Event.ID = r.job.ID // one event of a job for each account, found again when it is taken back
	}
	write.Event.Job, write.Event.Row = r.job.ID, l.number
	p.stageAccount, p.accountChange = &write, write
	return nil
}

// resumeRow tells of a row that an earlier worker staged.
func (r *importRun) resumeRow(i int) {
	p := &r.plans[i]
	p.accountChange = account.Write{After: p.account.StagedAccount}
	r.rows[i].Outcome = RowCreated
	if p.account.Exists {
		r.rows[i].Outcome = RowUpdated
		p.accountChange.Before = &p.account.Account
	}
	r.resumeResource(i)
}

// checkMobile refuses a mobile number that was typed as a number and lost what it began with.
func (r *importRun) checkMobile(i int) {
	typed, _ := r.lines[i].patch["mobile"].(string)
	heading := accountHeading(r.reader.columns, "mobile")
	if slices.Contains(r.lines[i].numberTyped, heading) && r.Rules.E164(typed, r.scope.Env.Settings.Country) == "" {
		r.addError(i, fault.Field{Field: heading, Code: "mobileNumber", Message: "Mobile is no number that can be dialled."})
	}
}

// addFault turns a fault of the rules into errors of the row, in the sheet's words. Another error is the worker's.
func (r *importRun) addFault(i int, err error, heading func([]column, string) string) error {
	f := fault.As(err)
	if f == nil {
		return err
	}
	if len(f.Fields) == 0 {
		r.addError(i, fault.Field{Field: usernameHeading, Code: f.Code, Message: f.Detail})
	}
	for _, bad := range f.Fields {
		bad.Field = heading(r.reader.columns, bad.Field)
		r.addError(i, bad)
	}
	return nil
}

// checkUniqueness refuses rows whose email, or username where that could be an email, is another account's, unless a
// row of the same file takes it from that one.
func (r *importRun) checkUniqueness(ctx context.Context) error {
	var wanted []string
	released := map[string]int{}
	for i := range r.plans {
		p := &r.plans[i]
		wanted = append(wanted, addedLoginKeys(&p.accountChange)...)
		if p.accountChange.Before != nil {
			has := p.accountChange.After.LoginKeys()
			for _, had := range p.accountChange.Before.LoginKeys() {
				if !slices.Contains(has, had) {
					released[had] = i
				}
			}
		}
	}
	owners, err := r.Directory.Owners(ctx, r.scope.Env, wanted)
	if err != nil {
		return err
	}
	for i := range r.plans {
		for _, identifier := range addedLoginKeys(&r.plans[i].accountChange) {
			r.checkIdentifier(i, identifier, owners, released)
		}
	}
	return nil
}

func (r *importRun) checkIdentifier(i int, identifier string, owners map[string]string, released map[string]int) {
	p := &r.plans[i]
	heading := usernameHeading
	if email, _ := account.Normalise(p.accountChange.After.Email); email == identifier {
		heading = emailHeading
	}
	if j, ok := released[identifier]; ok && j != i {
		from := &r.plans[j]
		from.released = append(from.released, identifier)
		if p.acquired == nil {
			p.acquired = map[string]string{}
		}
		p.acquired[identifier] = from.accountChange.Before.ID
		p.dependencies = append(p.dependencies,
			dependency{j, heading,
				fmt.Sprintf("%s is that of the account of row %d, which would give it up but has errors itself.", heading,
					r.lines[j].number)})
		return
	}
	if owner, held := owners[identifier]; held && owner != p.accountChange.After.ID && p.stageAccount != nil {
		r.addError(i,
			fault.Field{Field: heading, Code: "taken",
				Message: heading + " is taken by another account, as an email or a username, perhaps in another spelling."})
	}
}

func addedLoginKeys(w *account.Write) []string {
	keys := w.After.LoginKeys()
	if w.Before == nil {
		return keys
	}
	had := w.Before.LoginKeys()
	return slices.DeleteFunc(keys, func(k string) bool { return slices.Contains(had, k) })
}

// failDependents fails the rows that need a row which failed, until none is left that does: rows that hand identifiers
// to each other, or name each other's resources, go in together or not at all.
func (r *importRun) failDependents() {
	for again := true; again; {
		again = false
		for i := range r.plans {
			if len(r.rows[i].Errors) > 0 {
				continue
			}
			for _, n := range r.plans[i].dependencies {
				if len(r.rows[n.row].Errors) > 0 {
					r.addError(i, fault.Field{Field: n.field, Code: "otherRow", Message: n.message})
					again = true
				}
			}
		}
	}
}

// finishRow counts a row, and puts it among those to write.
func (r *importRun) finishRow(i int, counts *Counts) error {
	p := &r.plans[i]
	if len(r.rows[i].Errors) > 0 {
		if r.job.Options.SkipErrors && (p.account.Staged || p.resourceStaged) {
			return ErrStale // an earlier worker found it right
		}
		r.rows[i].Outcome = r.failedOutcome(i)
		counts.Failed++
		return nil
	}
	switch r.rows[i].Outcome {
	case RowCreated:
		counts.Created++
	case RowUpdated:
		counts.Updated++
	case RowUndone:
		counts.Undone++
	default:
		counts.Unchanged++
	}
	r.addChanges(i)
	if p.stageAccount == nil && p.stageResource == nil {
		return nil
	}
	if i < r.job.NextRow {
		return ErrStale // an earlier worker was past this row, and found nothing to write in it
	}
	r.toStage = append(r.toStage, r.stagedRow(i))
	return nil
}

// stagedRow returns the row as the store takes it.
func (r *importRun) stagedRow(i int) StagedRow {
	p := &r.plans[i]
	out := StagedRow{NextRow: i + 1, Resource: p.stageResource, AcquiredIdentifiers: p.acquired,
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

// addChanges says what the row changes.
func (r *importRun) addChanges(i int) {
	p := &r.plans[i]
	if p.accountChange.Tombstone || p.accountChange.Before == nil && p.accountChange.After.ID != "" &&
		!r.job.Options.DryRun {
		return // a new account: the row itself says it all
	}
	var diffs, staff []field.Diff
	if p.accountChange.After.ID != "" {
		before := account.Account{}
		if p.accountChange.Before != nil {
			before = *p.accountChange.Before
		}
		diffs = account.Fields().Compare(&before, &p.accountChange.After)
	}
	if w := r.resourceChange(i); w != nil {
		before := resource.Resource{}
		if w.Before != nil {
			before = *w.Before
		}
		staff = resource.Fields().Compare(&before, &w.After)
	}
	r.rows[i].Changes = r.reader.changes(diffs, staff)
}
