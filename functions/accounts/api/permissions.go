package api

import (
	"context"
	"net/http"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/httpapi"
)

const permissionsTag = "Account permissions"

func (h handlers) permissionRoutes() []httpapi.Route {
	return []httpapi.Route{
		{
			Key: "GET /api/accounts/{id}/permissions", Needs: access.AccountRead, Handle: h.permissions,
			Doc: httpapi.Operation{
				Tag: permissionsTag, ID: "explainPermissions",
				Summary: "Read what an account may do, and why",
				Description: "The roles and groups given directly, all effective roles and where each comes from, the " +
					"permissions and the roles that give each, and what the licence allows. " +
					"Locked roles and groups give nothing. The ETag is the account's: change roles and groups with PATCH " +
					"/api/accounts/{id}.",
				Answers:  []httpapi.Answer{{Status: http.StatusOK, Body: permissionsView{}, ETag: true}},
				Problems: []httpapi.Problem{notFoundProblem()},
			},
		},
		{
			Key: "POST /api/accounts/{id}/copy-from", Needs: access.AccountUpdate, Handle: h.copyFrom,
			Doc: httpapi.Operation{
				Tag: permissionsTag, ID: "copyAccess",
				Summary: "Copy access from another account", IfMatchOptional: true,
				Description: "Adds the other account's roles and groups, and its DAC groups on request. It removes nothing. With " +
					"preview it only says what it would add. " +
					"Locked codes are left out. Any other code that cannot be added makes the whole copy fail, unless skipRefused " +
					"is true.",
				Body: copyBody{}, Answers: []httpapi.Answer{{Status: http.StatusOK, Body: copiedView{}, ETag: true}},
				Problems: []httpapi.Problem{
					notFoundProblem(), administratorProblem(),
					invalidProblem("There is no account to copy from, or the licence or your own permissions do not allow a code; " +
						"see `fields`."),
				},
			},
		},
	}
}

type codeView struct {
	Code        string `json:"code"`
	Description string `json:"description"`
	Active      bool   `json:"active" help:"Whether it is active; locked codes give nothing."`
}

type roleView struct {
	Code          string     `json:"code"`
	Description   string     `json:"description"`
	Direct        bool       `json:"direct" help:"Whether the account has it directly."`
	Paths         [][]string `json:"paths" help:"How groups give it: each path goes from a group of the account, through nested groups, to one that gives the role, such as STAFF, HELPDESK."`
	WithinLicence bool       `json:"withinLicence" help:"Whether the licence allows it."`
}

type permissionView struct {
	Permission  access.Permission `json:"permission"`
	Description string            `json:"description"`
	Roles       []string          `json:"roles" help:"The effective roles that give it."`
}

type licenceView struct {
	Code        string   `json:"code"`
	Description string   `json:"description"`
	APIOnly     bool     `json:"apiOnly"`
	AllRoles    bool     `json:"allRoles" help:"Whether it allows every role."`
	Roles       []string `json:"roles" help:"The roles that it allows; empty if it allows all."`
}

type permissionsView struct {
	Roles       []codeView       `json:"roles" help:"Given directly."`
	Groups      []codeView       `json:"groups" help:"Given directly."`
	Effective   []roleView       `json:"effectiveRoles"`
	Permissions []permissionView `json:"permissions"`
	Licence     licenceView      `json:"licence"`
}

func (h handlers) permissions(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	id, err := r.ID("id")
	if err != nil {
		return httpapi.Response{}, err
	}
	a, err := h.Accounts.Get(ctx, r.Scope, id)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(newPermissionsView(r.Scope.Catalogue, a)).WithVersion(a.Version), nil
}

func newPermissionsView(c *catalogue.Catalogue, a account.Account) permissionsView {
	effective := account.ResolveEffectiveAccess(c, a)
	v := permissionsView{
		Roles: newCodeViews(c, catalogue.Role, a.Roles), Groups: newCodeViews(c, catalogue.Group, a.Groups),
		Effective: make([]roleView, len(effective.Roles)), Permissions: make([]permissionView, len(effective.Permissions)),
		Licence: licenceView{
			Code: a.UserType, Description: effective.Licence.Description, APIOnly: effective.Licence.APIOnly,
			AllRoles: len(effective.Licence.Roles) == 0, Roles: nonNil(effective.Licence.Roles),
		},
	}
	for i, role := range effective.Roles {
		e, _ := c.Find(catalogue.Role, role.Code)
		v.Effective[i] = roleView{Code: role.Code, Description: e.Description, Direct: role.Direct, Paths: role.Paths,
			WithinLicence: role.WithinLicence}
		if role.Paths == nil {
			v.Effective[i].Paths = [][]string{}
		}
	}
	for i, p := range effective.Permissions {
		v.Permissions[i] = permissionView{Permission: p.Permission, Description: access.Describe(c, p.Permission),
			Roles: p.Roles}
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

// nonNil returns a list that JSON shows as [] even if it is nil.
func nonNil(texts []string) []string {
	if texts == nil {
		return []string{}
	}
	return texts
}

type copyBody struct {
	From        string `json:"from" help:"The id of the account to copy from." minLength:"26" maxLength:"26" example:"01JZ0000000000000000000001"`
	DACGroups   bool   `json:"dacGroups,omitzero" help:"Copy DAC groups as well."`
	SkipRefused bool   `json:"skipRefused,omitzero" help:"Add what can be added, even if some codes cannot."`
	Preview     bool   `json:"preview,omitzero" help:"Tell what would be added, and change nothing."`
}

type copiedView struct {
	Preview   bool          `json:"preview"`
	Roles     []string      `json:"roles" help:"Added, or to be added."`
	Groups    []string      `json:"groups" help:"Added, or to be added."`
	DACGroups []string      `json:"dacGroups" help:"Added, or to be added."`
	Refused   []refusedView `json:"refused" help:"The codes of the other account that cannot be added."`
	Version   int64         `json:"version" help:"The account's version after the copy."`
}

type refusedView struct {
	Field   string `json:"field" enum:"roles|groups|dacGroups"`
	Code    string `json:"code"`
	Reason  string `json:"reason" enum:"inactive|outsideLicence|aboveOwnRights|dacOff"`
	Message string `json:"message"`
}

func (h handlers) copyFrom(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
	var in copyBody
	id, version, err := action(r, &in)
	if err != nil {
		return httpapi.Response{}, err
	}
	got, err := h.Accounts.CopyAccess(ctx, r.Scope, id, version, account.CopyAccessRequest{
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
