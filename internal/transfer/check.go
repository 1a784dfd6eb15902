package transfer

import (
	"context"
	"fmt"
	"slices"

	"useraccounts/internal/account"
	"useraccounts/internal/fault"
)

// check works out what each row would do and what is wrong with it, over the whole file. With a wrong row and no Skip
// errors it refuses the import, with nothing written. ErrOvertaken if an earlier worker's rows are no longer what they were.
func (r *importRun) check(ctx context.Context) error {
	r.rows, r.todo = make([]Row, len(r.lines)), nil
	found, err := r.look(ctx)
	if err != nil {
		return err
	}
	r.doubles()
	writes := make([]*account.Write, len(r.lines))
	for i := range r.lines {
		writes[i] = r.prepare(i, found[i])
	}
	if err := r.claims(ctx, writes); err != nil {
		return err
	}
	counts := Counts{Rows: len(r.lines)}
	for i := range r.rows {
		r.settle(i, writes[i], &counts)
	}
	r.job.Counts, r.job.Checked = counts, len(r.rows)
	for i := range min(r.job.Next, len(writes)) {
		if writes[i] != nil && len(r.rows[i].Errors) == 0 {
			return ErrOvertaken // an earlier worker was past this row, and found nothing to write in it
		}
	}
	if counts.Failed > 0 && !r.job.Options.SkipErrors {
		r.refuse(Refused, "rowErrors", fmt.Sprintf(
			"%d of %d rows are not right, so nothing was imported. Mend them and upload the file again, or tick Skip errors.", counts.Failed, counts.Rows))
	}
	return r.countSeats(ctx, found, writes)
}

// look reads what there is for every username of the file.
func (r *importRun) look(ctx context.Context) ([]Found, error) {
	names := make([]string, len(r.lines))
	for i, l := range r.lines {
		r.rows[i] = Row{Row: l.number, Username: l.username, Errors: slices.Clone(l.bad)}
		normal, ok := account.Normalise(l.username)
		if !ok && l.username != "" {
			r.wrong(i, fault.Field{Field: usernameHeading, Code: "character", Message: "Username holds characters that cannot be used to sign in, or is too long."})
		}
		names[i] = normal
	}
	return r.Directory.Rows(ctx, r.scope.Env, r.job.Import, names)
}

// wrong adds an error to a row unless the same field has one.
func (r *importRun) wrong(i int, f fault.Field) {
	if !slices.ContainsFunc(r.rows[i].Errors, func(have fault.Field) bool { return have.Field == f.Field }) {
		r.rows[i].Errors = append(r.rows[i].Errors, f)
	}
}

// doubles refuses identifiers that two rows of the file claim, in any spelling.
func (r *importRun) doubles() {
	first := map[string]int{}
	claim := func(i int, heading, text string) {
		normal, ok := account.Normalise(text)
		if !ok {
			return
		}
		if j, taken := first[normal]; taken && j != i {
			r.wrong(i, fault.Field{Field: heading, Code: "doubled", Message: fmt.Sprintf("Row %d has the same %s, perhaps in another spelling; each may stand once in a file.", r.lines[j].number, heading)})
			return
		}
		first[normal] = i
	}
	for i, l := range r.lines {
		claim(i, usernameHeading, l.username)
	}
	for i, l := range r.lines {
		if email, ok := l.patch["email"].(string); ok {
			claim(i, "Email", email)
		}
	}
}

// prepare returns the write of one row, nil if there is nothing to write or something is wrong.
func (r *importRun) prepare(i int, found Found) *account.Write {
	if slices.ContainsFunc(r.rows[i].Errors, func(f fault.Field) bool { return f.Field == usernameHeading }) {
		return nil // whose row it is cannot be told, so neither what else is wrong with it
	}
	if found.Busy {
		r.wrong(i, fault.Field{Field: usernameHeading, Code: "busy", Message: "Another import is changing this account; run this one again when that has ended."})
		return nil
	}
	if found.Staged {
		r.rows[i].Outcome = RowUpdated
		if found.New {
			r.rows[i].Outcome = RowCreated
		}
		return nil
	}
	var (
		write account.Write
		err   error
		l     = r.lines[i]
	)
	if found.Exists {
		delete(l.patch, "username") // the match key: its spelling stays
		write, err = r.Rules.Change(r.scope, found.Account, l.patch, r.now())
		r.rows[i].Outcome = RowUpdated
		if write.Event.Kind == "" {
			r.rows[i].Outcome = RowUnchanged
		}
		write.Event.ID = r.job.ID // one event of a job for each account, found again when it is taken back
	} else {
		write, err = r.Rules.Create(r.scope, l.patch, r.NewID(), r.now())
		r.rows[i].Outcome = RowCreated
	}
	if err != nil {
		r.refuseRow(i, err)
		return nil
	}
	write.Event.Job, write.Event.Row = r.job.ID, l.number
	if r.rows[i].Outcome == RowUnchanged {
		return nil
	}
	return &write
}

// refuseRow turns a fault of the account's rules into errors of the row, in the sheet's words.
func (r *importRun) refuseRow(i int, err error) {
	f := fault.As(err)
	if f == nil {
		f = fault.New(fault.Internal, "internal", "The row could not be checked.")
	}
	if len(f.Fields) == 0 {
		r.wrong(i, fault.Field{Field: usernameHeading, Code: f.Code, Message: f.Detail})
		return
	}
	all := columns()
	for _, bad := range f.Fields {
		bad.Field = headingOf(all, bad.Field)
		r.wrong(i, bad)
	}
}

// claims refuses rows whose email, or username where that could be an email, is another account's.
func (r *importRun) claims(ctx context.Context, writes []*account.Write) error {
	var wanted []string
	for _, w := range writes {
		if w != nil {
			wanted = append(wanted, newKeys(w)...)
		}
	}
	owners, err := r.Directory.Owners(ctx, r.scope.Env, wanted)
	if err != nil {
		return err
	}
	for i, w := range writes {
		if w == nil {
			continue
		}
		for _, identifier := range newKeys(w) {
			if owner, held := owners[identifier]; held && owner != w.After.ID {
				heading := usernameHeading
				if email, _ := account.Normalise(w.After.Email); email == identifier {
					heading = "Email"
				}
				r.wrong(i, fault.Field{Field: heading, Code: "taken", Message: heading + " is taken by another account, as an email or a username, perhaps in another spelling."})
			}
		}
	}
	return nil
}

func newKeys(w *account.Write) []string {
	keys := w.After.LoginKeys()
	if w.Before == nil {
		return keys
	}
	had := w.Before.LoginKeys()
	return slices.DeleteFunc(keys, func(k string) bool { return slices.Contains(had, k) })
}

// settle counts a row, and puts it among those to write.
func (r *importRun) settle(i int, w *account.Write, counts *Counts) {
	if len(r.rows[i].Errors) > 0 {
		r.rows[i].Outcome = RowFailed
		counts.Failed++
		return
	}
	switch r.rows[i].Outcome {
	case RowCreated:
		counts.Created++
	case RowUpdated:
		counts.Updated++
	default:
		counts.Unchanged++
	}
	if w != nil {
		r.todo = append(r.todo, Staged{Next: i + 1, Write: *w})
	}
}
