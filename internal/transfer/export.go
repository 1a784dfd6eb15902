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

// SheetName is the worksheet's name in an export.
const SheetName = "User accounts"

const workbookType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// exportPageSize is how many accounts an export reads at once, and exportProgressInterval after how many of them it
// tells how far it is.
const (
	exportPageSize         = 500
	exportProgressInterval = 4 * exportPageSize
)

// export writes the accounts that were chosen, as of one snapshot, into files of at most MaxRows rows, each of which
// can be imported. Run again, it overwrites what an earlier worker wrote.
func (w *Worker) export(ctx context.Context, job Job) error {
	if job.CancelRequested {
		return w.finishExport(ctx, job, Cancelled)
	}
	scope, err := w.actorScope(ctx, job)
	if fault.Is(err, fault.Forbidden) || (err == nil && !scope.Caller.May(access.AccountExport)) {
		job.Problem = &Problem{Code: "rightsRevoked", Detail: "Whoever submitted this export may not export any more."}
		return w.finishExport(ctx, job, Failed)
	}
	if err != nil {
		return err
	}
	choice, err := accountSelector(job.Options)
	if err != nil {
		job.Problem = &Problem{Code: "filters", Detail: "The filters of this export are not known any more. Begin it again."}
		return w.finishExport(ctx, job, Failed)
	}
	job.State, job.Files, job.NextRow, job.Counts = Writing, 0, 0, Counts{}
	if err := w.Jobs.Save(ctx, job); err != nil {
		return err
	}
	source := &exportSource{ctx: ctx, w: w, job: &job, scope: scope, selected: choice, columns: columns(),
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

// accountSelector returns what says whether an account is exported.
func accountSelector(o Options) (func(account.Account) bool, error) {
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
	filter, bad := directory.ParseFilter(o.Filters)
	return filter.Matches, fault.InvalidFields(bad)
}

// exportSource walks the directory page by page.
type exportSource struct {
	ctx      context.Context //nolint:containedctx // the walk lives within one call of export
	w        *Worker
	job      *Job
	scope    access.Scope
	selected func(account.Account) bool
	columns  []column

	page      []account.Account
	resources map[string]resource.Resource // of the page, by folded code, with their managers
	after     string
	started   bool
	savedRows int
	err       error
	// descriptions and days are those that were looked up, as the same few stand in all rows.
	descriptions map[codeKey]string
	dateCells    map[string]sheet.Cell
}

type codeKey struct {
	kind catalogue.Kind
	code string
}

// hasNext reports whether an account is left, reading the next page if need be.
func (a *exportSource) hasNext() bool {
	for len(a.page) == 0 && a.err == nil && (!a.started || a.after != "") {
		a.started = true
		if a.err = a.saveProgress(); a.err != nil {
			break
		}
		a.page, a.after, a.err = a.w.Directory.Page(a.ctx, a.scope.Env, a.after, exportPageSize)
		a.page = slices.DeleteFunc(a.page, func(one account.Account) bool { return !a.selected(one) })
		if a.err == nil {
			a.err = a.loadResources()
		}
	}
	return len(a.page) > 0 || a.err != nil
}

// saveProgress notes how far the export is, and stops one that a person cancelled.
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

// cancelRequested reports whether a person asked to cancel. A failure to tell does not stop an export: cancelling is a
// favour.
func (a *exportSource) cancelRequested() bool {
	asked, err := a.w.Jobs.CancelRequested(a.ctx, a.job.Env, a.job.ID)
	return err == nil && asked
}

// loadResources reads the resources of a page's accounts, and then those that are their managers.
func (a *exportSource) loadResources() error {
	a.resources = map[string]resource.Resource{}
	var codes []string
	for i := range a.page {
		if code := a.page[i].Resource; code != "" {
			codes = append(codes, catalogue.Fold(code))
		}
	}
	for range 2 {
		if len(codes) == 0 {
			return nil
		}
		found, err := a.w.Resources.ResourcesByCode(a.ctx, a.scope.Env, 0, codes)
		if err != nil {
			return err
		}
		codes = codes[:0]
		for code, one := range found {
			if one.Exists {
				a.resources[code] = one.Resource
			}
		}
		for _, one := range found {
			if manager := catalogue.Fold(one.Resource.Manager); manager != "" && a.resources[manager].Code == "" &&
				!slices.Contains(codes, manager) {
				codes = append(codes, manager)
			}
		}
	}
	return nil
}

// rows yields up to most rows and counts them.
func (a *exportSource) rows(most int) iter.Seq2[[]sheet.Cell, error] {
	return func(yield func([]sheet.Cell, error) bool) {
		row := make([]sheet.Cell, len(a.columns))
		fields, staffFields := make([]func(*account.Account) any, len(a.columns)),
			make([]func(*resource.Resource) any, len(a.columns))
		for i, c := range a.columns { // found once for all rows
			if c.accountField != "" {
				fields[i] = account.Fields().Find(c.accountField).At
			}
			if c.resourceField != "" {
				staffFields[i] = resource.Fields().Find(c.resourceField).At
			}
		}
		for n := 0; n < most && a.hasNext(); n++ {
			if a.err != nil {
				yield(nil, a.err)
				return
			}
			one := &a.page[0]
			staff, has := a.resources[catalogue.Fold(one.Resource)]
			for i, c := range a.columns {
				row[i] = sheet.Cell{}
				switch {
				case c.accountField != "":
					row[i] = a.exportCell(c, fields[i](one))
				case one.Resource == "" || !has:
				case c.resourceField != "":
					row[i] = a.exportCell(c, staffFields[i](&staff))
				default:
					row[i] = sheet.TextCell(a.resourceText(c.heading, staff))
				}
				if c.heading == "User license description" {
					row[i] = sheet.TextCell(a.description(catalogue.Licence, one.UserType))
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
	said, known := a.descriptions[codeKey{kind, code}]
	if !known {
		entry, _ := a.scope.Catalogue.Find(kind, code)
		said = entry.Description
		a.descriptions[codeKey{kind, code}] = said
	}
	return said
}

// resourceText returns what the columns for reference say of a resource.
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
		return a.resources[catalogue.Fold(r.Manager)].Description
	}
	return ""
}

// exportCell returns the cell of what a pointer to a field points to.
func (a *exportSource) exportCell(c column, at any) sheet.Cell {
	switch at := at.(type) {
	case *bool:
		return sheet.BoolCell(*at)
	case *[]string:
		if len(*at) > 0 {
			return sheet.TextCell(sheet.JoinCodes(*at))
		}
	case *field.Date:
		return a.dateCell(string(*at))
	case *string:
		switch {
		case *at == "":
		case c.kind == sheet.Date:
			return a.dateCell(*at)
		default:
			return sheet.TextCell(escapeClear(*at))
		}
	}
	return sheet.Cell{}
}

func (a *exportSource) dateCell(text string) sheet.Cell {
	cell, known := a.dateCells[text]
	if !known {
		if day, err := time.Parse(time.DateOnly, text); err == nil {
			cell = sheet.DateCell(day)
		}
		a.dateCells[text] = cell
	}
	return cell
}

// codeKinds are the kinds of reference data that columns hold a code of.
var codeKinds = map[string]catalogue.Kind{
	"User licenses": catalogue.Licence, groupHeading: catalogue.ResourceGroup, "Department": catalogue.Department,
	"Cost centre": catalogue.CostCentre, "Payment method": catalogue.PaymentMethod,
	"Payment terms": catalogue.PaymentTerms,
	"DAC groups":    catalogue.DACGroup, rolesHeading: catalogue.Role, "User groups": catalogue.Group,
}

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
		case c.heading == managerHeading: // there can be thousands
			out[i].Hint = "Code of a resource that is there, or that another row of the file makes; not the resource itself."
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
			out[i].Hint = "Codes, parted by semicolons: " + strings.Join(codes, "; ")
		} else {
			out[i].Choices = codes
		}
	}
	return out
}
