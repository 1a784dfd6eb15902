package transfer

import (
	"bytes"
	"context"
	"strings"

	"github.com/go-json-experiment/json"

	"useraccounts/internal/fault"
	"useraccounts/internal/sheet"
)

// writeReport stores the result of each row. It is written before the job ends, which then points at it.
func (r *importRun) writeReport(ctx context.Context) error {
	body, err := json.Marshal(r.rows)
	if err != nil {
		return err
	}
	r.job.HasReport, r.job.ReportEpoch = true, r.job.Epoch
	if err := r.Files.Put(ctx, r.job.ReportKey(), "application/json", body); err != nil {
		return err
	}
	if r.job.Kind == Undo {
		return nil // nobody uploaded a sheet
	}
	return r.writeResultSheet(ctx)
}

// writeResultSheet stores the uploaded sheet with what became of each row in it. A workbook that is read but cannot be
// written again costs the person this sheet and not the import: the result of each row is listed all the same.
func (r *importRun) writeResultSheet(ctx context.Context) error {
	r.job.HasResultSheet = false
	if r.resultSheet == nil {
		r.startResultSheet()
	}
	made := <-r.resultSheet
	r.resultSheet = nil
	if made.err != nil {
		r.Log.WarnContext(ctx, "the sheet could not be marked", "job", r.job.ID, "error", made.err.Error())
		return nil
	}
	out := made.sheet
	if err := r.Files.Put(ctx, r.job.ResultSheetKey(), workbookType, out.Bytes()); err != nil {
		return err
	}
	r.job.HasResultSheet = true
	return nil
}

// resultSheet is the uploaded sheet with results in it, or why there is none.
type resultSheet struct {
	sheet *bytes.Buffer
	err   error
}

// startResultSheet begins to mark the uploaded sheet with what is known of the rows by now; rows can be staged
// meanwhile, which is mostly waiting.
func (r *importRun) startResultSheet() {
	if r.job.Kind != Undo {
		r.markSheet(rowMarks(r.rows))
	}
}

func (r *importRun) markSheet(marks []sheet.RowMark) {
	made, data := make(chan resultSheet, 1), r.file
	r.resultSheet = made
	go func() {
		out := new(bytes.Buffer)
		out.Grow(len(data) + len(data)/4)
		made <- resultSheet{out, sheet.Mark(out, data, sheet.DefaultLimits(), marks)}
	}()
}

// setHeadingMarks notes what a sheet whose headings are not right is to show: the headings that are wrong, and all that
// is wrong in the first row below them, where there is one, as the header row has the headings of Result and Errors
// themselves. A sheet of too many rows, or whose rows cannot be read, is not given back.
func (r *importRun) setHeadingMarks(wb *sheet.Workbook, header int, matched sheet.Headings, bad []fault.Field) {
	marks := []sheet.RowMark{{Number: header, Cells: matched.InvalidCells()}}
	for row, err := range wb.Data(MaxRows) {
		if err != nil {
			return
		}
		if len(marks) == 1 {
			said := make([]string, len(bad))
			for i, f := range bad {
				said[i] = f.Message
			}
			marks = append(marks,
				sheet.RowMark{Number: row.Number, Result: outcomeTexts[RowSkipped], Errors: strings.Join(said, "\n")})
		}
	}
	r.headingMarks = marks
}

// writeHeadingsSheet stores the uploaded sheet with its headings marked.
func (r *importRun) writeHeadingsSheet(ctx context.Context) error {
	r.job.ReportEpoch = r.job.Epoch
	r.markSheet(r.headingMarks)
	return r.writeResultSheet(ctx)
}

// outcomeTexts are the outcomes as the sheet has them.
var outcomeTexts = map[Outcome]string{
	RowCreated: "Created", RowUpdated: "Updated", RowUnchanged: "Unchanged", RowSkipped: "Not imported",
	RowFailed: "Error",
}

// rowMarks returns what the sheet is to show of each row.
func rowMarks(rows []Row) []sheet.RowMark {
	out := make([]sheet.RowMark, len(rows))
	for i, row := range rows {
		out[i] = sheet.RowMark{Number: row.Row, Result: outcomeTexts[row.Outcome]}
		var all []string
		for _, e := range row.Errors {
			at := e.Field
			message := e.Message
			if column, _, ok := sheet.ParseAddress(e.Cell); ok {
				// What the reading of cells finds begins with their address, which is told already.
				message = strings.TrimPrefix(message, e.Cell+" ")
				out[i].Cells = append(out[i].Cells, sheet.CellMark{Column: column, Note: message})
				at = e.Cell + " " + e.Field
			}
			all = append(all, at+": "+message)
		}
		out[i].Errors = strings.Join(all, "\n")
	}
	return out
}
