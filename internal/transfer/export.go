package transfer

import (
	"bytes"
	"context"
	"iter"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
	"useraccounts/internal/sheet"
)

// SheetName is the worksheet's name in an export.
const SheetName = "User accounts"

const workbookType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// exportPage is how many accounts an export reads at once.
const exportPage = 500

// export writes all accounts, as of one snapshot, into files of at most MaxRows rows, each of which can be imported. Run
// again, it overwrites what an earlier worker wrote.
func (w *Worker) export(ctx context.Context, job Job) error {
	if job.CancelAsked {
		job.State, job.Ended = Cancelled, w.now()
		return w.Jobs.Save(ctx, job)
	}
	scope, err := w.actorOf(ctx, job)
	if fault.Is(err, fault.Forbidden) || (err == nil && !scope.Caller.May(access.AccountExport)) {
		job.State, job.Ended = Failed, w.now()
		job.Problem = &Problem{Code: "rightsRevoked", Detail: "Whoever submitted this export may not export any more."}
		return w.Jobs.Save(ctx, job)
	}
	if err != nil {
		return err
	}
	job.State = Writing
	if err := w.Jobs.Save(ctx, job); err != nil {
		return err
	}
	source := &accounts{ctx: ctx, directory: w.Directory, scope: scope}
	job.Files, job.Counts = 0, Counts{}
	for first := true; first || source.more(); first = false {
		var file bytes.Buffer
		rows := source.next(MaxRows, &job.Counts.Rows)
		if err := sheet.Write(&file, sheet.Export{
			Sheet: SheetName, Format: job.Options.DateFormat, Columns: exportColumns(scope.Catalogue), Rows: rows,
		}); err != nil {
			return err
		}
		job.Files++
		if err := w.Files.Put(ctx, job.ExportKey(job.Files), workbookType, file.Bytes()); err != nil {
			return err
		}
	}
	job.State, job.Ended = Done, w.now()
	return w.Jobs.Save(ctx, job)
}

// accounts walks the directory page by page.
type accounts struct {
	ctx       context.Context //nolint:containedctx // the walk lives within one call of export
	directory Directory
	scope     access.Scope
	page      []account.Account
	after     string
	started   bool
	err       error
}

// more reports whether an account is left, reading the next page if need be.
func (a *accounts) more() bool {
	for len(a.page) == 0 && a.err == nil && (!a.started || a.after != "") {
		a.started = true
		a.page, a.after, a.err = a.directory.Page(a.ctx, a.scope.Env, a.after, exportPage)
	}
	return len(a.page) > 0 || a.err != nil
}

// next yields up to most rows and counts them.
func (a *accounts) next(most int, count *int) iter.Seq2[[]sheet.Cell, error] {
	return func(yield func([]sheet.Cell, error) bool) {
		all := columns()
		for n := 0; n < most && a.more(); n++ {
			if a.err != nil {
				yield(nil, a.err)
				return
			}
			row := exportRow(all, a.scope.Catalogue, &a.page[0])
			a.page = a.page[1:]
			*count++
			if !yield(row, nil) {
				return
			}
		}
	}
}

// exportRow returns the cells of one account. Columns of resources stay blank until there are resources.
func exportRow(all []column, known *catalogue.Catalogue, a *account.Account) []sheet.Cell {
	fields := account.Fields()
	row := make([]sheet.Cell, len(all))
	for i, c := range all {
		switch {
		case c.heading == "User license description":
			licence, _ := known.Find(catalogue.Licence, a.UserType)
			row[i] = sheet.TextCell(licence.Description)
		case c.heading == "Resource":
			row[i] = sheet.TextCell(a.Resource)
		case c.field != "":
			row[i] = exportCell(c, fields.Value(a, c.field))
		}
	}
	return row
}

func exportCell(c column, value any) sheet.Cell {
	switch value := value.(type) {
	case bool:
		return sheet.BoolCell(value)
	case []string:
		return sheet.TextCell(sheet.JoinCodes(value))
	case string:
		if c.kind != sheet.Date {
			return sheet.TextCell(value)
		}
		day, err := time.Parse(time.DateOnly, value)
		if err != nil {
			return sheet.Cell{}
		}
		return sheet.DateCell(day)
	}
	return sheet.Cell{}
}

func exportColumns(known *catalogue.Catalogue) []sheet.Column {
	all := columns()
	choices := map[string]catalogue.Kind{"User licenses": catalogue.Licence}
	out := make([]sheet.Column, len(all))
	for i, c := range all {
		out[i] = sheet.Column{Heading: c.heading, Kind: c.kind, Width: c.width}
		if kind, ok := choices[c.heading]; ok {
			for _, e := range known.All(kind) {
				if e.Active {
					out[i].Choices = append(out[i].Choices, e.Code)
				}
			}
		}
	}
	return out
}
