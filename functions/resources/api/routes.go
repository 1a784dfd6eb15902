// Package api is the routes of the resources function: decode, call resource.Service or staffing.Service, encode.
package api

import (
	"net/http"

	"useraccounts/internal/access"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/resource"
	"useraccounts/internal/staffing"
)

const tag = "Resources"

// Routes returns the route table over the services.
func Routes(resources *resource.Service, staff *staffing.Service) []httpapi.Route {
	h := handlers{resources, staff}
	answer := httpapi.FieldsDoc{Name: "Resource", Fields: resource.Fields().Describe(), Use: httpapi.ForAnswer,
		Extra: resourceHead{}}
	return append(h.collectionRoutes(answer), h.itemRoutes(answer)...)
}

func (h handlers) collectionRoutes(answer httpapi.FieldsDoc) []httpapi.Route {
	created := httpapi.Answer{Status: http.StatusCreated, Body: answer, ETag: true, Location: true}
	taken := httpapi.Problem{Kind: fault.Conflict, Code: "taken", When: "Another resource has the code, in any spelling."}
	return []httpapi.Route{
		{
			Key: "GET /api/resources", Needs: access.ResourceRead, Handle: h.list,
			Query: []httpapi.Param{
				httpapi.Limit(50, 200), httpapi.Cursor(),
				{Name: "find", Kind: httpapi.TextParam, Max: 100,
					Help: "Only resources that contain this text in the code, description, first or last name or legacy reference, " +
						"without regard to case."},
				{Name: "active", Kind: httpapi.BoolParam, Help: "Only active resources (true), or only locked ones (false)."},
				{Name: "group", Kind: httpapi.TextParam, Max: catalogue.MaxCode,
					Help: "Only resources in the resource group with this code."},
			},
			Doc: httpapi.Operation{
				Tag: tag, ID: "listResources",
				Summary:     "List resources",
				Description: "In the order of codes. The pages of one list never show part of an import.",
				Answers:     []httpapi.Answer{{Status: http.StatusOK, Body: httpapi.ListDoc{Name: "ResourcePage", Of: answer}}},
			},
		},
		{
			Key: "POST /api/resources", Needs: access.ResourceWrite, Idempotent: true, Handle: h.create,
			Doc: httpapi.Operation{
				Tag: tag, ID: "createResource",
				Summary: "Create a resource that belongs to no account", Description: defaultsText,
				Body:    httpapi.FieldsDoc{Name: "ResourceCreate", Fields: resource.Fields().Describe(), Use: httpapi.ForCreate},
				Answers: []httpapi.Answer{created}, Problems: append([]httpapi.Problem{taken}, writeProblems()...),
			},
		},
		{
			Key: "GET /api/resources/fields", Needs: access.SignedIn, Handle: h.fields,
			Doc: httpapi.Operation{
				Tag: tag, ID: "describeResourceFields",
				Summary:     "Describe the fields of a resource",
				Description: "What a form or a list needs to show them: labels, help, kinds, bounds, default columns.",
				Answers:     []httpapi.Answer{{Status: http.StatusOK, Body: fieldList{}}},
			},
		},
		{
			Key: "POST /api/accounts/{id}/resource", Needs: access.ResourceWrite, Idempotent: true, Handle: h.createForAccount,
			Doc: httpapi.Operation{
				Tag: tag, ID: "createAccountResource",
				Summary: "Create the resource of an account",
				Description: "Links the two permanently; needs account.update too. Without a description it gets the account's " +
					"name. " + defaultsText +
					" With preview: true nothing is written: the answer is 200 with the resource as it would " +
					"be. Its code is null if it would be the next number.",
				Body: httpapi.FieldsDoc{Name: "AccountResourceCreate", Fields: resource.ForAccountFields().Describe(),
					Use: httpapi.ForCreate, Extra: previewFlag{}},
				Answers: []httpapi.Answer{created, {
					Status: http.StatusOK, Body: answer, Description: "The preview.",
				}},
				Problems: append([]httpapi.Problem{
					taken,
					{Kind: fault.Conflict, Code: "hasResource", When: "The account already has a resource."},
					{Kind: fault.Forbidden, Code: "administrator",
						When: "The account belongs to an administrator and you are not one."},
				}, writeProblems()...),
			},
		},
	}
}

const defaultsText = "Without a code it gets the next free number. What is left out comes from the resource group's " +
	"defaults, then, for country and currency, from the environment's. null leaves a field blank in any case."

// writeProblems are the problems of every write.
func writeProblems() []httpapi.Problem {
	return []httpapi.Problem{
		{Kind: fault.Conflict, Code: "rulesChanged", When: "Reference data was changed at the same time."},
		{Kind: fault.Conflict, Code: "busy", When: "Others are changing the resource."},
		{Kind: fault.Invalid, Code: "invalid", When: "Some fields are invalid; see `fields`."},
	}
}

func (h handlers) itemRoutes(answer httpapi.FieldsDoc) []httpapi.Route {
	ok := []httpapi.Answer{{Status: http.StatusOK, Body: answer, ETag: true}}
	code := []httpapi.Param{
		{Name: "code", Kind: httpapi.TextParam, Max: catalogue.MaxCode, Help: "The code, in any case.", Example: "JD"}}
	busy := []httpapi.Problem{{Kind: fault.Conflict, Code: "busy", When: "Others are changing the resource."}}
	return []httpapi.Route{
		{
			Key: "GET /api/resources/{code}", Needs: access.ResourceRead, Handle: h.get,
			Doc: httpapi.Operation{Tag: tag, ID: "getResource",
				Summary: "Read a resource", Path: code, Answers: ok},
		},
		{
			Key: "PATCH /api/resources/{code}", Needs: access.ResourceWrite, Handle: h.change,
			Doc: httpapi.Operation{
				Tag: tag, ID: "changeResource",
				Summary: "Change fields of a resource", Path: code, IfMatch: true,
				Description: "Fields left out stay as they are; null empties an optional one. With resetFromGroup: true the " +
					"resource group's defaults replace the fields left out. The code and the account cannot be changed.",
				Body: httpapi.FieldsDoc{Name: "ResourcePatch", Fields: resource.ChangeFields().Describe(),
					Use: httpapi.ForPatch, Extra: resetFlag{}},
				Answers: ok, Problems: writeProblems(),
			},
		},
		{
			Key: "POST /api/resources/{code}/lock", Needs: access.ResourceWrite, Handle: h.lock,
			Doc: httpapi.Operation{
				Tag: tag, ID: "lockResource",
				Summary: "Lock a resource", Path: code, IfMatchOptional: true, Answers: ok, Problems: busy,
				Description: "It cannot become a manager any more; resources that have it as their manager keep it. Its " +
					"account does not change.",
			},
		},
		{
			Key: "POST /api/resources/{code}/unlock", Needs: access.ResourceWrite, Handle: h.unlock,
			Doc: httpapi.Operation{Tag: tag, ID: "unlockResource",
				Summary: "Unlock a resource", Path: code, IfMatchOptional: true, Answers: ok,
				Problems: busy},
		},
		{
			Key: "DELETE /api/resources/{code}", Needs: access.ResourceWrite, Handle: h.delete,
			Doc: httpapi.Operation{
				Tag: tag, ID: "deleteResource",
				Summary: "Delete a resource", Path: code, IfMatch: true,
				Description: "Only a resource that is not in use can be deleted; lock it otherwise. Its number is not used again.",
				Answers:     []httpapi.Answer{{Status: http.StatusNoContent, Description: "The resource is deleted."}},
				Problems: append([]httpapi.Problem{
					{Kind: fault.Conflict, Code: "inUse",
						When: "It belongs to an account, or something names it; `fields` lists the first twenty uses."},
					{Kind: fault.Conflict, Code: "rulesChanged", When: "Reference data was changed at the same time."},
				}, busy...),
			},
		},
	}
}
