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
	// ResourcesByCode returns what there is for each folded code; a code that is free is not among them. mark is the
	// import's number.
	ResourcesByCode(ctx context.Context, env environment.Environment, importID int64,
		codes []string) (map[string]ResourceState, error)
	// ReserveNumbers takes a block of n numbers that no resource has for the import and notes it in the job;
	// ErrSuperseded, ErrCancelled.
	ReserveNumbers(ctx context.Context, j Job, n int) (Job, error)
}

// ResourceState is what the store has for a code.
type ResourceState struct {
	Resource resource.Resource
	// Exists is false for a code that is free, as far as readers see.
	Exists bool
	// Staged ones were written by this import already, as Written says; Busy ones are being written by another, or
	// Leaving: taken away by an undo that counts, and not cleared up yet.
	Staged, Busy, BeingRemoved bool
	StagedResource             resource.Resource
	// Previous is the resource before the import that wrote it last, if nobody wrote it since.
	Previous *resource.Resource
}

func foldCode(code string) string { return catalogue.Fold(code) }

// loadOptions looks at the options that name something, which may have gone since the submit.
func (r *importRun) loadOptions(ctx context.Context) error {
	o := r.job.Options
	if o.ResourceGroup != "" {
		if e, ok := r.scope.Catalogue.Find(catalogue.ResourceGroup, o.ResourceGroup); !ok || !e.Active {
			r.refuse(Failed, "resourceGroup",
				"The resource group "+excerpt(o.ResourceGroup)+
					" that was chosen for new resources is not there any more, or is locked. Nothing was imported; choose another.")
			return nil
		}
	}
	r.copiedRoles = nil
	if o.CopyRolesFrom == "" {
		return nil
	}
	a, err := RolesOf(ctx, r.Directory, r.scope.Env, o.CopyRolesFrom)
	if fault.Is(err, fault.Invalid) {
		r.refuse(Failed, "copyRolesFrom",
			"The user "+excerpt(o.CopyRolesFrom)+
				" whose roles were to be copied is not there any more. Nothing was imported; choose another.")
		return nil
	}
	r.copiedRoles = a
	return err
}

// AccountFinder is the part of a Directory that finds accounts by username.
type AccountFinder interface {
	AccountsByUsername(ctx context.Context, env environment.Environment, importID int64,
		usernames []string) ([]AccountState, error)
}

// RolesOf returns the roles of the account of a username; Invalid if there is none.
func RolesOf(ctx context.Context, from AccountFinder, env environment.Environment, username string) ([]string, error) {
	normal, ok := account.Normalise(username)
	var found AccountState
	if ok {
		all, err := from.AccountsByUsername(ctx, env, 0, []string{normal})
		if err != nil {
			return nil, err
		}
		found = all[0]
	}
	if !found.Exists {
		return nil, fault.InvalidFields(
			[]fault.Field{
				{Field: "copyRolesFrom", Code: "unknownUser",
					Message: "There is no user with this username; choose another or leave it out."}})
	}
	return append([]string{}, found.Account.Roles...), nil
}

// loadResources reads the resources that the rows and their accounts name, and notes which the file makes.
func (r *importRun) loadResources(ctx context.Context) error {
	r.newResources, r.newManagers = map[string]int{}, map[string]bool{}
	var codes []string
	for i, l := range r.lines {
		has := r.plans[i].account.Account.Resource
		if staged := r.plans[i].account.StagedAccount.Resource; staged != "" {
			codes = append(codes, foldCode(staged))
		}
		if has == "" && !l.createResource {
			continue
		}
		if has != "" {
			if len(l.resourcePatch) == 0 && l.patch["name"] == nil && !r.job.Options.ResetFromGroup {
				continue
			}
			codes = append(codes, foldCode(has))
		}
		for _, name := range []string{"code", "manager"} {
			if code, ok := l.resourcePatch[name].(string); ok && catalogue.CodeFault(code) == "" {
				codes = append(codes, foldCode(code))
			}
		}
		if code := l.resourceCode(); has == "" && code != "" {
			r.newResources[foldCode(code)] = i
		}
	}
	if len(codes) == 0 && !slices.ContainsFunc(r.lines, func(l rowInput) bool { return l.createResource }) {
		return nil
	}
	for _, group := range r.scope.Catalogue.All(catalogue.ResourceGroup) {
		if group.Defaults.Manager != "" {
			codes = append(codes, foldCode(group.Defaults.Manager))
		}
	}
	slices.Sort(codes)
	codes = slices.Compact(codes)
	err := r.awaitPurge(ctx, func() (leaving bool, err error) {
		r.resources, err = r.Resources.ResourcesByCode(ctx, r.scope.Env, r.job.ImportID, codes)
		for _, found := range r.resources {
			leaving = leaving || found.BeingRemoved
		}
		return leaving, err
	})
	for code := range r.newResources {
		if r.resources[code].Exists {
			delete(r.newResources, code) // it is there, and only linked
		}
	}
	return err
}

// resourceRules returns the rules of resources for one row: codes are looked up among what the file makes and what was
// read.
func (r *importRun) resourceRules(i int) resource.Rules {
	return resource.Rules{
		Find: func(_ context.Context, _ environment.Environment, code string) (resource.Resource, bool, error) {
			folded := foldCode(code)
			if j, made := r.newResources[folded]; made {
				r.newManagers[folded] = true
				if j != i {
					r.plans[i].dependencies = append(r.plans[i].dependencies,
						dependency{j, managerHeading,
							fmt.Sprintf("The manager is the resource that row %d makes, and that row has errors.", r.lines[j].number)})
				}
				return resource.Resource{Code: r.lines[j].resourceCode(), Active: true}, true, nil
			}
			found := r.resources[folded]
			return found.Resource, found.Exists, nil
		}}
}

// planResource plans what a row makes of its account's resource: a new one, one that is there and belonged to nobody,
// or a change of its own. A row that asks for none, of an account without one, has its columns of resources ignored.
func (r *importRun) planResource(ctx context.Context, i int, write *account.Write) error {
	p, l := &r.plans[i], r.lines[i]
	has := p.account.Account.Resource
	if has == "" && !l.createResource {
		return nil
	}
	for _, f := range l.resourceErrors {
		r.addError(i, f)
	}
	if has != "" {
		return r.planResourceChange(ctx, i, write)
	}
	if !r.scope.Caller.May(access.ResourceWrite) {
		r.addError(i,
			fault.Field{Field: createResourceHeading, Code: "forbidden",
				Message: "Creating resources needs the permission resource.write, which you do not hold."})
		return nil
	}
	return r.planResourceLink(ctx, i, write)
}

// planResourceLink plans a resource for an account that has none.
func (r *importRun) planResourceLink(ctx context.Context, i int, write *account.Write) error {
	p, l := &r.plans[i], r.lines[i]
	id, name := write.After.ID, write.After.Name
	if write.Event.Kind == "" { // unchanged, or wrong
		id, name = p.account.Account.ID, p.account.Account.Name
		if given, ok := l.patch["name"].(string); ok {
			name = given
		}
	}
	found := r.resources[foldCode(l.resourceCode())]
	made, err := r.createOrAdopt(ctx, i, found, id, name)
	if err != nil {
		return r.addFault(i, err, fieldHeadingOfResource)
	}
	if len(r.rows[i].Errors) > 0 {
		return nil
	}
	employed, err := account.AddResource(r.scope, *write, p.account.Account, made.After.Code, r.now())
	if err != nil {
		return r.addFault(i, err, accountHeading)
	}
	*write, p.stageResource = employed, &made
	return nil
}

// createOrAdopt returns the write of the resource: a new one, or the one there is of the code, if that is nobody's.
func (r *importRun) createOrAdopt(ctx context.Context, i int, found ResourceState, accountID,
	name string) (resource.Write, error) {
	l := r.lines[i]
	patch := clonePatch(l.resourcePatch)
	if patch["resourceGroup"] == nil && r.job.Options.ResourceGroup != "" && !found.Exists {
		patch["resourceGroup"] = r.job.Options.ResourceGroup
	}
	switch {
	case l.resourceCode() == "" || !found.Exists && !found.Busy && !found.Staged:
		delete(patch, "description")
		if l.resourceCode() == "" {
			delete(patch, "code")
		}
		w, err := r.resourceRules(i).Create(ctx, r.scope, patch,
			resource.CreateOptions{AccountID: accountID, Description: name, Now: r.now()})
		if group := fault.As(err); group != nil && patch["resourceGroup"] == nil {
			r.addError(i,
				fault.Field{Field: groupHeading, Code: "required",
					Message: "A new resource needs a resource group: fill in its code, or choose a default Resource group for the " +
						"import."})
		}
		w.Event.Kind = "" // one line in the account's log tells of both
		return w, err
	case found.Busy:
		r.addError(i,
			fault.Field{Field: resourceHeading, Code: "busy",
				Message: "Another import is writing this resource; run this one again when that has ended."})
	case found.Staged:
		return resource.Write{}, ErrStale // its account was changed by somebody since
	case found.Resource.AccountID != "":
		r.addError(i,
			fault.Field{Field: resourceHeading, Code: "linked",
				Message: "The resource " + found.Resource.Code +
					" belongs to another account; give another code, or leave it blank to get a number."})
	default:
		delete(patch, "code")
		patch["description"] = name
		w, err := r.resourceRules(i).LinkAccount(ctx, r.scope, found.Resource, patch, r.job.Options.ResetFromGroup,
			accountID, r.now())
		return r.withEvent(i, w), err
	}
	return resource.Write{}, nil
}

// planResourceChange plans the change of the resource that the account has.
func (r *importRun) planResourceChange(ctx context.Context, i int, write *account.Write) error {
	p, l := &r.plans[i], r.lines[i]
	has := p.account.Account.Resource
	if code := l.resourceCode(); code != "" && foldCode(code) != foldCode(has) {
		r.addError(i,
			fault.Field{Field: resourceHeading, Code: "hasResource",
				Message: "The account has the resource " + has +
					" already, for good; put that code here, or leave the cell blank."})
		return nil
	}
	patch := clonePatch(l.resourcePatch)
	delete(patch, "code")
	if write.Event.Kind != "" && write.After.Name != p.account.Account.Name {
		patch["description"] = write.After.Name
	}
	if len(patch) == 0 && !r.job.Options.ResetFromGroup {
		return nil
	}
	found := r.resources[foldCode(has)]
	switch {
	case found.Busy:
		r.addError(i,
			fault.Field{Field: resourceHeading, Code: "busy",
				Message: "Another import is changing this account's resource; run this one again when that has ended."})
		return nil
	case found.Staged:
		p.resourceStaged = true // by an earlier worker
		return nil
	case !found.Exists:
		return ErrStale
	}
	w, err := r.resourceRules(i).Change(ctx, r.scope, found.Resource, patch, r.job.Options.ResetFromGroup, r.now())
	if err != nil {
		return r.addFault(i, err, fieldHeadingOfResource)
	}
	if w.Event.Kind == "" {
		return nil
	}
	if !r.scope.Caller.May(access.ResourceWrite) {
		r.addError(i,
			fault.Field{Field: resourceHeading, Code: "forbidden",
				Message: "Changing resources needs the permission resource.write, which you do not hold."})
		return nil
	}
	w = r.withEvent(i, w)
	p.stageResource = &w
	return nil
}

// withEvent gives the write of a resource its line in the account's log.
func (r *importRun) withEvent(i int, w resource.Write) resource.Write {
	w.Event.ID, w.Event.Job, w.Event.Row = r.job.ResourceEventID(), r.job.ID, r.lines[i].number
	return w
}

// ResourceEventID is the id of the event that an import writes for the resource of an account, beside that of the
// account, which has the job's own id: that with another last character.
func (j Job) ResourceEventID() string {
	if j.ID == "" {
		return ""
	}
	head, last := j.ID[:len(j.ID)-1], "0"
	if j.ID[len(j.ID)-1] == '0' {
		last = "1"
	}
	return head + last
}

// resumeResource finds the managers that a row which an earlier worker staged names.
func (r *importRun) resumeResource(i int) {
	found := r.resources[foldCode(r.plans[i].account.StagedAccount.Resource)]
	if found.Staged && found.StagedResource.Manager != "" {
		_, _, _ = r.resourceRules(i).Find(context.Background(), r.scope.Env, found.StagedResource.Manager)
	}
}

// resourceChange returns what a row changes of its resource, also where an earlier worker staged that.
func (r *importRun) resourceChange(i int) *resource.Write {
	p := &r.plans[i]
	if p.stageResource != nil {
		return p.stageResource
	}
	code := p.account.Account.Resource
	if p.account.Staged {
		code = p.account.StagedAccount.Resource
	}
	found := r.resources[foldCode(code)]
	if code == "" || !found.Staged {
		return nil
	}
	w := &resource.Write{After: found.StagedResource}
	if found.Exists {
		w.Before = &found.Resource
	}
	return w
}

// assignNumbers gives the new resources without a code theirs, from one block that is taken for the whole import.
func (r *importRun) assignNumbers(ctx context.Context) error {
	var blank []int
	for i := range r.toStage {
		if s := r.toStage[i].Resource; s != nil && s.After.Code == "" {
			blank = append(blank, i)
		}
	}
	if len(blank) == 0 {
		return nil
	}
	if r.job.NumberCount == 0 {
		job, err := r.Resources.ReserveNumbers(ctx, r.job, len(blank))
		if err != nil {
			return err
		}
		r.job = job
	}
	// The numbers go in the order of rows: what is left of the block is for what is left of the rows.
	if len(blank) > r.job.NumberCount {
		return ErrStale
	}
	next := r.job.FirstNumber + int64(r.job.NumberCount-len(blank))
	for n, i := range blank {
		code := fmt.Sprint(next + int64(n))
		coded := r.toStage[i].Resource.WithCode(code)
		if foldCode(coded.After.Manager) == coded.After.Key() {
			return ErrStale
		}
		r.toStage[i].Resource = &coded
		r.toStage[i].Account = r.toStage[i].Account.WithResource(code)
	}
	return nil
}
