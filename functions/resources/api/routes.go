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
	return append(collectionRoutes(h, answer), itemRoutes(h, answer)...)
}

func collectionRoutes(h handlers, answer httpapi.FieldsDoc) []httpapi.Route {
	made := httpapi.Answer{Status: http.StatusCreated, Body: answer, ETag: true, Location: true}
	taken := httpapi.Problem{Kind: fault.Conflict, Code: "taken", When: "The code is another resource's, in any spelling."}
	return []httpapi.Route{
		{
			Key: "GET /api/resources", Needs: access.ResourceRead, Handle: h.list,
			Query: []httpapi.Param{
				httpapi.Limit(50, 200), httpapi.Cursor(),
				{Name: "find", Kind: httpapi.TextParam, Max: 100,
					Help: "Only those whose code, description, first or last name or legacy reference holds this text, without " +
						"regard to case."},
				{Name: "active", Kind: httpapi.BoolParam, Help: "Only those that are active, or only those that are locked."},
				{Name: "group", Kind: httpapi.TextParam, Max: catalogue.MaxCode,
					Help: "Only those of the resource group with this code."},
			},
			Doc: httpapi.Operation{
				Tag: tag, Summary: "List resources",
				Description: "In the order of codes. The pages of one walk never show part of an import.",
				Answers:     []httpapi.Answer{{Status: http.StatusOK, Body: httpapi.ListDoc{Name: "ResourcePage", Of: answer}}},
			},
		},
		{
			Key: "POST /api/resources", Needs: access.ResourceWrite, Idempotent: true, Handle: h.create,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Create a resource that belongs to no account", Description: defaultsText,
				Body:    httpapi.FieldsDoc{Name: "ResourceCreate", Fields: resource.Fields().Describe(), Use: httpapi.ForCreate},
				Answers: []httpapi.Answer{made}, Problems: append([]httpapi.Problem{taken}, writeProblems()...),
			},
		},
		{
			Key: "GET /api/resources/fields", Needs: access.SignedIn, Handle: h.fields,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Describe the fields of a resource",
				Description: "What a form or a grid needs to show them: labels, help, kinds, bounds, default columns.",
				Answers:     []httpapi.Answer{{Status: http.StatusOK, Body: fieldList{}}},
			},
		},
		{
			Key: "POST /api/accounts/{id}/resource", Needs: access.ResourceWrite, Idempotent: true, Handle: h.createForAccount,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Create the resource of an account",
				Description: "Links the two for good; needs account.update as well. The description is the account's name " +
					"unless one is given. " + defaultsText +
					" With preview: true nothing is written: the answer is 200 and the resource as it would be, with a null code " +
					"where that would be the next number.",
				Body: httpapi.FieldsDoc{Name: "AccountResourceCreate", Fields: resource.ForAccountFields().Describe(),
					Use: httpapi.ForCreate, Extra: previewFlag{}},
				Answers: []httpapi.Answer{made, {
					Status: http.StatusOK, Body: answer, Description: "The preview.",
				}},
				Problems: append([]httpapi.Problem{
					taken,
					{Kind: fault.Conflict, Code: "hasResource", When: "The account has a resource already."},
					{Kind: fault.Forbidden, Code: "administrator", When: "The account is an administrator's and you are none."},
				}, writeProblems()...),
			},
		},
	}
}

const defaultsText = "Without a code it gets the next free number. What is left out comes from the resource group's " +
	"defaults, else, for country and currency, " +
	"from the environment's; null leaves a field empty all the same."

// writeProblems are the problems of every write.
func writeProblems() []httpapi.Problem {
	return []httpapi.Problem{
		{Kind: fault.Conflict, Code: "rulesChanged", When: "Reference data was changed at the same moment."},
		{Kind: fault.Conflict, Code: "busy", When: "Others keep changing it at the same moment."},
		{Kind: fault.Invalid, Code: "invalid", When: "A field breaks a rule; the fields say which and how to mend it."},
	}
}

func itemRoutes(h handlers, answer httpapi.FieldsDoc) []httpapi.Route {
	one := []httpapi.Answer{{Status: http.StatusOK, Body: answer, ETag: true}}
	code := []httpapi.Param{
		{Name: "code", Kind: httpapi.TextParam, Max: catalogue.MaxCode, Help: "The code, in any case.", Example: "JD"}}
	busy := []httpapi.Problem{{Kind: fault.Conflict, Code: "busy", When: "Others keep changing it at the same moment."}}
	return []httpapi.Route{
		{
			Key: "GET /api/resources/{code}", Needs: access.ResourceRead, Handle: h.get,
			Doc: httpapi.Operation{Tag: tag, Summary: "Read a resource", Path: code, Answers: one},
		},
		{
			Key: "PATCH /api/resources/{code}", Needs: access.ResourceWrite, Handle: h.change,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Change fields of a resource", Path: code, IfMatch: true,
				Description: "Fields left out stay as they are; null empties an optional one. With resetFromGroup: true the " +
					"fields left out take the defaults of " +
					"the resource group, as far as it has any. The code and the account cannot be changed.",
				Body: httpapi.FieldsDoc{Name: "ResourcePatch", Fields: resource.ChangeFields().Describe(),
					Use: httpapi.ForPatch, Extra: resetFlag{}},
				Answers: one, Problems: writeProblems(),
			},
		},
		{
			Key: "POST /api/resources/{code}/lock", Needs: access.ResourceWrite, Handle: h.lock,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Lock a resource", Path: code, IfMatchOptional: true, Answers: one, Problems: busy,
				Description: "It cannot be made anybody's manager any more; those whose manager it is keep it. Its account is " +
					"not touched.",
			},
		},
		{
			Key: "POST /api/resources/{code}/unlock", Needs: access.ResourceWrite, Handle: h.unlock,
			Doc: httpapi.Operation{Tag: tag, Summary: "Unlock a resource", Path: code, IfMatchOptional: true, Answers: one,
				Problems: busy},
		},
		{
			Key: "DELETE /api/resources/{code}", Needs: access.ResourceWrite, Handle: h.delete,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Delete a resource", Path: code, IfMatch: true,
				Description: "Only what nothing names; lock what is in use. Its number is not given again.",
				Answers:     []httpapi.Answer{{Status: http.StatusNoContent, Description: "It is deleted."}},
				Problems: append([]httpapi.Problem{
					{Kind: fault.Conflict, Code: "inUse",
						When: "It belongs to an account, or is named as a manager; the fields name the first twenty."},
					{Kind: fault.Conflict, Code: "rulesChanged", When: "Reference data was changed at the same moment."},
				}, busy...),
			},
		},
	}
}
