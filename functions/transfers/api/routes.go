// Package api is the routes of the transfers function: imports and exports as people order and follow them.
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
	notYours := httpapi.Problem{Kind: fault.Forbidden, Code: "notYours", When: "Somebody else began the job."}
	missing := httpapi.Problem{Kind: fault.NotFound, Code: "notFound",
		When: "There is no such job, or it is not yours to see."}
	return append([]httpapi.Route{
		{
			Key: "POST /api/imports", Needs: access.AccountImport, Idempotent: true, Handle: h.beginImport,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Begin an import",
				Description: "The answer holds a form: post the workbook (.xlsx, at most 10 MB and 5,000 rows) to its URL with " +
					"its fields before the file, then submit. " +
					"Unless skipErrors is true the import is all or nothing: one wrong row and nothing is changed.",
				Body: importBody{}, Answers: []httpapi.Answer{{Status: http.StatusCreated, Body: begunView{}, Location: true}},
			},
		},
		{
			Key: "POST /api/imports/{id}/submit", Needs: access.AccountImport, Handle: h.submit,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Submit an import whose workbook is uploaded",
				Description: "A second submit of the same import answers as the first, with the job as it stands.",
				Answers:     accepted,
				Problems: []httpapi.Problem{missing, notYours,
					{Kind: fault.Conflict, Code: "noUpload", When: "No workbook has been posted to the form yet."},
					{Kind: fault.Conflict, Code: "cancelled", When: "The import was cancelled."},
					{Kind: fault.Conflict, Code: "notImport", When: "The job is an export."},
					{Kind: fault.TooLarge, Code: "fileTooLarge", When: "The workbook is larger than 10 MB."},
					{Kind: fault.Unavailable, Code: "queue", When: "The job could not be queued; submit it again."},
				},
			},
		},
		{
			Key: "POST /api/exports", Needs: access.AccountExport, Idempotent: true, Handle: h.beginExport,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Export accounts",
				Description: "All of them, or those that pass filters, that a Set shows, or that are named; into workbooks of " +
					"at most 5,000 rows, with the 36 columns that an import takes. " +
					"Texts that look like formulas stay texts.",
				Body: exportBody{}, Answers: accepted,
				Problems: []httpapi.Problem{
					{Kind: fault.Unavailable, Code: "queue", When: "The job could not be queued; begin it again."}},
			},
		},
	}, h.jobRoutes(accepted, missing, notYours)...)
}

// undoRoute is the way to undo an import.
func (h handlers) undoRoute(accepted []httpapi.Answer, missing httpapi.Problem) httpapi.Route {
	return httpapi.Route{
		Key: "POST /api/jobs/{id}/undo", Needs: access.AccountImport, Handle: h.undo,
		Doc: httpapi.Operation{
			Tag: tag, Summary: "Undo an import",
			Description: "For 7 days after it was done. Accounts that the import made and that were not used since are " +
				"deleted, the others get their former fields back; " +
				"rows that were edited since are left alone, and the rows of the new job say so. Nobody sees any of it before " +
				"all of it. " +
				"A second click answers with the same job. Whoever undoes needs the rights that the changes need.",
			Answers: accepted,
			Problems: []httpapi.Problem{missing,
				{Kind: fault.Conflict, Code: "notImport", When: "The job is no import."},
				{Kind: fault.Conflict, Code: "notEnded", When: "The import has not ended yet."},
				{Kind: fault.Conflict, Code: "nothingToUndo",
					When: "The import changed nothing, or was a dry run, or did not succeed."},
				{Kind: fault.Conflict, Code: "tooLate", When: "The 7 days are over."},
				{Kind: fault.Conflict, Code: "undone", When: "The import was undone already."},
				{Kind: fault.Conflict, Code: "busy", When: "The job is moving on just now; try again."},
				{Kind: fault.Unavailable, Code: "queue", When: "The job could not be queued; undo it again."},
			},
		},
	}
}

// jobRoutes are the routes by which jobs are followed, whatever they are.
func (h handlers) jobRoutes(accepted []httpapi.Answer, missing, notYours httpapi.Problem) []httpapi.Route {
	return []httpapi.Route{
		{
			Key: "GET /api/jobs", Needs: access.SignedIn, Query: []httpapi.Param{httpapi.Limit(20, 100), httpapi.Cursor()},
			Handle: h.list,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "List jobs",
				Description: "One's own, newest first; those who hold account.admin see everybody's.",
				Answers:     []httpapi.Answer{{Status: http.StatusOK, Body: httpapi.Page[jobView]{}}},
			},
		},
		{
			Key: "GET /api/jobs/{id}", Needs: access.SignedIn, Handle: h.get,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Follow a job", Answers: []httpapi.Answer{{Status: http.StatusOK, Body: jobView{}}},
				Problems: []httpapi.Problem{missing},
			},
		},
		{
			Key: "POST /api/jobs/{id}/cancel", Needs: access.SignedIn, Handle: h.cancel,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Cancel a job",
				Description: "Works until an import starts to count. A running job ends a moment later.",
				Answers:     []httpapi.Answer{{Status: http.StatusAccepted, Body: jobView{}, Location: true}},
				Problems: []httpapi.Problem{missing,
					{Kind: fault.Conflict, Code: "ended", When: "The job has ended."},
					{Kind: fault.Conflict, Code: "busy", When: "The job is moving on just now; try again."},
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
				Tag: tag, Summary: "List the result of each row of an import or an undo",
				Description: "In the order of the sheet, once the job has ended.",
				Answers:     []httpapi.Answer{{Status: http.StatusOK, Body: httpapi.Page[transfer.Row]{}}},
				Problems: []httpapi.Problem{missing, notYours,
					{Kind: fault.Conflict, Code: "notEnded", When: "The job has not ended yet."},
					{Kind: fault.NotFound, Code: "expired", When: "The results were kept for some days and are gone."},
				},
			},
		},
		{
			Key: "GET /api/jobs/{id}/sheet", Needs: access.SignedIn, Handle: h.sheet,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Get a link to the sheet of an import with its results",
				Description: "The workbook as it was uploaded, with the columns Result and Errors added and each wrong cell " +
					"filled and with a note. Mend it and upload it as it is: the two columns are not read. The link works for 5 " +
					"minutes.",
				Answers: []httpapi.Answer{{Status: http.StatusOK, Body: linkView{}}},
				Problems: []httpapi.Problem{missing, notYours,
					{Kind: fault.Conflict, Code: "notEnded", When: "The job has not ended yet."},
					{Kind: fault.Conflict, Code: "noSheet",
						When: "The file was refused, or the job ended, before its rows were looked at."},
					{Kind: fault.Conflict, Code: "notImport", When: "The job is an export."},
					{Kind: fault.NotFound, Code: "expired", When: "The sheet was kept for some days and is gone."},
				},
			},
		},
		{
			Key: "GET /api/jobs/{id}/download", Needs: access.SignedIn, Handle: h.download,
			Doc: httpapi.Operation{
				Tag: tag, Summary: "Get links to an export's files",
				Description: "They work for 5 minutes; ask again for new ones.",
				Answers:     []httpapi.Answer{{Status: http.StatusOK, Body: linksView{}}},
				Problems: []httpapi.Problem{missing, notYours,
					{Kind: fault.Conflict, Code: "notDone", When: "The export is not done."},
					{Kind: fault.Conflict, Code: "notExport", When: "The job is an import."},
				},
			},
		},
	}
}
