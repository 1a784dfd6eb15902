// Package api is the routes of the transfers function: people start, follow, cancel and undo imports and exports.
package api

import (
	"net/http"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/sets"
	"useraccounts/internal/transfer"
)

const tag = "Import and export"

// Routes returns the route table over a service.
func Routes(transfers *transfer.Service, views *sets.Service) []httpapi.Route {
	h := handlers{transfers, views}
	accepted := []httpapi.Answer{{Status: http.StatusAccepted, Body: jobView{}, Location: true}}
	notYours := httpapi.Problem{Kind: fault.Forbidden, Code: "notYours", When: "Somebody else started the job."}
	missing := httpapi.Problem{Kind: fault.NotFound, Code: "notFound",
		When: "There is no such job, or you may not see it."}
	return append([]httpapi.Route{
		{
			Key: "POST /api/imports", Needs: access.AccountImport, Idempotent: true, Handle: h.beginImport,
			Doc: httpapi.Operation{
				Tag: tag, ID: "startImport", Secret: true,
				Summary: "Start an import",
				Description: "The answer contains a form. Post the workbook (.xlsx, at most 10 MB and 5,000 rows) to its URL, " +
					"with " +
					"its fields before the file, and then submit the import. Unless skipErrors is true the import is all or " +
					"nothing: if one row has an error nothing is changed.",
				Body: importBody{}, Answers: []httpapi.Answer{{Status: http.StatusCreated, Body: newImportView{}, Location: true}},
				Problems: []httpapi.Problem{
					{Kind: fault.Conflict, Code: "tooManyUnsubmitted", When: "You have 20 imports that were not submitted."},
				},
			},
		},
		{
			Key: "POST /api/imports/{id}/submit", Needs: access.AccountImport, Handle: h.submit,
			Doc: httpapi.Operation{
				Tag: tag, ID: "submitImport",
				Summary:     "Submit an import whose workbook is uploaded",
				Description: "A repeated submit of the same import has the same answer: the job as it is now.",
				Answers:     accepted,
				Problems: []httpapi.Problem{missing, notYours,
					{Kind: fault.Conflict, Code: "noUpload", When: "No workbook has been posted to the form yet."},
					{Kind: fault.Conflict, Code: "cancelled", When: "The import was cancelled."},
					{Kind: fault.Conflict, Code: "notImport", When: "The job is an export."},
					{Kind: fault.TooLarge, Code: "fileTooLarge", When: "The workbook is larger than 10 MB."},
					{Kind: fault.Unavailable, Code: "queue", When: "The job could not be queued. Submit it again."},
				},
			},
		},
		{
			Key: "POST /api/exports", Needs: access.AccountExport, Idempotent: true, Handle: h.beginExport,
			Doc: httpapi.Operation{
				Tag: tag, ID: "startExport",
				Summary: "Export accounts",
				Description: "Exports all accounts, or those selected by filters, by a Set or by ids, into workbooks of at most " +
					"5,000 rows with the 36 columns of an import. Texts that look like formulas stay texts.",
				Body: exportBody{}, Answers: accepted,
				Problems: []httpapi.Problem{
					{Kind: fault.Unavailable, Code: "queue", When: "The job could not be queued. Start it again."},
					{Kind: fault.TooManyRequests, Code: "tooManyExports", When: "5 of your exports wait or run."},
				},
			},
		},
	}, h.jobRoutes(accepted, missing, notYours)...)
}

// undoRoute is the route that undoes an import.
func (h handlers) undoRoute(accepted []httpapi.Answer, missing httpapi.Problem) httpapi.Route {
	return httpapi.Route{
		Key: "POST /api/jobs/{id}/undo", Needs: access.AccountImport, Handle: h.undo,
		Doc: httpapi.Operation{
			Tag: tag, ID: "undoImport",
			Summary: "Undo an import",
			Description: "Possible for 7 days after the import was done. Accounts that the import created and that were not " +
				"used " +
				"since are deleted; other accounts get their previous values back. Rows that were edited since stay as they " +
				"are, and the rows of the new job say so. All changes become visible together. A repeated request returns the " +
				"same job. The caller needs the permissions that the changes need.",
			Answers: accepted,
			Problems: []httpapi.Problem{missing,
				{Kind: fault.Conflict, Code: "notImport", When: "The job is not an import."},
				{Kind: fault.Conflict, Code: "notEnded", When: "The import has not ended yet."},
				{Kind: fault.Conflict, Code: "nothingToUndo",
					When: "The import changed nothing, was a dry run, or did not succeed."},
				{Kind: fault.Conflict, Code: "tooLate", When: "The 7 days are over."},
				{Kind: fault.Conflict, Code: "undone", When: "The import has already been undone."},
				{Kind: fault.Conflict, Code: "busy", When: "The state of the job is just changing. Try again."},
				{Kind: fault.Unavailable, Code: "queue", When: "The job could not be queued. Undo the import again."},
			},
		},
	}
}

// jobRoutes are the routes for jobs of any kind.
func (h handlers) jobRoutes(accepted []httpapi.Answer, missing, notYours httpapi.Problem) []httpapi.Route {
	return []httpapi.Route{
		{
			Key: "GET /api/jobs", Needs: access.SignedIn, Query: []httpapi.Param{httpapi.Limit(20, 100), httpapi.Cursor()},
			Handle: h.list,
			Doc: httpapi.Operation{
				Tag: tag, ID: "listJobs",
				Summary:     "List jobs",
				Description: "The caller's jobs, newest first. Callers with account.admin see all jobs.",
				Answers:     []httpapi.Answer{{Status: http.StatusOK, Body: httpapi.Page[jobView]{}}},
			},
		},
		{
			Key: "GET /api/jobs/{id}", Needs: access.SignedIn, Handle: h.get,
			Doc: httpapi.Operation{
				Tag: tag, ID: "getJob",
				Summary: "Get a job", Answers: []httpapi.Answer{{Status: http.StatusOK, Body: jobView{}}},
				Problems: []httpapi.Problem{missing},
			},
		},
		{
			Key: "POST /api/jobs/{id}/cancel", Needs: access.SignedIn, Handle: h.cancel,
			Doc: httpapi.Operation{
				Tag: tag, ID: "cancelJob",
				Summary:     "Cancel a job",
				Description: "Possible until an import is committed. A running job ends a moment later.",
				Answers:     []httpapi.Answer{{Status: http.StatusAccepted, Body: jobView{}, Location: true}},
				Problems: []httpapi.Problem{missing,
					{Kind: fault.Conflict, Code: "ended", When: "The job has ended."},
					{Kind: fault.Conflict, Code: "busy", When: "The state of the job is just changing. Try again."},
				},
			},
		},
		h.undoRoute(accepted, missing),
		{
			Key: "GET /api/jobs/{id}/rows", Needs: access.SignedIn, Handle: h.rows,
			Query: []httpapi.Param{httpapi.Limit(200, 1000), httpapi.Cursor(), {
				Name: "outcome", Kind: httpapi.EnumParam, Help: "Only rows with this outcome.",
				Choices: []string{"created", "updated", "unchanged", "skipped", "failed", "undone", "editedSince", "inUse"},
			}},
			Doc: httpapi.Operation{
				Tag: tag, ID: "listJobRows",
				Summary:     "List the result of each row of an import or an undo",
				Description: "In the order of the sheet, once the job has ended.",
				Answers:     []httpapi.Answer{{Status: http.StatusOK, Body: httpapi.Page[transfer.Row]{}}},
				Problems: []httpapi.Problem{missing, notYours,
					{Kind: fault.Conflict, Code: "notEnded", When: "The job has not ended yet."},
					{Kind: fault.NotFound, Code: "expired", When: "The results were only kept for some days."},
				},
			},
		},
		{
			Key: "GET /api/jobs/{id}/sheet", Needs: access.SignedIn, Handle: h.sheet,
			Doc: httpapi.Operation{
				Tag: tag, ID: "getResultSheet", Secret: true,
				Summary: "Get a link to the result sheet of an import",
				Description: "The uploaded workbook with the added columns Result and Errors, and a fill and a note on each " +
					"invalid cell. It can be corrected and uploaded again: the two columns are not read. The link works for 5 " +
					"minutes.",
				Answers: []httpapi.Answer{{Status: http.StatusOK, Body: linkView{}}},
				Problems: []httpapi.Problem{missing, notYours,
					{Kind: fault.Conflict, Code: "notEnded", When: "The job has not ended yet."},
					{Kind: fault.Conflict, Code: "noSheet",
						When: "The file was refused, or the job ended, before its rows were checked."},
					{Kind: fault.Conflict, Code: "notImport", When: "The job is an export."},
					{Kind: fault.NotFound, Code: "expired", When: "The sheet was only kept for some days."},
				},
			},
		},
		{
			Key: "GET /api/jobs/{id}/download", Needs: access.SignedIn, Handle: h.download,
			Doc: httpapi.Operation{
				Tag: tag, ID: "getExportFiles", Secret: true,
				Summary:     "Get links to an export's files",
				Description: "The links work for 5 minutes. Repeat the request for new ones.",
				Answers:     []httpapi.Answer{{Status: http.StatusOK, Body: linksView{}}},
				Problems: []httpapi.Problem{missing, notYours,
					{Kind: fault.Conflict, Code: "notDone", When: "The export is not done."},
					{Kind: fault.Conflict, Code: "notExport", When: "The job is an import."},
				},
			},
		},
	}
}
