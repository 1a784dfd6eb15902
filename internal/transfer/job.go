// Package transfer is imports and exports: jobs, the 36 columns, and the worker that runs them.
//
// An import without Skip errors is all or nothing. The worker validates every row first; then it stages the rows chunk
// by chunk under the import's number, which no reader sees; then one transaction makes the number count. Whatever kills
// it in between, the next delivery of the message goes on from the job's record, or rolls back. internal/README.md
// tells how readers see it, doc of Worker how each step is made safe.
package transfer

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"useraccounts/internal/fault"
	"useraccounts/internal/sheet"
)

// MaxRows is the most rows one import takes.
const MaxRows = 5000

// MaxExportIDs is the most accounts that an export takes by their ids.
const MaxExportIDs = 1000

// MaxFileBytes is the largest workbook in bytes.
const MaxFileBytes = 10 << 20

// Kind tells imports and exports apart.
type Kind string

// The kinds of job.
const (
	Import Kind = "import"
	Export Kind = "export"
	Undo   Kind = "undo" // of an import
)

// State is where a job stands.
type State string

// The states. Created to RollingBack go on; the rest are ends.
const (
	Created     State = "created"     // an import waits for its file and the submit
	Submitted   State = "submitted"   // waits for the worker
	Checking    State = "checking"    // an import's rows are read and checked
	Writing     State = "writing"     // rows are written, unseen; or an export's file is
	RollingBack State = "rollingBack" // unseen rows are taken back
	Done        State = "done"        // the import counts as a whole, or the export's file is there
	Refused     State = "refused"     // the file or a row was wrong; nothing was changed
	Cancelled   State = "cancelled"   // a person cancelled it; nothing was changed
	Failed      State = "failed"      // it could not be run; nothing was changed
)

// Ended reports whether the state is an end.
func (s State) Ended() bool { return slices.Contains([]State{Done, Refused, Cancelled, Failed}, s) }

// Options are what the person chose.
type Options struct {
	SkipErrors bool             `json:"skipErrors,omitempty"`
	DateFormat sheet.DateFormat `json:"dateFormat"`
	// Filters, Set and IDs choose the accounts of an export: those that pass the filters, which a Set may have given, or
	// those named. Without any it is all of them.
	Filters map[string]string `json:"filters,omitempty"`
	Set     string            `json:"set,omitempty"`
	IDs     []string          `json:"ids,omitempty"`
	// Queue makes the job wait until those that were submitted before it have ended.
	Queue bool `json:"queue,omitempty"`
	// DryRun checks the rows and says what each would change, and changes nothing.
	DryRun bool `json:"dryRun,omitempty"`
	// ResetFromGroup gives the resources of the rows their resource group's defaults again; a filled cell wins.
	ResetFromGroup bool `json:"resetFromGroup,omitempty"`
	// ResourceGroup is the code of the group of new resources whose row names none.
	ResourceGroup string `json:"resourceGroup,omitempty"`
	// CopyRolesFrom is the username of an account whose roles new accounts get where their row names none.
	CopyRolesFrom string `json:"copyRolesFrom,omitempty"`
}

// File names one version of a stored file.
type File struct {
	Key     string `json:"-"`
	Version string `json:"v,omitempty"`
	ETag    string `json:"e,omitempty"`
	Size    int64  `json:"s,omitempty"`
}

// Counts says what became of the rows.
type Counts struct {
	Rows      int `json:"rows"`
	Created   int `json:"created"`
	Updated   int `json:"updated"`
	Unchanged int `json:"unchanged"`
	// Skipped rows were right but not written, because others were wrong; Failed ones were wrong.
	Skipped int `json:"skipped"`
	Failed  int `json:"failed"`
	// Undone rows are those that an undo gave back; the ones it left alone are Failed.
	Undone int `json:"undone,omitempty"`
}

// Job is one import or export.
type Job struct {
	ID      string  `json:"-"`
	Env     string  `json:"-"`
	Kind    Kind    `json:"k"`
	State   State   `json:"-"`
	Options Options `json:"o"`
	// By and ByID name who submitted it.
	By   string `json:"b"`
	ByID string `json:"i"`
	// ByKey is the API key that they came by, empty for people; the job then has a key's rights (V47).
	ByKey     string    `json:"y,omitempty"`
	Created   time.Time `json:"c"`
	Submitted time.Time `json:"s,omitzero"`
	Ended     time.Time `json:"x,omitzero"`
	File      File      `json:"f,omitzero"`
	Counts    Counts    `json:"n"`
	// Problem says why a job was refused or failed as a whole.
	Problem *Problem `json:"p,omitempty"`
	// OtherSheets names the worksheets of the file that were left alone.
	OtherSheets []string `json:"w,omitempty"`
	// HiddenSheet says that the worksheet that was read is a hidden one, which whoever uploaded it may not know.
	HiddenSheet bool `json:"u,omitempty"`
	// Files is how many files an export made.
	Files int `json:"m,omitempty"`
	// HasReport is set when the result of each row is stored.
	HasReport bool `json:"r,omitempty"`

	// RetentionDays is how long the job is listed.
	RetentionDays int `json:"l,omitempty"`
	// HasResultSheet is set when the uploaded sheet with the results in it is stored.
	HasResultSheet bool `json:"q,omitempty"`

	// MessageSent is set once the message is known to be sent.
	MessageSent bool `json:"-"`
	// CancelRequested is set by a person; the worker stops at its next step before the commit.
	CancelRequested bool `json:"-"`
	// Epoch rises with each worker that takes the job; a write of an older one fails.
	Epoch int64 `json:"-"`
	// ImportID is the number under which rows are staged, 0 before that; Next the index of the first row not yet staged.
	ImportID int64 `json:"-"`
	NextRow  int   `json:"-"`
	// FinalState is the state that a job rolling back ends in; Checking to start again.
	FinalState State `json:"a,omitempty"`
	// Restarts counts how often the import was rolled back to check again, because accounts changed meanwhile.
	Restarts int `json:"t,omitempty"`
	// CatalogueVersion is the version of the reference data by which the first staged rows were judged: the commit depends
	// on no rule of what may be given having changed since.
	CatalogueVersion int64 `json:"v,omitempty"`
	// PermissionsHash names the permissions by which the first staged rows were judged, FileHash the content they were
	// read from: a later worker does not go on by others.
	PermissionsHash string `json:"g,omitempty"`
	FileHash        string `json:"d,omitempty"`
	// FailedRowsHash names the rows that were found wrong then, empty for none: rows that were staged may depend on those
	// that were not, so a later worker that finds other rows wrong begins anew.
	FailedRowsHash string `json:"lf,omitempty"`
	// FirstNumber and Numbers are the block of numbers that were taken for its resources without a code.
	FirstNumber int64 `json:"fn,omitempty"`
	NumberCount int   `json:"nn,omitempty"`
	// Checked is how many rows have been checked.
	Checked int `json:"h,omitempty"`
	// ReportEpoch and RowRefsEpoch are the epochs of the workers whose files of that kind count: a late worker writes its
	// own, which nobody reads, as it cannot write the job.
	ReportEpoch  int64 `json:"rb,omitempty"`
	RowRefsEpoch int64 `json:"tb,omitempty"`
	// UndoesJobID is the import that an undo is of, UndoesImportID its number, UndoesReportEpoch that one's ReportEpoch.
	UndoesJobID       string `json:"ud,omitempty"`
	UndoesImportID    int64  `json:"ui,omitempty"`
	UndoesReportEpoch int64  `json:"ur,omitempty"`
	// UndoJobID is the job that undoes this import, Undone whether it did.
	UndoJobID string `json:"-"`
	Undone    bool   `json:"-"`
}

// Problem says why a job was refused or failed as a whole, as a fault does.
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

// Row is the result of one row of the sheet: what became of it, what is wrong with which of its cells, and what it
// changes. The marked sheet, the dry run and the API all show these.
type Row struct {
	// Row is its number as the spreadsheet shows it.
	Row      int        `json:"row"`
	Username string     `json:"username"`
	Outcome  Outcome    `json:"outcome"`
	Errors   []RowError `json:"errors,omitempty"`
	// Changes are the columns whose values the row changes, of existing accounts always, of new ones in a dry run; in the
	// order of the columns.
	Changes []RowChange `json:"changes,omitempty"`
}

// RowError is one thing that is wrong with a row. A column has one at most, the first found.
type RowError struct {
	// Field is the heading of the column, or the letters of one without a heading.
	Field string `json:"field"`
	// Cell is the address of the cell, such as L7; empty where the sheet does not have the column.
	Cell string `json:"cell,omitempty"`
	// Value is what the cell holds, fit to be shown: cleaned and cut.
	Value string `json:"value,omitempty"`
	// Code is stable and made for programs; Message says what is wrong and what to do.
	Code    string `json:"code"`
	Message string `json:"message"`
}

// RowChange is what a row changes in one column, in the sheet's own words: TRUE and FALSE, codes joined by semicolons,
// days in the format of the job. An empty text is a blank cell.
type RowChange struct {
	Field string `json:"field"`
	From  string `json:"from"`
	To    string `json:"to"`
}

// UploadKey, ReportKey and ExportKey name a job's files in the bucket.
func (j Job) UploadKey() string { return "imports/" + j.Env + "/" + j.ID + ".xlsx" }

// ReportKey names the file with the result of each row.
func (j Job) ReportKey() string { return j.resultKey(j.ReportEpoch, ".json") }

// RowRefsKey names the file that says where the job staged its rows.
func (j Job) RowRefsKey() string { return j.resultKey(j.RowRefsEpoch, "-traces.json") }

// ResultSheetKey names the uploaded sheet with the results in it.
func (j Job) ResultSheetKey() string { return j.resultKey(j.ReportEpoch, ".xlsx") }

// resultKey names a file of the worker of an epoch; 0 for what was written before files had one.
func (j Job) resultKey(epoch int64, suffix string) string {
	key := "reports/" + j.Env + "/" + j.ID
	if epoch != 0 {
		key += "-" + strconv.FormatInt(epoch, 10)
	}
	return key + suffix
}

// ExportKey names the export's n-th file, from 1.
func (j Job) ExportKey(n int) string {
	return fmt.Sprintf("exports/%s/%s/%02d.xlsx", j.Env, j.ID, n)
}

// FileName is what the export's n-th file is called when it is downloaded.
func (j Job) FileName(n int) string {
	name := "user-accounts-" + j.Created.Format(time.DateOnly)
	if j.Files > 1 {
		name += fmt.Sprintf("-%02d", n)
	}
	return name + ".xlsx"
}
