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
	"useraccounts/internal/field"
	"useraccounts/internal/resource"
)

// Resources is what the worker reads of resources.
type Resources interface {
	// ResourcesByCode returns the state of each folded code; a code that is free is left out.
	ResourcesByCode(ctx context.Context, env environment.Environment, importID int64,
		codes []string) (map[string]ResourceState, error)
	// ReserveNumbers reserves a block of n numbers that no resource has, and notes it in the job; ErrSuperseded,
	// ErrCancelled.
	ReserveNumbers(ctx context.Context, j Job, n int) (Job, error)
}

// ResourceState is what the store has for a code.
type ResourceState struct {
	Resource resource.Resource
	// Exists is false for a code that is free, as far as readers see.
	Exists bool
	// Staged says that this import wrote the resource already, StagedResource what it wrote. Busy says that another import
	// is writing it, BeingRemoved that a committed undo has not purged it yet.
	Staged, Busy, BeingRemoved bool
	StagedResource             resource.Resource
	// Previous is the resource before the import that wrote it last; nil if it was written since.
	Previous *resource.Resource
}

func foldCode(code string) string { return catalogue.Fold(code) }

// loadOptions checks the options that name something, which may have been removed since the submit.
func (r *importRun) loadOptions(ctx context.Context) error {
	o := r.job.Options
	if o.ResourceGroup != "" {
		if e, ok := r.scope.Catalogue.Find(catalogue.ResourceGroup, o.ResourceGroup); !ok || !e.Active {
			r.refuse(Failed, "resourceGroup", "The resource group "+excerpt(o.ResourceGroup)+" that was chosen for new "+
				"resources no longer exists, or is locked. Nothing was imported. Start a new import and choose another group.")
			return nil
		}
	}
	if o.CopyRolesFrom == "" {
		return nil
	}
	roles, err := RolesOf(ctx, r.Directory, r.scope.Env, o.CopyRolesFrom)
	if fault.Is(err, fault.Invalid) {
		r.refuse(Failed, "copyRolesFrom", "The user "+excerpt(o.CopyRolesFrom)+" whose roles were to be copied no longer "+
			"exists. Nothing was imported. Start a new import and choose another user.")
		return nil
	}
	r.copiedRoles = roles
	return err
}

// AccountFinder is the part of a Directory that finds accounts by username.
type AccountFinder interface {
	AccountsByUsername(ctx context.Context, env environment.Environment, importID int64,
		usernames []string) ([]AccountState, error)
}

// RolesOf returns the roles of the account with a username; Invalid if there is none.
func RolesOf(ctx context.Context, finder AccountFinder, env environment.Environment,
	username string) ([]string, error) {
	normalised, ok := account.Normalise(username)
	var state AccountState
	if ok {
		states, err := finder.AccountsByUsername(ctx, env, 0, []string{normalised})
		if err != nil {
			return nil, err
		}
		state = states[0]
	}
	if !state.Exists {
		return nil, fault.InvalidFields([]fault.Field{{Field: "copyRolesFrom", Code: "unknownUser",
			Message: "There is no user with this username. Choose another, or leave this empty."}})
	}
	return append([]string{}, state.Account.Roles...), nil
}

// loadResources reads the resources that the rows and their accounts name, and notes which ones the file creates.
func (r *importRun) loadResources(ctx context.Context) error {
	codes := r.resourceCodes()
	if len(codes) == 0 && !slices.ContainsFunc(r.rows, func(row importRow) bool { return row.input.createResource }) {
		return nil
	}
	for _, group := range r.scope.Catalogue.All(catalogue.ResourceGroup) {
		if group.Defaults.Manager != "" {
			codes = append(codes, foldCode(group.Defaults.Manager))
		}
	}
	slices.Sort(codes)
	codes = slices.Compact(codes)
	err := r.awaitPurge(ctx, func() (beingRemoved bool, err error) {
		r.resources, err = r.Resources.ResourcesByCode(ctx, r.scope.Env, r.job.ImportID, codes)
		for _, state := range r.resources {
			beingRemoved = beingRemoved || state.BeingRemoved
		}
		return beingRemoved, err
	})
	for code := range r.newResources {
		if r.resources[code].Exists {
			delete(r.newResources, code) // an existing resource, which is only linked
		}
	}
	return err
}

// resourceCodes returns the folded codes that the rows and their accounts name. It sets newResources to the rows that
// name a code for an account without a resource.
func (r *importRun) resourceCodes() []string {
	r.newResources, r.newManagers = map[string]*importRow{}, map[string]bool{}
	var codes []string
	for i := range r.rows {
		row := &r.rows[i]
		input, current := &row.input, row.plan.account.Account.Resource
		if staged := row.plan.account.StagedAccount.Resource; staged != "" {
			codes = append(codes, foldCode(staged))
		}
		if current == "" && !input.createResource {
			continue
		}
		if current != "" {
			if len(input.resourcePatch) == 0 && input.patch["name"] == nil && !r.job.Options.ResetFromGroup {
				continue
			}
			codes = append(codes, foldCode(current))
		}
		for _, name := range []string{"code", "manager"} {
			if code, ok := input.resourcePatch[name].(string); ok && catalogue.CodeFault(code) == "" {
				codes = append(codes, foldCode(code))
			}
		}
		if code := input.resourceCode(); current == "" && code != "" {
			r.newResources[foldCode(code)] = row
		}
	}
	return codes
}

// resourceRules returns the rules of resources for one row. They find managers among the resources that the file
// creates and those that were read.
func (r *importRun) resourceRules(row *importRow) resource.Rules {
	return resource.Rules{
		Find: func(_ context.Context, _ environment.Environment, code string) (resource.Resource, bool, error) {
			folded := foldCode(code)
			creator, created := r.newResources[folded]
			if !created {
				state := r.resources[folded]
				return state.Resource, state.Exists, nil
			}
			r.newManagers[folded] = true
			if creator != row {
				row.plan.dependencies = append(row.plan.dependencies, dependency{creator, managerHeading, fmt.Sprintf(
					"The manager is the resource that row %d creates, and that row has errors.", creator.input.number)})
			}
			return resource.Resource{Code: creator.input.resourceCode(), Active: true}, true, nil
		}}
}

// planResource plans the resource of a row's account: a new one, an existing one without an account, or a change of the
// one that the account has. If the account has none and the row does not ask for one, the resource's columns are
// ignored.
func (r *importRun) planResource(ctx context.Context, row *importRow, write *account.Write) error {
	current := row.plan.account.Account.Resource
	if current == "" && !row.input.createResource {
		return nil
	}
	for _, f := range row.input.resourceErrors {
		r.addError(row, f)
	}
	if current != "" {
		return r.planResourceChange(ctx, row, write)
	}
	if !r.scope.Caller.May(access.ResourceWrite) {
		r.addError(row, fault.Field{Field: createResourceHeading, Code: "forbidden",
			Message: "You need the permission resource.write to create resources."})
		return nil
	}
	return r.planResourceLink(ctx, row, write)
}

// planResourceLink plans a resource for an account that has none.
func (r *importRun) planResourceLink(ctx context.Context, row *importRow, write *account.Write) error {
	p := &row.plan
	id, name := write.After.ID, write.After.Name
	if write.Event.Kind == "" { // the account does not change, or has errors
		id, name = p.account.Account.ID, p.account.Account.Name
		if given, ok := row.input.patch["name"].(string); ok {
			name = given
		}
	}
	linked, err := r.createOrLink(ctx, row, id, name)
	if err != nil {
		return r.addFault(row, err, resourceHeadingOf)
	}
	if row.failed() {
		return nil
	}
	withResource, err := account.AddResource(r.scope, *write, p.account.Account, linked.After.Code, r.now())
	if err != nil {
		return r.addFault(row, err, accountHeading)
	}
	*write, p.stageResource = withResource, &linked
	return nil
}

// createOrLink returns the write of the resource that the row's account gets: a new one, or the existing one with the
// row's code if no account has it.
func (r *importRun) createOrLink(ctx context.Context, row *importRow, accountID, name string) (resource.Write, error) {
	code := row.input.resourceCode()
	state := r.resources[foldCode(code)]
	patch := clonePatch(row.input.resourcePatch)
	if patch["resourceGroup"] == nil && r.job.Options.ResourceGroup != "" && !state.Exists {
		patch["resourceGroup"] = r.job.Options.ResourceGroup
	}
	switch {
	case code == "" || !state.Exists && !state.Busy && !state.Staged:
		return r.createResource(ctx, row, patch,
			resource.CreateOptions{AccountID: accountID, Description: name, Now: r.now()})
	case state.Busy:
		r.addError(row, fault.Field{Field: resourceHeading, Code: "busy",
			Message: "Another import is changing this resource. Run this import again when that one has ended."})
	case state.Staged:
		return resource.Write{}, ErrStale // its account was changed since an earlier worker staged it
	case state.Resource.AccountID != "":
		r.addError(row, fault.Field{Field: resourceHeading, Code: "linked",
			Message: "The resource " + state.Resource.Code +
				" belongs to another account. Enter another code, or leave the cell blank to get a number."})
	default:
		delete(patch, "code")
		patch["description"] = name
		w, err := r.resourceRules(row).LinkAccount(ctx, r.scope, state.Resource, patch, r.job.Options.ResetFromGroup,
			accountID, r.now())
		return r.withEvent(row, w), err
	}
	return resource.Write{}, nil
}

// createResource returns the write of a new resource. The event of its account tells of both.
func (r *importRun) createResource(ctx context.Context, row *importRow, patch field.Patch,
	o resource.CreateOptions) (resource.Write, error) {
	delete(patch, "description")
	if row.input.resourceCode() == "" {
		delete(patch, "code")
	}
	w, err := r.resourceRules(row).Create(ctx, r.scope, patch, o)
	if fault.As(err) != nil && patch["resourceGroup"] == nil {
		r.addError(row, fault.Field{Field: groupHeading, Code: "required",
			Message: "A new resource needs a resource group. Fill in its code, or choose a Resource group for the import."})
	}
	w.Event.Kind = ""
	return w, err
}

// planResourceChange plans the change of the resource that the account has.
func (r *importRun) planResourceChange(ctx context.Context, row *importRow, write *account.Write) error {
	p := &row.plan
	current := p.account.Account.Resource
	if code := row.input.resourceCode(); code != "" && foldCode(code) != foldCode(current) {
		r.addError(row, fault.Field{Field: resourceHeading, Code: "hasResource",
			Message: "The account already has the resource " + current +
				", which cannot be changed. Enter that code, or leave the cell blank."})
		return nil
	}
	patch := clonePatch(row.input.resourcePatch)
	delete(patch, "code")
	if write.Event.Kind != "" && write.After.Name != p.account.Account.Name {
		patch["description"] = write.After.Name
	}
	if len(patch) == 0 && !r.job.Options.ResetFromGroup {
		return nil
	}
	state := r.resources[foldCode(current)]
	switch {
	case state.Busy:
		r.addError(row, fault.Field{Field: resourceHeading, Code: "busy",
			Message: "Another import is changing this account's resource. Run this import again when that one has ended."})
		return nil
	case state.Staged:
		p.resourceStaged = true
		return nil
	case !state.Exists:
		return ErrStale
	}
	w, err := r.resourceRules(row).Change(ctx, r.scope, state.Resource, patch, r.job.Options.ResetFromGroup, r.now())
	if err != nil {
		return r.addFault(row, err, resourceHeadingOf)
	}
	if w.Event.Kind == "" {
		return nil
	}
	if !r.scope.Caller.May(access.ResourceWrite) {
		r.addError(row, fault.Field{Field: resourceHeading, Code: "forbidden",
			Message: "You need the permission resource.write to change resources."})
		return nil
	}
	w = r.withEvent(row, w)
	p.stageResource = &w
	return nil
}

// withEvent returns the write of a resource with the id, job and row of its event in the account's log.
func (r *importRun) withEvent(row *importRow, w resource.Write) resource.Write {
	w.Event.ID, w.Event.Job, w.Event.Row = r.job.ResourceEventID(), r.job.ID, row.input.number
	return w
}

// ResourceEventID is the id of the event that an import writes for an account's resource. The event of the account
// itself has the job's id; this one differs in the last character.
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

// resumeResource notes the dependency on the manager of a resource that an earlier worker staged.
func (r *importRun) resumeResource(row *importRow) {
	state := r.resources[foldCode(row.plan.account.StagedAccount.Resource)]
	if state.Staged && state.StagedResource.Manager != "" {
		_, _, _ = r.resourceRules(row).Find(context.Background(), r.scope.Env, state.StagedResource.Manager)
	}
}

// resourceChange returns what a row changes of its resource, even if an earlier worker has staged it.
func (r *importRun) resourceChange(row *importRow) *resource.Write {
	p := &row.plan
	if p.stageResource != nil {
		return p.stageResource
	}
	code := p.account.Account.Resource
	if p.account.Staged {
		code = p.account.StagedAccount.Resource
	}
	state := r.resources[foldCode(code)]
	if code == "" || !state.Staged {
		return nil
	}
	w := &resource.Write{After: state.StagedResource}
	if state.Exists {
		w.Before = &state.Resource
	}
	return w
}

// assignNumbers gives numbers to the new resources without a code, from one block for the whole import. The numbers
// follow the order of the rows, so a worker that resumes uses the rest of the block for the rest of the rows.
func (r *importRun) assignNumbers(ctx context.Context, rows []StagedRow) error {
	var without []*StagedRow
	for i := range rows {
		if w := rows[i].Resource; w != nil && w.After.Code == "" {
			without = append(without, &rows[i])
		}
	}
	if len(without) == 0 {
		return nil
	}
	if r.job.NumberCount == 0 {
		job, err := r.Resources.ReserveNumbers(ctx, r.job, len(without))
		if err != nil {
			return err
		}
		r.job = job
	}
	if len(without) > r.job.NumberCount {
		return ErrStale
	}
	next := r.job.FirstNumber + int64(r.job.NumberCount-len(without))
	for n, row := range without {
		code := fmt.Sprint(next + int64(n))
		numbered := row.Resource.WithCode(code)
		if foldCode(numbered.After.Manager) == numbered.After.Key() {
			return ErrStale
		}
		row.Resource = &numbered
		row.Account = row.Account.WithResource(code)
	}
	return nil
}
