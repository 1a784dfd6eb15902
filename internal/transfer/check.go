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

// plan is what one row comes to.
type plan struct {
	found Found
	// whole is what the row changes of its account, also where an earlier worker staged that.
	whole account.Write
	// write and staff are what is still to be staged of account and resource, nil for nothing.
	write *account.Write
	staff *resource.Write
	// takes are the identifiers that the row gets from accounts of other rows, with their former owners; leaves those that
	// it hands over.
	takes  map[string]string
	leaves []string
	needs  []need
	// employed says that an earlier worker staged the row's change of a resource alone.
	employed bool
}

// need is another row that has to be right for this one to be.
type need struct {
	row            int
	field, message string
}

// check works out what each row would do and what is wrong with it, over the whole file. With a wrong row and no Skip
// errors it refuses the import, with nothing written. ErrOvertaken if an earlier worker's rows are no longer what they were.
func (r *importRun) check(ctx context.Context) error {
	if r.job.Kind == Undo {
		return r.checkUndo(ctx)
	}
	r.rows, r.plans, r.todo = make([]Row, len(r.lines)), make([]plan, len(r.lines)), nil
	if err := r.chosen(ctx); err != nil || r.job.EndAs != "" {
		return err
	}
	if err := r.look(ctx); err != nil {
		return err
	}
	r.doubles()
	if err := r.lookForStaff(ctx); err != nil {
		return err
	}
	for i := range r.lines {
		if err := r.prepare(ctx, i); err != nil {
			return err
		}
		if err := r.checked(ctx, i+1); err != nil {
			return err
		}
	}
	return r.conclude(ctx)
}

// conclude holds the rows against each other, counts them, and says which are to be written.
func (r *importRun) conclude(ctx context.Context) error {
	if err := r.claims(ctx); err != nil {
		return err
	}
	r.dependents()
	counts := Counts{Rows: len(r.lines)}
	for i := range r.rows {
		if err := r.settle(i, &counts); err != nil {
			return err
		}
	}
	r.job.Counts, r.job.Checked = counts, len(r.rows)
	if counts.Failed > 0 && !r.job.Options.SkipErrors {
		r.refuse(Refused, "rowErrors", fmt.Sprintf(
			"%d of %d rows are not right, so nothing was imported. Mend them and upload the file again, or tick Skip errors.", counts.Failed, counts.Rows))
	}
	if r.job.Kind == Undo && counts.Undone == 0 {
		r.refuse(Refused, "nothingUndone", "No row of the import could be undone; its rows say why. Nothing was changed.")
	}
	return r.countSeats(ctx)
}

// checkedStep is after how many rows an import tells how far it has checked.
const checkedStep = 1000

// checked tells how many rows have been checked, now and then.
func (r *importRun) checked(ctx context.Context, n int) error {
	if n%checkedStep != 0 || n == len(r.lines) || r.job.State != Checking {
		return nil // a later worker's, which goes on writing, shows what was written
	}
	r.job.Checked = n
	return r.Jobs.Save(ctx, r.job)
}

// look reads what there is for every username of the file.
func (r *importRun) look(ctx context.Context) error {
	names := make([]string, len(r.lines))
	for i, l := range r.lines {
		r.rows[i] = Row{Row: l.number, Username: l.username}
		for _, f := range l.bad {
			r.wrong(i, f)
		}
		normal, ok := account.Normalise(l.username)
		if !ok && l.username != "" {
			r.wrong(i, fault.Field{Field: usernameHeading, Code: "character", Message: "Username holds characters that cannot be used to sign in, or is too long."})
		}
		names[i] = normal
	}
	return r.settled(ctx, func() (bool, error) {
		found, err := r.Directory.Rows(ctx, r.scope.Env, r.job.Import, names)
		leaving := false
		for i := range found {
			r.plans[i].found = found[i]
			leaving = leaving || found[i].Leaving
		}
		return leaving, err
	})
}

// sweptWithin is how many seconds an import waits for an undo that counts already to clear up what it took away.
const sweptWithin = 60

// settled reads again until nothing that was found is leaving: who undoes an import and uploads the mended sheet at once is not told
// that the accounts are being changed.
func (r *importRun) settled(ctx context.Context, read func() (leaving bool, err error)) error {
	for range sweptWithin {
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

// wrong adds an error to a row unless the same column has one.
func (r *importRun) wrong(i int, f fault.Field) {
	if !slices.ContainsFunc(r.rows[i].Errors, func(have RowError) bool { return have.Field == f.Field }) {
		r.rows[i].Errors = append(r.rows[i].Errors, r.in.locate(&r.lines[i], f))
	}
}

// doubles refuses identifiers, and codes of resources, that two rows of the file claim, in any spelling, on both rows.
func (r *importRun) doubles() {
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
			r.wrong(on, fault.Field{Field: heading, Code: "doubled", Message: fmt.Sprintf(
				"Row %d has the same as its %s, perhaps in another spelling; each may stand once in a file.", r.lines[other.row].number, other.heading)})
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
		if code := l.code(); code != "" && (l.create || r.plans[i].found.Account.Resource != "") {
			claim(i, resourceHeading, foldCode(code))
		}
	}
}

// prepare plans what one row writes, nothing if something is wrong.
func (r *importRun) prepare(ctx context.Context, i int) error {
	p := &r.plans[i]
	if slices.ContainsFunc(r.rows[i].Errors, func(f RowError) bool { return f.Field == usernameHeading }) {
		return nil // whose row it is cannot be told, so neither what else is wrong with it
	}
	if p.found.Busy {
		r.wrong(i, fault.Field{Field: usernameHeading, Code: "busy", Message: "Another import is changing this account; run this one again when that has ended."})
		return nil
	}
	if p.found.Staged {
		r.wasStaged(i)
		return nil
	}
	l := r.lines[i]
	var (
		write account.Write
		err   error
	)
	if p.found.Exists {
		delete(l.patch, "username") // the match key: its spelling stays
		write, err = r.Rules.Change(r.scope, p.found.Account, l.patch, r.now())
		r.rows[i].Outcome = RowUpdated
	} else {
		if _, given := l.patch["roles"]; !given && r.copied != nil {
			l.patch["roles"] = slices.Clone(r.copied)
		}
		write, err = r.Rules.Create(r.scope, l.patch, r.NewID(), r.now())
		r.rows[i].Outcome = RowCreated
	}
	if err != nil {
		if err := r.refuseRow(i, err, headingOf); err != nil {
			return err
		}
	}
	r.typedMobile(i)
	if err := r.prepareStaff(ctx, i, &write); err != nil {
		return err
	}
	if write.Event.Kind == "" && p.staff == nil && r.rows[i].Outcome == RowUpdated && !p.employed {
		r.rows[i].Outcome = RowUnchanged
	}
	if write.Event.Kind == "" {
		return nil
	}
	if write.Before != nil {
		write.Event.ID = r.job.ID // one event of a job for each account, found again when it is taken back
	}
	write.Event.Job, write.Event.Row = r.job.ID, l.number
	p.write, p.whole = &write, write
	return nil
}

// wasStaged tells of a row that an earlier worker staged.
func (r *importRun) wasStaged(i int) {
	p := &r.plans[i]
	p.whole = account.Write{After: p.found.Written}
	r.rows[i].Outcome = RowCreated
	if p.found.Exists {
		r.rows[i].Outcome = RowUpdated
		p.whole.Before = &p.found.Account
	}
	r.staffStaged(i)
}

// typedMobile refuses a mobile number that was typed as a number and lost what it began with.
func (r *importRun) typedMobile(i int) {
	typed, _ := r.lines[i].patch["mobile"].(string)
	heading := headingOf(r.in.columns, "mobile")
	if slices.Contains(r.lines[i].typed, heading) && r.Rules.E164(typed, r.scope.Env.Settings.Country) == "" {
		r.wrong(i, fault.Field{Field: heading, Code: "mobileNumber", Message: "Mobile is no number that can be dialled."})
	}
}

// refuseRow turns a fault of the rules into errors of the row, in the sheet's words. Another error is the worker's.
func (r *importRun) refuseRow(i int, err error, heading func([]column, string) string) error {
	f := fault.As(err)
	if f == nil {
		return err
	}
	if len(f.Fields) == 0 {
		r.wrong(i, fault.Field{Field: usernameHeading, Code: f.Code, Message: f.Detail})
	}
	for _, bad := range f.Fields {
		bad.Field = heading(r.in.columns, bad.Field)
		r.wrong(i, bad)
	}
	return nil
}

// claims refuses rows whose email, or username where that could be an email, is another account's, unless a row of the same
// file takes it from that one.
func (r *importRun) claims(ctx context.Context) error {
	var wanted []string
	released := map[string]int{}
	for i := range r.plans {
		p := &r.plans[i]
		wanted = append(wanted, newKeys(&p.whole)...)
		if p.whole.Before != nil {
			has := p.whole.After.LoginKeys()
			for _, had := range p.whole.Before.LoginKeys() {
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
		for _, identifier := range newKeys(&r.plans[i].whole) {
			r.claim(i, identifier, owners, released)
		}
	}
	return nil
}

func (r *importRun) claim(i int, identifier string, owners map[string]string, released map[string]int) {
	p := &r.plans[i]
	heading := usernameHeading
	if email, _ := account.Normalise(p.whole.After.Email); email == identifier {
		heading = emailHeading
	}
	if j, ok := released[identifier]; ok && j != i {
		from := &r.plans[j]
		from.leaves = append(from.leaves, identifier)
		if p.takes == nil {
			p.takes = map[string]string{}
		}
		p.takes[identifier] = from.whole.Before.ID
		p.needs = append(p.needs, need{j, heading, fmt.Sprintf("%s is that of the account of row %d, which would give it up but has errors itself.", heading, r.lines[j].number)})
		return
	}
	if owner, held := owners[identifier]; held && owner != p.whole.After.ID && p.write != nil {
		r.wrong(i, fault.Field{Field: heading, Code: "taken", Message: heading + " is taken by another account, as an email or a username, perhaps in another spelling."})
	}
}

func newKeys(w *account.Write) []string {
	keys := w.After.LoginKeys()
	if w.Before == nil {
		return keys
	}
	had := w.Before.LoginKeys()
	return slices.DeleteFunc(keys, func(k string) bool { return slices.Contains(had, k) })
}

// dependents fails the rows that need a row which failed, until none is left that does: rows that hand identifiers to each
// other, or name each other's resources, go in together or not at all.
func (r *importRun) dependents() {
	for again := true; again; {
		again = false
		for i := range r.plans {
			if len(r.rows[i].Errors) > 0 {
				continue
			}
			for _, n := range r.plans[i].needs {
				if len(r.rows[n.row].Errors) > 0 {
					r.wrong(i, fault.Field{Field: n.field, Code: "otherRow", Message: n.message})
					again = true
				}
			}
		}
	}
}

// settle counts a row, and puts it among those to write.
func (r *importRun) settle(i int, counts *Counts) error {
	p := &r.plans[i]
	if len(r.rows[i].Errors) > 0 {
		if r.job.Options.SkipErrors && (p.found.Staged || p.employed) {
			return ErrOvertaken // an earlier worker found it right
		}
		r.rows[i].Outcome = r.outcomeOfWrong(i)
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
	r.tell(i)
	if p.write == nil && p.staff == nil {
		return nil
	}
	if i < r.job.Next {
		return ErrOvertaken // an earlier worker was past this row, and found nothing to write in it
	}
	r.todo = append(r.todo, r.staged(i))
	return nil
}

// staged returns the row as the store takes it.
func (r *importRun) staged(i int) Staged {
	p := &r.plans[i]
	out := Staged{Next: i + 1, Staff: p.staff, Takes: p.takes, Leaves: p.leaves}
	if p.write != nil {
		out.Write = *p.write
	}
	if p.staff != nil {
		manager := foldCode(p.staff.After.Manager)
		_, out.ManagerMade = r.made[manager]
		out.Named = p.staff.Before == nil && r.named[p.staff.After.Key()]
	}
	return out
}

// tell says what the row changes.
func (r *importRun) tell(i int) {
	p := &r.plans[i]
	if p.whole.Gone || p.whole.Before == nil && p.whole.After.ID != "" && !r.job.Options.DryRun {
		return // a new account: the row itself says it all
	}
	var diffs, staff []field.Diff
	if p.whole.After.ID != "" {
		before := account.Account{}
		if p.whole.Before != nil {
			before = *p.whole.Before
		}
		diffs = account.Fields().Compare(&before, &p.whole.After)
	}
	if w := r.staffWhole(i); w != nil {
		before := resource.Resource{}
		if w.Before != nil {
			before = *w.Before
		}
		staff = resource.Fields().Compare(&before, &w.After)
	}
	r.rows[i].Changes = r.in.changes(diffs, staff)
}
