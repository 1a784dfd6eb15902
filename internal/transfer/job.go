// Package transfer imports accounts from workbooks and exports them: jobs, the 36 columns, and the worker that runs the
// jobs.
//
// An import without Skip errors is all or nothing. The worker checks every row first. Then it stages the rows, chunk by
// chunk, under the import's number, which no reader sees. Then one transaction commits that number. If a worker dies in
// between, the next delivery of the message resumes from the job's record, or rolls back. internal/docs/architecture
// describes what readers see; Worker describes what makes each step safe.
package transfer

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"useraccounts/internal/fault"
	"useraccounts/internal/sheet"
)

// MaxRows is the most rows of one import.
const MaxRows = 5000

// MaxExportIDs is the most accounts that an export can list by their ids.
const MaxExportIDs = 1000

// MaxFileBytes is the size of the largest workbook.
const MaxFileBytes = 10 << 20

// Kind is what a job does.
type Kind string

// The kinds of job.
const (
	Import Kind = "import"
	Export Kind = "export"
	Undo   Kind = "undo" // of an import
)

// State is the state of a job.
type State string

// The states. A job ends in Done, Refused, Cancelled or Failed.
const (
	Created     State = "created"     // an import waits for its file and its submit
	Submitted   State = "submitted"   // the job waits for a worker
	Checking    State = "checking"    // the rows of an import are read and checked
	Writing     State = "writing"     // rows are staged; or the files of an export are written
	RollingBack State = "rollingBack" // staged rows are removed
	Done        State = "done"        // the import is committed, or the export's files are there
	Refused     State = "refused"     // the file or a row has errors; nothing was changed
	Cancelled   State = "cancelled"   // a person cancelled it; nothing was changed
	Failed      State = "failed"      // the job could not be run; nothing was changed
)

// Ended reports whether the state is an end.
func (s State) Ended() bool { return slices.Contains([]State{Done, Refused, Cancelled, Failed}, s) }

// Options are what the person chose for a job.
type Options struct {
	SkipErrors bool             `json:"skipErrors,omitempty"`
	DateFormat sheet.DateFormat `json:"dateFormat"`
	// Filters and IDs select the accounts of an export; without either it is all accounts. Set is the name of the Set that
	// the filters are from.
	Filters map[string]string `json:"filters,omitempty"`
	Set     string            `json:"set,omitempty"`
	IDs     []string          `json:"ids,omitempty"`
	// Queue makes the job wait until all jobs that were submitted before it have ended.
	Queue bool `json:"queue,omitempty"`
	// DryRun only checks the rows and reports what each would change.
	DryRun bool `json:"dryRun,omitempty"`
	// ResetFromGroup resets the resources of the rows to the defaults of their resource group; a filled cell wins.
	ResetFromGroup bool `json:"resetFromGroup,omitempty"`
	// ResourceGroup is the code of the resource group of new resources whose row names none.
	ResourceGroup string `json:"resourceGroup,omitempty"`
	// CopyRolesFrom is the username of an account whose roles new accounts get if their row names none.
	CopyRolesFrom string `json:"copyRolesFrom,omitempty"`
}

// File names one version of a stored file.
type File struct {
	Key     string `json:"-"`
	Version string `json:"v,omitempty"`
	ETag    string `json:"e,omitempty"`
	Size    int64  `json:"s,omitempty"`
}

// Counts counts the rows by their outcome.
type Counts struct {
	Rows      int `json:"rows"`
	Created   int `json:"created"`
	Updated   int `json:"updated"`
	Unchanged int `json:"unchanged"`
	// Skipped rows have no errors but were not imported, because others have; Failed rows have errors.
	Skipped int `json:"skipped"`
	Failed  int `json:"failed"`
	// Undone rows were undone by an undo; the rows that it left alone are Failed.
	Undone int `json:"undone,omitempty"`
}

// Job is one import, export or undo. Stored jobs have the short names of the tags.
type Job struct {
	ID      string  `json:"-"`
	Env     string  `json:"-"`
	Kind    Kind    `json:"k"`
	State   State   `json:"-"`
	Options Options `json:"o"`
	// By and ByID are the username and the account id of the person who started the job.
	By   string `json:"b"`
	ByID string `json:"i"`
	// ByKey is the id of the API key that started the job, "" for none. The job then has the rights of a key (V47).
	ByKey string `json:"y,omitempty"`
	// ProvedAt is when that person had last proved who they are at the submit. It is zero for a key, and in jobs that were
	// stored before it was kept.
	ProvedAt  time.Time `json:"pa,omitzero"`
	Created   time.Time `json:"c"`
	Submitted time.Time `json:"s,omitzero"`
	Ended     time.Time `json:"x,omitzero"`
	File      File      `json:"f,omitzero"`
	Counts    Counts    `json:"n"`
	// Problem says why a job was refused or failed as a whole.
	Problem *Problem `json:"p,omitempty"`
	// OtherSheets are the names of the worksheets that were not read.
	OtherSheets []string `json:"w,omitempty"`
	// HiddenSheet says that the worksheet that was read is hidden, which the person may not know.
	HiddenSheet bool `json:"u,omitempty"`
	// HiddenRows is the number of rows that were read though a filter or a person has hidden them, DroppedTimes the cells
	// of which only the date was taken, at most maxDroppedTimes.
	HiddenRows   int      `json:"hiddenRows,omitempty"`
	DroppedTimes []string `json:"droppedTimes,omitempty"`
	// Files is the number of files of an export.
	Files int `json:"m,omitempty"`
	// HasReport says that the result of each row is stored.
	HasReport bool `json:"r,omitempty"`

	// RetentionDays is for how many days the job is listed.
	RetentionDays int `json:"l,omitempty"`
	// HasResultSheet says that the uploaded sheet with the results in it is stored.
	HasResultSheet bool `json:"q,omitempty"`

	// MessageSent says that the job's message is known to be sent.
	MessageSent bool `json:"-"`
	// CancelRequested is set when a person cancels; the worker stops at its next step before the commit.
	CancelRequested bool `json:"-"`
	// Epoch rises with each worker that claims the job; writes of earlier workers fail.
	Epoch int64 `json:"-"`
	// ImportID is the number under which rows are staged, 0 before. NextRow is the index of the first row to stage.
	ImportID int64 `json:"-"`
	NextRow  int   `json:"-"`
	// FinalState is the state after a rollback; Checking to start again.
	FinalState State `json:"a,omitempty"`
	// Restarts counts how often the import started again because accounts had changed.
	Restarts int `json:"t,omitempty"`
	// CatalogueVersion is the version of the reference data by which the first staged rows were checked. The commit fails
	// if a rule about what may be granted has changed since.
	CatalogueVersion int64 `json:"v,omitempty"`
	// PermissionsFingerprint identifies the permissions by which the first staged rows were checked, FileHash the content
	// of the file. A later worker only resumes with the same ones.
	PermissionsFingerprint string `json:"g,omitempty"`
	FileHash               string `json:"d,omitempty"`
	// FailedRowsFingerprint identifies the rows that failed then, "" for none. Staged rows may depend on rows that failed,
	// so a later worker that finds other failed rows starts again.
	FailedRowsFingerprint string `json:"lf,omitempty"`
	// FirstNumber and NumberCount are the block of numbers reserved for new resources without a code.
	FirstNumber int64 `json:"fn,omitempty"`
	NumberCount int   `json:"nn,omitempty"`
	// Checked is the number of rows checked so far.
	Checked int `json:"h,omitempty"`
	// ReportEpoch and RowRefsEpoch are the epochs of the workers whose report and whose RowRefs are valid. A superseded
	// worker writes files of its own, which nobody reads, as it cannot write the job.
	ReportEpoch  int64 `json:"rb,omitempty"`
	RowRefsEpoch int64 `json:"tb,omitempty"`
	// UndoesJobID is the import that an undo undoes, with that import's ImportID and ReportEpoch.
	UndoesJobID       string `json:"ud,omitempty"`
	UndoesImportID    int64  `json:"ui,omitempty"`
	UndoesReportEpoch int64  `json:"ur,omitempty"`
	// UndoJobID is the job that undoes this import, Undone says that it is done.
	UndoJobID string `json:"-"`
	Undone    bool   `json:"-"`
}

// Problem is why a job was refused or failed as a whole.
type Problem struct {
	Code   string        `json:"code"`
	Detail string        `json:"detail"`
	Fields []fault.Field `json:"fields,omitempty"`
}

// Outcome is what became of one row.
type Outcome string

// The outcomes of a row.
const (
	RowCreated   Outcome = "created"
	RowUpdated   Outcome = "updated"
	RowUnchanged Outcome = "unchanged"
	RowSkipped   Outcome = "skipped"
	RowFailed    Outcome = "failed"
)

// Row is the result of one row of the sheet: its outcome, its errors and what it changes. The API, the result sheet and
// the dry run all show it.
type Row struct {
	// Row is the row's number in the spreadsheet.
	Row      int        `json:"row"`
	Username string     `json:"username"`
	Outcome  Outcome    `json:"outcome"`
	Errors   []RowError `json:"errors,omitempty"`
	// Changes are the columns that the row changes, in the order of the sheet. Of new accounts they are listed in a dry
	// run only.
	Changes []RowChange `json:"changes,omitempty"`
}

// RowError is an error of a row. A column has at most one, the first that was found.
type RowError struct {
	// Field is the heading of the column, or the letters of one without a heading.
	Field string `json:"field"`
	// Cell is the address of the cell, such as L7; empty if the sheet does not have the column.
	Cell string `json:"cell,omitempty"`
	// Value is what the cell contains, cleaned and cut.
	Value string `json:"value,omitempty"`
	// Code is for programs and does not change; Message says what is wrong and what to do.
	Code    string `json:"code"`
	Message string `json:"message"`
}

// RowChange is what a row changes in one column, as the sheet shows it: TRUE and FALSE, codes separated by semicolons,
// dates in the format of the job. An empty text is a blank cell.
type RowChange struct {
	Field string `json:"field"`
	From  string `json:"from"`
	To    string `json:"to"`
}

// UploadKey is the key of the uploaded workbook in the bucket.
func (j Job) UploadKey() string { return "imports/" + j.Env + "/" + j.ID + ".xlsx" }

// ReportKey is the key of the file with the result of each row.
func (j Job) ReportKey() string { return j.resultKey(j.ReportEpoch, ".json") }

// RowRefsKey is the key of the file that says under which keys the rows were staged.
func (j Job) RowRefsKey() string { return j.resultKey(j.RowRefsEpoch, "-traces.json") }

// ResultSheetKey is the key of the uploaded sheet with the results in it.
func (j Job) ResultSheetKey() string { return j.resultKey(j.ReportEpoch, ".xlsx") }

// resultKey is the key of a file that the worker of an epoch wrote; files of before there were epochs have epoch 0.
func (j Job) resultKey(epoch int64, suffix string) string {
	key := "reports/" + j.Env + "/" + j.ID
	if epoch != 0 {
		key += "-" + strconv.FormatInt(epoch, 10)
	}
	return key + suffix
}

// ExportKey is the key of the export's n-th file, from 1.
func (j Job) ExportKey(n int) string {
	return fmt.Sprintf("exports/%s/%s/%02d.xlsx", j.Env, j.ID, n)
}

// FileName is the name under which the export's n-th file is downloaded.
func (j Job) FileName(n int) string {
	name := "user-accounts-" + j.Created.Format(time.DateOnly)
	if j.Files > 1 {
		name += fmt.Sprintf("-%02d", n)
	}
	return name + ".xlsx"
}
