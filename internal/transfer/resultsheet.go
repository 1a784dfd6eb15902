package transfer

import (
	"bytes"
	"context"
	"strings"

	"github.com/go-json-experiment/json"

	"useraccounts/internal/fault"
	"useraccounts/internal/sheet"
)

// writeReport stores the result of each row, and the result sheet. It is written before the job ends, and the job then
// points at it.
func (r *importRun) writeReport(ctx context.Context) error {
	results := make([]Row, len(r.rows))
	for i := range r.rows {
		results[i] = r.rows[i].result
	}
	body, err := json.Marshal(results)
	if err != nil {
		return err
	}
	r.job.HasReport, r.job.ReportEpoch = true, r.job.Epoch
	if err := r.Files.Put(ctx, r.job.ReportKey(), "application/json", body); err != nil {
		return err
	}
	if r.job.Kind == Undo {
		return nil // an undo has no uploaded sheet
	}
	return r.writeResultSheet(ctx)
}

// resultSheet is the uploaded sheet with the results in it, or the error of writing it.
type resultSheet struct {
	sheet *bytes.Buffer
	err   error
}

// writeResultSheet stores the uploaded sheet with the result of each row in it. If the workbook cannot be written again
// the import goes on without this sheet: the results are listed all the same.
func (r *importRun) writeResultSheet(ctx context.Context) error {
	r.job.HasResultSheet = false
	if r.resultSheet == nil {
		r.startResultSheet()
	}
	marked := <-r.resultSheet
	r.resultSheet = nil
	if marked.err != nil {
		r.Log.WarnContext(ctx, "result sheet not written", "job", r.job.ID, "error", marked.err.Error())
		return nil //nolint:nilerr // see above: the import goes on
	}
	if err := r.Files.Put(ctx, r.job.ResultSheetKey(), workbookType, marked.sheet.Bytes()); err != nil {
		return err
	}
	r.job.HasResultSheet = true
	return nil
}

// startResultSheet starts to mark the uploaded sheet with the results so far. It runs while rows are staged, which is
// mostly waiting.
func (r *importRun) startResultSheet() {
	if r.job.Kind != Undo {
		r.markSheet(r.rowMarks())
	}
}

func (r *importRun) markSheet(marks []sheet.RowMark) {
	done, file := make(chan resultSheet, 1), r.file
	r.resultSheet = done
	go func() {
		out := new(bytes.Buffer)
		out.Grow(len(file) + len(file)/4)
		done <- resultSheet{out, sheet.Mark(out, file, sheet.DefaultLimits(), marks)}
	}()
}

// setHeadingMarks sets the marks of a sheet with wrong headings: a note at each wrong heading, and all errors in the
// first row below, as the header row itself has the headings Result and Errors. A sheet with too many rows, or with
// rows that cannot be read, is not returned.
func (r *importRun) setHeadingMarks(wb *sheet.Workbook, header int, matched sheet.Headings, invalid []fault.Field) {
	marks := []sheet.RowMark{{Number: header, Cells: matched.InvalidCells()}}
	for row, err := range wb.Data(MaxRows) {
		if err != nil {
			return
		}
		if len(marks) == 1 {
			messages := make([]string, len(invalid))
			for i, f := range invalid {
				messages[i] = f.Message
			}
			marks = append(marks,
				sheet.RowMark{Number: row.Number, Result: outcomeTexts[RowSkipped], Errors: strings.Join(messages, "\n")})
		}
	}
	r.headingMarks = marks
}

// writeHeadingsSheet stores the uploaded sheet with its wrong headings marked.
func (r *importRun) writeHeadingsSheet(ctx context.Context) error {
	r.job.ReportEpoch = r.job.Epoch
	r.markSheet(r.headingMarks)
	return r.writeResultSheet(ctx)
}

// outcomeTexts are the outcomes in the column Result.
var outcomeTexts = map[Outcome]string{
	RowCreated: "Created", RowUpdated: "Updated", RowUnchanged: "Unchanged", RowSkipped: "Not imported",
	RowFailed: "Error",
}

// rowMarks returns what the result sheet shows of each row.
func (r *importRun) rowMarks() []sheet.RowMark {
	out := make([]sheet.RowMark, len(r.rows))
	for i := range r.rows {
		result := &r.rows[i].result
		out[i] = sheet.RowMark{Number: result.Row, Result: outcomeTexts[result.Outcome]}
		var messages []string
		for _, e := range result.Errors {
			place, message := e.Field, e.Message
			if column, _, ok := sheet.ParseAddress(e.Cell); ok {
				message = strings.TrimPrefix(message, e.Cell+" ") // messages about a cell's content begin with its address
				out[i].Cells = append(out[i].Cells, sheet.CellMark{Column: column, Note: message})
				place = e.Cell + " " + e.Field
			}
			messages = append(messages, place+": "+message)
		}
		out[i].Errors = strings.Join(messages, "\n")
	}
	return out
}
