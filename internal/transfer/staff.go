package transfer

import (
	"context"
	"fmt"
	"slices"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/resource"
)

// Resources is what the worker needs of resources.
type Resources interface {
	// Resources returns what there is for each folded code; a code that is free is not among them. mark is the import's number.
	Resources(ctx context.Context, env environment.Environment, mark int64, codes []string) (map[string]FoundResource, error)
	// Reserve takes a block of n numbers that no resource has for the import and notes it in the job; ErrLost, ErrCancelled.
	Reserve(ctx context.Context, j Job, n int) (Job, error)
}

// FoundResource is what the store has for a code.
type FoundResource struct {
	Resource resource.Resource
	// Exists is false for a code that is free, as far as readers see.
	Exists bool
	// Staged ones were written by this import already, as Written says; Busy ones are being written by another, or Leaving:
	// taken away by an undo that counts, and not cleared up yet.
	Staged, Busy, Leaving bool
	Written               resource.Resource
	// Former is the resource before the import that wrote it last, if nobody wrote it since.
	Former *resource.Resource
}

func foldCode(code string) string { return catalogue.Fold(code) }

// chosen looks at the options that name something, which may have gone since the submit.
func (r *importRun) chosen(ctx context.Context) error {
	o := r.job.Options
	if o.ResourceGroup != "" {
		if e, ok := r.scope.Catalogue.Find(catalogue.ResourceGroup, o.ResourceGroup); !ok || !e.Active {
			r.refuse(Failed, "resourceGroup", "The resource group "+shown(o.ResourceGroup)+" that was chosen for new resources is not there any more, or is locked. Nothing was imported; choose another.")
			return nil
		}
	}
	r.copied = nil
	if o.CopyRolesFrom == "" {
		return nil
	}
	a, err := RolesOf(ctx, r.Directory, r.scope.Env, o.CopyRolesFrom)
	if fault.Is(err, fault.Invalid) {
		r.refuse(Failed, "copyRolesFrom", "The user "+shown(o.CopyRolesFrom)+" whose roles were to be copied is not there any more. Nothing was imported; choose another.")
		return nil
	}
	r.copied = a
	return err
}

// Rower is the part of a Directory that finds accounts by username.
type Rower interface {
	Rows(ctx context.Context, env environment.Environment, mark int64, usernames []string) ([]Found, error)
}

// RolesOf returns the roles of the account of a username; Invalid if there is none.
func RolesOf(ctx context.Context, from Rower, env environment.Environment, username string) ([]string, error) {
	normal, ok := account.Normalise(username)
	var found Found
	if ok {
		all, err := from.Rows(ctx, env, 0, []string{normal})
		if err != nil {
			return nil, err
		}
		found = all[0]
	}
	if !found.Exists {
		return nil, fault.InvalidFields([]fault.Field{{Field: "copyRolesFrom", Code: "unknownUser", Message: "There is no user with this username; choose another or leave it out."}})
	}
	return append([]string{}, found.Account.Roles...), nil
}

// lookForStaff reads the resources that the rows and their accounts name, and notes which the file makes.
func (r *importRun) lookForStaff(ctx context.Context) error {
	r.made, r.named = map[string]int{}, map[string]bool{}
	var codes []string
	for i, l := range r.lines {
		has := r.plans[i].found.Account.Resource
		if staged := r.plans[i].found.Written.Resource; staged != "" {
			codes = append(codes, foldCode(staged))
		}
		if has == "" && !l.create {
			continue
		}
		if has != "" {
			if len(l.staff) == 0 && l.patch["name"] == nil && !r.job.Options.ResetFromGroup {
				continue
			}
			codes = append(codes, foldCode(has))
		}
		for _, name := range []string{"code", "manager"} {
			if code, ok := l.staff[name].(string); ok && catalogue.CodeFault(code) == "" {
				codes = append(codes, foldCode(code))
			}
		}
		if code := l.code(); has == "" && code != "" {
			r.made[foldCode(code)] = i
		}
	}
	if len(codes) == 0 && !slices.ContainsFunc(r.lines, func(l line) bool { return l.create }) {
		return nil
	}
	for _, group := range r.scope.Catalogue.All(catalogue.ResourceGroup) {
		if group.Defaults.Manager != "" {
			codes = append(codes, foldCode(group.Defaults.Manager))
		}
	}
	slices.Sort(codes)
	codes = slices.Compact(codes)
	err := r.settled(ctx, func() (leaving bool, err error) {
		r.staff, err = r.Resources.Resources(ctx, r.scope.Env, r.job.Import, codes)
		for _, found := range r.staff {
			leaving = leaving || found.Leaving
		}
		return leaving, err
	})
	for code := range r.made {
		if r.staff[code].Exists {
			delete(r.made, code) // it is there, and only linked
		}
	}
	return err
}

// rulesFor returns the rules of resources for one row: codes are looked up among what the file makes and what was read.
func (r *importRun) rulesFor(i int) resource.Rules {
	return resource.Rules{Find: func(_ context.Context, _ environment.Environment, code string) (resource.Resource, bool, error) {
		folded := foldCode(code)
		if j, made := r.made[folded]; made {
			r.named[folded] = true
			if j != i {
				r.plans[i].needs = append(r.plans[i].needs, need{j, managerHeading, fmt.Sprintf("The manager is the resource that row %d makes, and that row has errors.", r.lines[j].number)})
			}
			return resource.Resource{Code: r.lines[j].code(), Active: true}, true, nil
		}
		found := r.staff[folded]
		return found.Resource, found.Exists, nil
	}}
}

// prepareStaff plans what a row makes of its account's resource: a new one, one that is there and belonged to nobody, or a
// change of its own. A row that asks for none, of an account without one, has its columns of resources ignored.
func (r *importRun) prepareStaff(ctx context.Context, i int, write *account.Write) error {
	p, l := &r.plans[i], r.lines[i]
	has := p.found.Account.Resource
	if has == "" && !l.create {
		return nil
	}
	for _, f := range l.badStaff {
		r.wrong(i, f)
	}
	if has != "" {
		return r.changeStaff(ctx, i, write)
	}
	if !r.scope.Caller.May(access.ResourceWrite) {
		r.wrong(i, fault.Field{Field: createResourceHeading, Code: "forbidden", Message: "Creating resources needs the permission resource.write, which you do not hold."})
		return nil
	}
	return r.employ(ctx, i, write)
}

// employ plans a resource for an account that has none.
func (r *importRun) employ(ctx context.Context, i int, write *account.Write) error {
	p, l := &r.plans[i], r.lines[i]
	id, name := write.After.ID, write.After.Name
	if write.Event.Kind == "" { // unchanged, or wrong
		id, name = p.found.Account.ID, p.found.Account.Name
		if given, ok := l.patch["name"].(string); ok {
			name = given
		}
	}
	found := r.staff[foldCode(l.code())]
	made, err := r.hire(ctx, i, found, id, name)
	if err != nil {
		return r.refuseRow(i, err, staffHeadingOf)
	}
	if len(r.rows[i].Errors) > 0 {
		return nil
	}
	employed, err := account.Employed(r.scope, *write, p.found.Account, made.After.Code, r.now())
	if err != nil {
		return r.refuseRow(i, err, headingOf)
	}
	*write, p.staff = employed, &made
	return nil
}

// hire returns the write of the resource: a new one, or the one there is of the code, if that is nobody's.
func (r *importRun) hire(ctx context.Context, i int, found FoundResource, accountID, name string) (resource.Write, error) {
	l := r.lines[i]
	patch := clonePatch(l.staff)
	if patch["resourceGroup"] == nil && r.job.Options.ResourceGroup != "" && !found.Exists {
		patch["resourceGroup"] = r.job.Options.ResourceGroup
	}
	switch {
	case l.code() == "" || !found.Exists && !found.Busy && !found.Staged:
		delete(patch, "description")
		if l.code() == "" {
			delete(patch, "code")
		}
		w, err := r.rulesFor(i).Create(ctx, r.scope, patch, resource.Making{AccountID: accountID, Description: name, Now: r.now()})
		if group := fault.As(err); group != nil && patch["resourceGroup"] == nil {
			r.wrong(i, fault.Field{Field: groupHeading, Code: "required", Message: "A new resource needs a resource group: fill in its code, or choose a default Resource group for the import."})
		}
		w.Event.Kind = "" // one line in the account's log tells of both
		return w, err
	case found.Busy:
		r.wrong(i, fault.Field{Field: resourceHeading, Code: "busy", Message: "Another import is writing this resource; run this one again when that has ended."})
	case found.Staged:
		return resource.Write{}, ErrOvertaken // its account was changed by somebody since
	case found.Resource.AccountID != "":
		r.wrong(i, fault.Field{Field: resourceHeading, Code: "linked", Message: "The resource " + found.Resource.Code + " belongs to another account; give another code, or leave it blank to get a number."})
	default:
		delete(patch, "code")
		patch["description"] = name
		w, err := r.rulesFor(i).Adopt(ctx, r.scope, found.Resource, patch, r.job.Options.ResetFromGroup, accountID, r.now())
		return r.logged(i, w), err
	}
	return resource.Write{}, nil
}

// changeStaff plans the change of the resource that the account has.
func (r *importRun) changeStaff(ctx context.Context, i int, write *account.Write) error {
	p, l := &r.plans[i], r.lines[i]
	has := p.found.Account.Resource
	if code := l.code(); code != "" && foldCode(code) != foldCode(has) {
		r.wrong(i, fault.Field{Field: resourceHeading, Code: "hasResource", Message: "The account has the resource " + has + " already, for good; put that code here, or leave the cell blank."})
		return nil
	}
	patch := clonePatch(l.staff)
	delete(patch, "code")
	if write.Event.Kind != "" && write.After.Name != p.found.Account.Name {
		patch["description"] = write.After.Name
	}
	if len(patch) == 0 && !r.job.Options.ResetFromGroup {
		return nil
	}
	found := r.staff[foldCode(has)]
	switch {
	case found.Busy:
		r.wrong(i, fault.Field{Field: resourceHeading, Code: "busy", Message: "Another import is changing this account's resource; run this one again when that has ended."})
		return nil
	case found.Staged:
		p.employed = true // by an earlier worker
		return nil
	case !found.Exists:
		return ErrOvertaken
	}
	w, err := r.rulesFor(i).Change(ctx, r.scope, found.Resource, patch, r.job.Options.ResetFromGroup, r.now())
	if err != nil {
		return r.refuseRow(i, err, staffHeadingOf)
	}
	if w.Event.Kind == "" {
		return nil
	}
	if !r.scope.Caller.May(access.ResourceWrite) {
		r.wrong(i, fault.Field{Field: resourceHeading, Code: "forbidden", Message: "Changing resources needs the permission resource.write, which you do not hold."})
		return nil
	}
	w = r.logged(i, w)
	p.staff = &w
	return nil
}

// logged gives the write of a resource its line in the account's log.
func (r *importRun) logged(i int, w resource.Write) resource.Write {
	w.Event.ID, w.Event.Job, w.Event.Row = r.job.StaffEventID(), r.job.ID, r.lines[i].number
	return w
}

// StaffEventID is the id of the event that an import writes for the resource of an account, beside that of the account, which
// has the job's own id: that with another last character.
func (j Job) StaffEventID() string {
	if j.ID == "" {
		return ""
	}
	head, last := j.ID[:len(j.ID)-1], "0"
	if j.ID[len(j.ID)-1] == '0' {
		last = "1"
	}
	return head + last
}

// staffStaged finds the managers that a row which an earlier worker staged names.
func (r *importRun) staffStaged(i int) {
	found := r.staff[foldCode(r.plans[i].found.Written.Resource)]
	if found.Staged && found.Written.Manager != "" {
		_, _, _ = r.rulesFor(i).Find(context.Background(), r.scope.Env, found.Written.Manager)
	}
}

// staffWhole returns what a row changes of its resource, also where an earlier worker staged that.
func (r *importRun) staffWhole(i int) *resource.Write {
	p := &r.plans[i]
	if p.staff != nil {
		return p.staff
	}
	code := p.found.Account.Resource
	if p.found.Staged {
		code = p.found.Written.Resource
	}
	found := r.staff[foldCode(code)]
	if code == "" || !found.Staged {
		return nil
	}
	w := &resource.Write{After: found.Written}
	if found.Exists {
		w.Before = &found.Resource
	}
	return w
}

// numbers gives the new resources without a code theirs, from one block that is taken for the whole import.
func (r *importRun) numbers(ctx context.Context) error {
	var blank []int
	for i := range r.todo {
		if s := r.todo[i].Staff; s != nil && s.After.Code == "" {
			blank = append(blank, i)
		}
	}
	if len(blank) == 0 {
		return nil
	}
	if r.job.Numbers == 0 {
		job, err := r.Resources.Reserve(ctx, r.job, len(blank))
		if err != nil {
			return err
		}
		r.job = job
	}
	// The numbers go in the order of rows: what is left of the block is for what is left of the rows.
	if len(blank) > r.job.Numbers {
		return ErrOvertaken
	}
	next := r.job.FirstNumber + int64(r.job.Numbers-len(blank))
	for n, i := range blank {
		code := fmt.Sprint(next + int64(n))
		coded := r.todo[i].Staff.Coded(code)
		if foldCode(coded.After.Manager) == coded.After.Key() {
			return ErrOvertaken
		}
		r.todo[i].Staff = &coded
		r.todo[i].Write = r.todo[i].Write.Employs(code)
	}
	return nil
}
