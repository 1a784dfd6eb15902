// Package api is the routes of the access function: decode, call reference.Service, encode.
package api

import (
	"net/http"
	"strings"

	"useraccounts/internal/access"
	"useraccounts/internal/application"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/reference"
)

// Routes returns the route table over the services.
func Routes(entries *reference.Service, applications *application.Service) []httpapi.Route {
	routes := kindRoutes(entries, area{
		kinds: reference.AccessKinds(), path: "/api/access", name: "Access", tag: "Licences, roles and groups",
		reads: access.AccessRead, writes: access.AccessWrite,
	})
	routes = append(routes, httpapi.Route{
		Key: "GET /api/access/permissions", Needs: access.AccessRead, Handle: permissions, Doc: httpapi.Operation{
			Tag: "Licences, roles and groups", ID: "listPermissions",
			Summary:     "List the permissions that a role can hold",
			Description: "Those of this product, and of every application, such as erp:invoice.approve.",
			Answers:     []httpapi.Answer{{Status: http.StatusOK, Body: permissionList{}}},
		},
	})
	routes = append(routes, kindRoutes(entries, area{
		kinds: reference.ApplicationKinds(), single: true, path: "/api/applications", name: "Application",
		tag: applicationsTag, reads: access.ApplicationRead, writes: access.ApplicationWrite,
	})...)
	routes = append(routes, credentialRoutes(entries, applications)...)
	return append(routes, kindRoutes(entries, area{
		kinds: reference.StaffKinds(), path: "/api/reference", name: "Reference", tag: "Reference data of resources",
		reads: access.ReferenceRead, writes: access.ReferenceWrite,
	})...)
}

// area is a set of kinds under one path.
type area struct {
	kinds           reference.KindSet
	path, name, tag string
	// single is set where there is only one kind, which is not in the path.
	single        bool
	reads, writes access.Permission
}

func kindRoutes(entries *reference.Service, a area) []httpapi.Route {
	h := handlers{entries: entries, area: a}
	fields := reference.AllFields(a.kinds)
	entry := httpapi.FieldsDoc{Name: a.name + "Entry", Fields: fields, Use: httpapi.ForVariants, Extra: entryHead{}}
	ok := []httpapi.Answer{{Status: http.StatusOK, Body: entry, ETag: true}}
	kind := httpapi.Param{Name: "kind", Kind: httpapi.EnumParam, Choices: a.kinds.Slugs,
		Help:    "The kind of reference data.",
		Example: a.kinds.Slugs[0]}
	code := httpapi.Param{Name: "code", Kind: httpapi.TextParam, Max: catalogue.MaxCode, Help: "The code, in any case.",
		Example: "STAFF"}
	list, both, base := []httpapi.Param{kind}, []httpapi.Param{kind, code}, a.path+"/{kind}"
	if a.single {
		list, both, base = nil, []httpapi.Param{code}, a.path
	}
	invalid := httpapi.Problem{Kind: fault.Invalid, Code: "invalid",
		When: "Some fields are invalid; see `fields`."}
	busy := httpapi.Problem{Kind: fault.Conflict, Code: "busy",
		When: "Others are changing reference data, or giving its codes to accounts."}
	rights := a.rightsProblems()
	kinds := strings.Join(a.kinds.Slugs, ", ")
	return []httpapi.Route{
		{Key: "GET " + a.path + "/fields", Needs: access.SignedIn, Handle: h.fields, Doc: httpapi.Operation{
			Tag: a.tag, ID: "describe" + a.name + "Fields",
			Summary:     "Describe the fields of " + kinds,
			Description: "What a form needs to show them: labels, help, kinds, bounds.",
			Answers:     []httpapi.Answer{{Status: http.StatusOK, Body: kindList{}}},
		}},
		{Key: "GET " + base, Needs: a.reads, Handle: h.list, Query: []httpapi.Param{
			httpapi.Limit(100, 1000), httpapi.Cursor(),
			{Name: "active", Kind: httpapi.BoolParam, Help: "Only active codes (true), or only locked ones (false)."},
			{Name: "find", Kind: httpapi.TextParam, Max: 100,
				Help: "Only codes that contain this text in the code or the description, without regard to case."},
		}, Doc: httpapi.Operation{
			Tag: a.tag, ID: "list" + a.name + "Entries",
			Summary: "List " + kinds, Path: list, Description: "In the order of codes.",
			Answers:  []httpapi.Answer{{Status: http.StatusOK, Body: httpapi.ListDoc{Name: a.name + "EntryPage", Of: entry}}},
			Problems: nil,
		}},
		{Key: "POST " + base, Needs: a.writes, Idempotent: true, Handle: h.create, Doc: httpapi.Operation{
			Tag: a.tag, ID: "create" + a.name + "Entry",
			Summary: "Create one of " + kinds, Path: list,
			Body:    httpapi.FieldsDoc{Name: a.name + "EntryCreate", Fields: fields, Use: httpapi.ForCreate},
			Answers: []httpapi.Answer{{Status: http.StatusCreated, Body: entry, ETag: true, Location: true}},
			Problems: []httpapi.Problem{
				{Kind: fault.Conflict, Code: "taken", When: "There is already such a code of this kind, in any spelling."},
				{Kind: fault.Conflict, Code: "tooMany", When: "There are already 5,000 of this kind."}, busy, invalid,
			},
		}},
		{Key: "GET " + base + "/{code}", Needs: a.reads, Handle: h.get, Doc: httpapi.Operation{
			Tag: a.tag, ID: "get" + a.name + "Entry",
			Summary: "Read one of " + kinds, Path: both, Answers: ok,
		}},
		{Key: "PATCH " + base + "/{code}", Needs: a.writes, Handle: h.change, Doc: httpapi.Operation{
			Tag: a.tag, ID: "change" + a.name + "Entry",
			Summary: "Change one of " + kinds, Path: both, IfMatch: true,
			Description: "Fields left out stay as they are; null empties an optional one. active: false locks the code: " +
				"nobody else can be given it, and locked roles and groups give no permissions from the next request on.",
			Body: httpapi.FieldsDoc{Name: a.name + "EntryPatch", Fields: reference.AllChangeFields(a.kinds),
				Use: httpapi.ForPatch},
			Answers: ok, Problems: append([]httpapi.Problem{busy, invalid}, rights...),
		}},
		{Key: "DELETE " + base + "/{code}", Needs: a.writes, Handle: h.delete, Doc: httpapi.Operation{
			Tag: a.tag, ID: "delete" + a.name + "Entry",
			Summary: "Delete one of " + kinds, Path: both, IfMatch: true,
			Description: "Only a code that is not in use can be deleted; lock it otherwise.",
			Answers:     []httpapi.Answer{{Status: http.StatusNoContent, Description: "The code is deleted."}},
			Problems: append(
				[]httpapi.Problem{busy,
					{Kind: fault.Conflict, Code: "inUse", When: "The code is in use; `fields` lists the first twenty uses."}},
				rights[:min(1, len(rights))]...),
		}},
	}
}

// rightsProblems are the problems of changes that affect what accounts may do.
func (a area) rightsProblems() []httpapi.Problem {
	if a.writes == access.ApplicationWrite {
		return []httpapi.Problem{{Kind: fault.Conflict, Code: "inUse",
			When: "Roles hold permissions that the application would no longer have; `fields` lists the first twenty."}}
	}
	if a.writes != access.AccessWrite {
		return nil
	}
	return []httpapi.Problem{
		{Kind: fault.Forbidden, Code: "administrator",
			When: "The role or group makes administrators and you are not one."},
		{Kind: fault.Conflict, Code: "inUse",
			When: "apiOnly would change for accounts with the licence; `fields` lists the first twenty."},
		{Kind: fault.Conflict, Code: "outsideLicence",
			When: "Accounts would have roles that their licence does not allow; `fields` lists the first twenty."},
		{Kind: fault.Conflict, Code: "self", When: "You would remove a permission from yourself."},
		{Kind: fault.Conflict, Code: "lastAdministrator", When: "No administrator who can sign in would be left."},
	}
}
