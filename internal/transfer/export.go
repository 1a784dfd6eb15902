package transfer

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/directory"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/resource"
	"useraccounts/internal/sheet"
)

// SheetName is the name of the worksheet of an export.
const SheetName = "User accounts"

const exportForbiddenDetail = "The person who submitted this export no longer has permission to export."

const workbookType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// exportPageSize is the number of accounts that an export reads at once, exportProgressInterval the number of accounts
// after which it saves its progress.
const (
	exportPageSize         = 500
	exportProgressInterval = 4 * exportPageSize
)

// export writes the selected accounts, as of one snapshot, into files of at most MaxRows rows, each of which can be
// imported. A later worker overwrites the files of an earlier one.
func (w *Worker) export(ctx context.Context, job Job) error {
	if job.CancelRequested {
		return w.finishExport(ctx, job, Cancelled)
	}
	scope, err := w.actorScope(ctx, job)
	if fault.Is(err, fault.Forbidden) || (err == nil && !scope.Caller.May(access.AccountExport)) {
		job.Problem = &Problem{Code: "rightsRevoked", Detail: exportForbiddenDetail}
		return w.finishExport(ctx, job, Failed)
	}
	if err != nil {
		return err
	}
	selected, err := accountSelector(job.Options, field.DateOf(w.now()))
	if err != nil {
		job.Problem = &Problem{Code: "filters", Detail: "The filters of this export are no longer valid. Start a new export."}
		return w.finishExport(ctx, job, Failed)
	}
	job.State, job.Files, job.NextRow, job.Counts = Writing, 0, 0, Counts{}
	if err := w.Jobs.Save(ctx, job); err != nil {
		return err
	}
	source := &exportSource{ctx: ctx, w: w, job: &job, scope: scope, selected: selected, columns: columns(),
		descriptions: map[codeKey]string{}, dateCells: map[string]sheet.Cell{}}
	for first := true; first || source.hasNext(); first = false {
		err := w.exportFile(ctx, source)
		if errors.Is(err, ErrCancelled) {
			return w.finishExport(ctx, job, Cancelled)
		}
		if err != nil {
			return err
		}
	}
	if source.cancelRequested() {
		return w.finishExport(ctx, job, Cancelled)
	}
	return w.finishExport(ctx, job, Done)
}

func (w *Worker) finishExport(ctx context.Context, job Job, as State) error {
	job.State, job.Ended = as, w.now()
	return w.Jobs.Save(ctx, job)
}

// exportFile writes the next file.
func (w *Worker) exportFile(ctx context.Context, source *exportSource) error {
	var file bytes.Buffer
	if err := sheet.Write(&file, sheet.Export{
		Sheet: SheetName, Format: source.job.Options.DateFormat, Columns: exportColumns(source.scope.Catalogue),
		ValidationRows: MaxRows, Rows: source.rows(MaxRows),
	}); err != nil {
		return err
	}
	source.job.Files++
	return w.Files.Put(ctx, source.job.ExportKey(source.job.Files), workbookType, file.Bytes())
}

// accountSelector returns a function that reports whether an account is exported.
func accountSelector(o Options, today field.Date) (func(account.Account) bool, error) {
	switch {
	case len(o.IDs) > 0:
		wanted := make(map[string]bool, len(o.IDs))
		for _, id := range o.IDs {
			wanted[id] = true
		}
		return func(a account.Account) bool { return wanted[a.ID] }, nil
	case o.Filters == nil:
		return func(account.Account) bool { return true }, nil
	}
	filter, invalid := directory.ParseFilter(o.Filters)
	return func(a account.Account) bool { return filter.Matches(a, today) }, fault.InvalidFields(invalid)
}

// exportSource reads the accounts of an export, page by page.
type exportSource struct {
	ctx      context.Context //nolint:containedctx // it lives within one call of export
	w        *Worker
	job      *Job
	scope    access.Scope
	selected func(account.Account) bool
	columns  []column

	page      []account.Account
	resources map[string]resource.Resource // of the page and their managers, by folded code
	after     string
	started   bool
	savedRows int
	err       error
	// descriptions and dateCells cache values that repeat from row to row.
	descriptions map[codeKey]string
	dateCells    map[string]sheet.Cell
}

type codeKey struct {
	kind catalogue.Kind
	code string
}

// hasNext reports whether there is another account or an error, and reads the next page if necessary.
func (a *exportSource) hasNext() bool {
	for len(a.page) == 0 && a.err == nil && (!a.started || a.after != "") {
		a.started = true
		if a.err = a.saveProgress(); a.err != nil {
			break
		}
		a.page, a.after, a.err = a.w.Directory.Page(a.ctx, a.scope.Env, a.after, exportPageSize)
		a.page = slices.DeleteFunc(a.page, func(found account.Account) bool { return !a.selected(found) })
		if a.err == nil {
			a.err = a.loadResources()
		}
	}
	return len(a.page) > 0 || a.err != nil
}

// saveProgress saves the progress now and then; ErrCancelled if a person cancelled the export.
func (a *exportSource) saveProgress() error {
	if a.job.Counts.Rows-a.savedRows < exportProgressInterval {
		return nil
	}
	if a.cancelRequested() {
		return ErrCancelled
	}
	a.savedRows, a.job.NextRow = a.job.Counts.Rows, a.job.Counts.Rows
	return a.w.Jobs.Save(a.ctx, *a.job)
}

// cancelRequested reports whether a person asked to cancel. If that cannot be read the export goes on.
func (a *exportSource) cancelRequested() bool {
	requested, err := a.w.Jobs.CancelRequested(a.ctx, a.job.Env, a.job.ID)
	return err == nil && requested
}

// loadResources reads the resources of the page's accounts, then their managers.
func (a *exportSource) loadResources() error {
	a.resources = map[string]resource.Resource{}
	var codes []string
	for i := range a.page {
		if code := a.page[i].Resource; code != "" {
			codes = append(codes, foldCode(code))
		}
	}
	for range 2 {
		if len(codes) == 0 {
			return nil
		}
		states, err := a.w.Resources.ResourcesByCode(a.ctx, a.scope.Env, 0, codes)
		if err != nil {
			return err
		}
		codes = codes[:0]
		for code, state := range states {
			if state.Exists {
				a.resources[code] = state.Resource
			}
		}
		for _, state := range states {
			manager := foldCode(state.Resource.Manager)
			if manager != "" && a.resources[manager].Code == "" && !slices.Contains(codes, manager) {
				codes = append(codes, manager)
			}
		}
	}
	return nil
}

// rows yields up to limit rows and counts them.
func (a *exportSource) rows(limit int) iter.Seq2[[]sheet.Cell, error] {
	return func(yield func([]sheet.Cell, error) bool) {
		row := make([]sheet.Cell, len(a.columns))
		accountFields := make([]func(*account.Account) any, len(a.columns))
		resourceFields := make([]func(*resource.Resource) any, len(a.columns))
		for i, c := range a.columns { // found once for all rows
			if c.accountField != "" {
				accountFields[i] = account.Fields().Find(c.accountField).At
			}
			if c.resourceField != "" {
				resourceFields[i] = resource.Fields().Find(c.resourceField).At
			}
		}
		for n := 0; n < limit && a.hasNext(); n++ {
			if a.err != nil {
				yield(nil, a.err)
				return
			}
			exported := &a.page[0]
			linked, hasResource := a.resources[foldCode(exported.Resource)]
			for i, c := range a.columns {
				row[i] = sheet.Cell{}
				switch {
				case c.accountField != "":
					row[i] = a.exportCell(c, accountFields[i](exported))
				case exported.Resource == "" || !hasResource:
				case c.resourceField != "":
					row[i] = a.exportCell(c, resourceFields[i](&linked))
				default:
					row[i] = sheet.TextCell(a.resourceText(c.heading, linked))
				}
				if c.heading == "User license description" {
					row[i] = sheet.TextCell(a.description(catalogue.Licence, exported.UserType))
				}
			}
			a.page = a.page[1:]
			a.job.Counts.Rows++
			if !yield(row, nil) {
				return
			}
		}
	}
}

func (a *exportSource) description(kind catalogue.Kind, code string) string {
	key := codeKey{kind, code}
	description, cached := a.descriptions[key]
	if !cached {
		entry, _ := a.scope.Catalogue.Find(kind, code)
		description = entry.Description
		a.descriptions[key] = description
	}
	return description
}

// resourceText returns the text of a column that describes a code of a resource.
func (a *exportSource) resourceText(heading string, r resource.Resource) string {
	switch heading {
	case "Resource description":
		return r.Description
	case "Resource group description":
		return a.description(catalogue.ResourceGroup, r.ResourceGroup)
	case "Department description":
		return a.description(catalogue.Department, r.Department)
	case "Cost centre description":
		return a.description(catalogue.CostCentre, r.CostCentre)
	case "Manager description":
		return a.resources[foldCode(r.Manager)].Description
	}
	return ""
}

// exportCell returns the cell for the value of a field, to which pointer points.
func (a *exportSource) exportCell(c column, pointer any) sheet.Cell {
	switch value := pointer.(type) {
	case *bool:
		return sheet.BoolCell(*value)
	case *[]string:
		if len(*value) > 0 {
			return sheet.TextCell(sheet.JoinCodes(*value))
		}
	case *field.Date:
		return a.dateCell(string(*value))
	case *string:
		switch {
		case *value == "":
		case c.kind == sheet.Date:
			return a.dateCell(*value)
		default:
			return sheet.TextCell(escapeClear(*value))
		}
	}
	return sheet.Cell{}
}

func (a *exportSource) dateCell(text string) sheet.Cell {
	cell, cached := a.dateCells[text]
	if !cached {
		if day, err := time.Parse(time.DateOnly, text); err == nil {
			cell = sheet.DateCell(day)
		}
		a.dateCells[text] = cell
	}
	return cell
}

// codeKinds are the kinds of reference data whose codes a column holds, by heading.
var codeKinds = map[string]catalogue.Kind{
	"User licenses": catalogue.Licence, groupHeading: catalogue.ResourceGroup, "Department": catalogue.Department,
	"Cost centre": catalogue.CostCentre, "Payment method": catalogue.PaymentMethod,
	"Payment terms": catalogue.PaymentTerms,
	"DAC groups":    catalogue.DACGroup, rolesHeading: catalogue.Role, "User groups": catalogue.Group,
}

// exportColumns returns the columns of an export, with the codes that each cell may have.
func exportColumns(known *catalogue.Catalogue) []sheet.Column {
	all := columns()
	out := make([]sheet.Column, len(all))
	for i, c := range all {
		out[i] = sheet.Column{Heading: c.heading, Kind: c.kind, Width: c.width}
		kind, ok := codeKinds[c.heading]
		switch {
		case c.resourceField == "country":
			out[i].Choices = field.Countries()
		case c.resourceField == "currency":
			out[i].Choices = field.Currencies()
		case c.heading == managerHeading: // there may be thousands of codes, too many for a list
			out[i].Hint = "Code of an existing resource, or of one that another row of this file creates. " +
				"A resource cannot be its own manager."
		}
		if !ok {
			continue
		}
		var codes []string
		for _, e := range known.All(kind) {
			if e.Active {
				codes = append(codes, e.Code)
			}
		}
		if c.codes {
			out[i].Hint = "Codes, separated by semicolons: " + strings.Join(codes, "; ")
		} else {
			out[i].Choices = codes
		}
	}
	return out
}
