package api

import (
	"context"
	"net/http"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
)

const delegationTag = "Account delegations"

func (h handlers) delegationRoutes() []httpapi.Route {
	const list, item = "/api/accounts/{id}/delegations", "/api/accounts/{id}/delegations/{delegationId}"
	return []httpapi.Route{
		{
			Key: "GET " + list, Needs: access.AccountRead, Handle: h.delegations,
			Query: []httpapi.Param{httpapi.Limit(50, 200), httpapi.Cursor()},
			Doc: httpapi.Operation{
				Tag: delegationTag, ID: "listDelegations",
				Summary:     "List whose timesheets an account manages or views",
				Description: "In the order in which they were added.",
				Answers:     []httpapi.Answer{{Status: http.StatusOK, Body: httpapi.Page[delegationView]{}}},
				Problems:    []httpapi.Problem{notFoundProblem()},
			},
		},
		{
			Key: "POST " + list, Needs: access.AccountUpdate, Idempotent: true, Handle: h.addDelegation,
			Doc: httpapi.Operation{
				Tag: delegationTag, ID: "addDelegation",
				Summary: "Delegate a resource or a resource group to an account", Body: newDelegationBody{},
				Answers: []httpapi.Answer{{Status: http.StatusCreated, Body: delegationView{}, ETag: true, Location: true}},
				Problems: writeProblems(
					httpapi.Problem{Kind: fault.Conflict, Code: "delegated",
						When: "The account already has this target; change that delegation."},
					httpapi.Problem{Kind: fault.Conflict, Code: "targetGone", When: "The resource was deleted at the same time."},
					httpapi.Problem{Kind: fault.Conflict, Code: "rulesChanged", When: "Reference data was changed at the same time."},
					invalidProblem("There is no active target with this code, or it is the account's own resource."),
				),
			},
		},
		{
			Key: "PATCH " + item, Needs: access.AccountUpdate, Handle: h.changeDelegation,
			Doc: httpapi.Operation{
				Tag: delegationTag, ID: "changeDelegation",
				Summary: "Let an account manage a target, or only view it", IfMatch: true, Body: managerBody{},
				Answers:  []httpapi.Answer{{Status: http.StatusOK, Body: delegationView{}, ETag: true}},
				Problems: writeProblems(),
			},
		},
		{
			Key: "DELETE " + item, Needs: access.AccountUpdate, Handle: h.removeDelegation,
			Doc: httpapi.Operation{
				Tag: delegationTag, ID: "removeDelegation",
				Summary: "Remove a delegation", IfMatchOptional: true,
				Answers:  []httpapi.Answer{{Status: http.StatusNoContent, Description: "The delegation is removed."}},
				Problems: writeProblems(),
			},
		},
	}
}

type newTargetBody struct {
	Kind account.TargetKind `json:"kind" enum:"resource|resourceGroup" example:"resourceGroup"`
	Code string             `json:"code" maxLength:"50" example:"STAFF"`
}

type newDelegationBody struct {
	Target  newTargetBody `json:"target" help:"Whose timesheets: those of a resource, or of all resources in a resource group."`
	Manager bool          `json:"manager" help:"True to manage, false to only view."`
}

type managerBody struct {
	Manager bool `json:"manager" help:"True to manage, false to only view."`
}

type targetView struct {
	Kind        account.TargetKind `json:"kind" enum:"resource|resourceGroup"`
	Code        string             `json:"code"`
	Description string             `json:"description,omitzero" help:"Of a resource group."`
}

type delegationView struct {
	ID      string     `json:"id"`
	Version int64      `json:"version" help:"Rises with every change; the ETag holds it."`
	Target  targetView `json:"target"`
	Manager bool       `json:"manager" help:"True to manage, false to only view."`
}

func newDelegationView(c *catalogue.Catalogue, d account.Delegation) delegationView {
	v := delegationView{ID: d.ID, Version: d.Version, Target: targetView{Kind: d.Kind, Code: d.Code}, Manager: d.Manager}
	if d.Kind == account.TargetResourceGroup {
		e, _ := c.Find(catalogue.ResourceGroup, d.Code)
		v.Target.Description = e.Description
	}
	return v
}

func (h handlers) delegations(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	after, _, err := httpapi.OpenCursor[string](r)
	if err != nil {
		return httpapi.Response{}, err
	}
	found, next, err := h.Delegations.List(ctx, r.Scope, id, after, r.QueryInt("limit"))
	if err != nil {
		return httpapi.Response{}, err
	}
	page := httpapi.Page[delegationView]{Items: make([]delegationView, len(found))}
	for i, d := range found {
		page.Items[i] = newDelegationView(r.Scope.Catalogue, d)
	}
	if next != "" {
		page.Next, err = httpapi.SealCursor(r, next)
	}
	return httpapi.OK(page), err
}

func (h handlers) addDelegation(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	var in newDelegationBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	d, err := h.Delegations.Add(ctx, r.Scope, id, in.Target.Kind, in.Target.Code, in.Manager)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.Created("/api/accounts/"+id+"/delegations/"+d.ID,
		newDelegationView(r.Scope.Catalogue, d)).WithVersion(d.Version), nil
}

// readDelegationIDs returns the ids of the account and of the delegation in a request's path.
func readDelegationIDs(r *httpapi.Request) (accountID, id string, err error) {
	if accountID, err = r.ID("id"); err != nil {
		return "", "", err
	}
	id, err = r.ID("delegationId")
	return accountID, id, err
}

func (h handlers) changeDelegation(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	accountID, id, err := readDelegationIDs(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	version, err := r.IfMatch()
	if err != nil {
		return httpapi.Response{}, err
	}
	var in managerBody
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	d, err := h.Delegations.Change(ctx, r.Scope, accountID, id, version, in.Manager)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(newDelegationView(r.Scope.Catalogue, d)).WithVersion(d.Version), nil
}

func (h handlers) removeDelegation(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	accountID, id, err := readDelegationIDs(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	version, err := r.IfMatchIfGiven()
	if err != nil {
		return httpapi.Response{}, err
	}
	var given *int64
	if version != 0 {
		given = &version
	}
	return httpapi.NoContent(), h.Delegations.Remove(ctx, r.Scope, accountID, id, given)
}
