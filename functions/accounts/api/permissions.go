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

const permissionsTag = "Account permissions"

func (h tabHandlers) permissionRoutes() []httpapi.Route {
	return []httpapi.Route{
		{
			Key: "GET /api/accounts/{id}/permissions", Needs: access.AccountRead, Handle: h.permissions,
			Doc: httpapi.Operation{
				Tag: permissionsTag, Summary: "Read what an account may do, and why",
				Description: "Roles and groups given directly, the roles in force with where each comes from, the permissions " +
					"with the roles that give each, and what the licence allows. " +
					"What is not in use any more gives nothing. The ETag is the account's: change roles and groups with PATCH " +
					"/api/accounts/{id}.",
				Answers:  []httpapi.Answer{{Status: http.StatusOK, Body: permissionsView{}, ETag: true}},
				Problems: []httpapi.Problem{notFoundProblem()},
			},
		},
		{
			Key: "POST /api/accounts/{id}/copy-from", Needs: access.AccountUpdate, Handle: h.copyFrom,
			Doc: httpapi.Operation{
				Tag: permissionsTag, Summary: "Copy access from another account", IfMatchOptional: true,
				Description: "Adds the other account's roles and groups, on request its DAC groups, and nothing else; it takes " +
					"nothing away. With preview it only says what it would add. " +
					"Codes that are not in use any more are left out. Anything else that may not be added refuses the copy as a " +
					"whole, unless skipRefused is true.",
				Body: copyBody{}, Answers: []httpapi.Answer{{Status: http.StatusOK, Body: copiedView{}, ETag: true}},
				Problems: []httpapi.Problem{
					notFoundProblem(), administratorProblem(),
					invalidProblem(
						"There is no account to copy from, or the licence or your own rights do not allow what it holds; the fields " +
							"name the codes."),
				},
			},
		},
	}
}

type codeView struct {
	Code        string `json:"code"`
	Description string `json:"description"`
	Active      bool   `json:"active" help:"What is not active gives nothing."`
}

type roleView struct {
	Code          string     `json:"code"`
	Description   string     `json:"description"`
	Direct        bool       `json:"direct" help:"Whether the account has it directly."`
	Paths         [][]string `json:"paths" help:"How it comes by groups: from a group of the account through nesting to one that gives the role, such as STAFF, HELPDESK."`
	WithinLicence bool       `json:"withinLicence" help:"Whether the licence allows it."`
}

type permissionView struct {
	Permission  access.Permission `json:"permission"`
	Description string            `json:"description"`
	Roles       []string          `json:"roles" help:"The roles in force that give it."`
}

type licenceView struct {
	Code        string   `json:"code"`
	Description string   `json:"description"`
	APIOnly     bool     `json:"apiOnly"`
	AllRoles    bool     `json:"allRoles" help:"Whether it allows every role."`
	Roles       []string `json:"roles" help:"The roles that it allows, unless it allows all."`
}

type permissionsView struct {
	Roles       []codeView       `json:"roles" help:"Given directly."`
	Groups      []codeView       `json:"groups" help:"Given directly."`
	InForce     []roleView       `json:"effectiveRoles"`
	Permissions []permissionView `json:"permissions"`
	Licence     licenceView      `json:"licence"`
}

func (h tabHandlers) permissions(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	a, err := h.accounts.Get(ctx, r.Scope, id)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(newPermissionsView(r.Scope.Catalogue, a)).WithVersion(a.Version), nil
}

func newPermissionsView(c *catalogue.Catalogue, a account.Account) permissionsView {
	in := account.ResolveEffectiveAccess(c, a)
	v := permissionsView{
		Roles: newCodeViews(c, catalogue.Role, a.Roles), Groups: newCodeViews(c, catalogue.Group, a.Groups),
		InForce: make([]roleView, len(in.Roles)), Permissions: make([]permissionView, len(in.Permissions)),
		Licence: licenceView{
			Code: a.UserType, Description: in.Licence.Description, APIOnly: in.Licence.APIOnly,
			AllRoles: len(in.Licence.Roles) == 0, Roles: nonNil(in.Licence.Roles),
		},
	}
	for i, role := range in.Roles {
		e, _ := c.Find(catalogue.Role, role.Code)
		v.InForce[i] = roleView{Code: role.Code, Description: e.Description, Direct: role.Direct, Paths: role.Paths,
			WithinLicence: role.WithinLicence}
		if role.Paths == nil {
			v.InForce[i].Paths = [][]string{}
		}
	}
	words := access.All()
	for i, p := range in.Permissions {
		v.Permissions[i] = permissionView{Permission: p.Permission, Description: words[p.Permission], Roles: p.Roles}
	}
	return v
}

func newCodeViews(c *catalogue.Catalogue, kind catalogue.Kind, codes []string) []codeView {
	out := make([]codeView, len(codes))
	for i, code := range codes {
		e, _ := c.Find(kind, code)
		out[i] = codeView{Code: code, Description: e.Description, Active: e.Active}
	}
	return out
}

// nonNil returns a list that is written as one even when it is empty.
func nonNil(texts []string) []string {
	if texts == nil {
		return []string{}
	}
	return texts
}

type copyBody struct {
	From        string `json:"from" help:"The id of the account to copy from." minLength:"26" maxLength:"26" example:"01JZ0000000000000000000001"`
	DACGroups   bool   `json:"dacGroups,omitzero" help:"Copy DAC groups as well."`
	SkipRefused bool   `json:"skipRefused,omitzero" help:"Add what may be added, even if some of it may not."`
	Preview     bool   `json:"preview,omitzero" help:"Say what would be added and change nothing."`
}

type copiedView struct {
	Preview   bool          `json:"preview"`
	Roles     []string      `json:"roles" help:"Added, or to be added."`
	Groups    []string      `json:"groups" help:"Added, or to be added."`
	DACGroups []string      `json:"dacGroups" help:"Added, or to be added."`
	Refused   []refusedView `json:"refused" help:"What the other account holds and this one cannot get."`
	Version   int64         `json:"version" help:"The account's version after it."`
}

type refusedView struct {
	Field   string `json:"field" enum:"roles|groups|dacGroups"`
	Code    string `json:"code"`
	Reason  string `json:"reason" enum:"inactive|outsideLicence|aboveOwnRights|dacOff"`
	Message string `json:"message"`
}

func (h tabHandlers) copyFrom(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in copyBody
	id, version, err := action(r, &in)
	if err != nil {
		return httpapi.Response{}, err
	}
	got, err := h.accounts.CopyAccess(ctx, r.Scope, id, version, account.CopyAccessRequest{
		From: in.From, DACGroups: in.DACGroups, SkipRefused: in.SkipRefused, Preview: in.Preview,
	})
	if err != nil {
		return httpapi.Response{}, err
	}
	v := copiedView{
		Preview: in.Preview, Roles: nonNil(got.Roles), Groups: nonNil(got.Groups), DACGroups: nonNil(got.DACGroups),
		Refused: make([]refusedView, len(got.Refused)), Version: got.Account.Version,
	}
	for i, refused := range got.Refused {
		v.Refused[i] = refusedView(refused)
	}
	return httpapi.OK(v).WithVersion(got.Account.Version), nil
}

// tabWriteProblems are what changes of contact and delegations answer besides their own.
func tabWriteProblems(more ...httpapi.Problem) []httpapi.Problem {
	busy := httpapi.Problem{Kind: fault.Conflict, Code: "busy", When: "Others are changing the same just then."}
	return append([]httpapi.Problem{notFoundProblem(), administratorProblem(), busy}, more...)
}
