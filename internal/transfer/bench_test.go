package transfer_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/environment"
	"useraccounts/internal/resource"
	"useraccounts/internal/sheet"
	"useraccounts/internal/transfer"
)

// BenchmarkExport5000 compares the worker's export of 5,000 accounts, every second one with a resource, with writing
// the same cells alone. The accounts are read from memory in both.
func BenchmarkExport5000(b *testing.B) {
	var all []account.Account
	for i := range transfer.MaxRows {
		a := existingAccount(fmt.Sprintf("user%04d", i))
		a.Name, a.DateTo, a.DACGroups = fmt.Sprintf("Person %d of the directory", i), "2030-12-31", []string{"DAC1", "DAC2"}
		all = append(all, a)
	}
	backend := newFakeBackend(all...)
	for i := range all {
		if i%2 == 0 {
			all[i].Resource = fmt.Sprintf("E%d", i)
			backend.addResource(all[i].Username, all[i].Resource,
				func(r *resource.Resource) { r.JobTitle, r.FirstName = "Engineer", "Pat" })
		}
	}
	worker := backend.worker()
	worker.Directory = orderedBackend{backend, all}
	export := func() {
		backend.submitExport(sheet.British)
		if err := worker.Run(b.Context(), "test", "job"); err != nil || backend.job.State != transfer.Done {
			b.Fatal(err, backend.job.State)
		}
	}
	export()
	_, read := backend.readExport(b, 1)
	columns := transfer.ExportColumns(referenceData())
	rows := make([][]sheet.Cell, len(read))
	for i, row := range read {
		rows[i] = make([]sheet.Cell, len(columns))
		for _, c := range row.Cells {
			rows[i][c.Column-1] = sheet.Cell{Kind: c.Kind, Text: c.Text, Date: c.Date, True: c.True}
		}
	}
	var ours, floor []time.Duration
	for b.Loop() {
		start := time.Now()
		export()
		ours = append(ours, time.Since(start))
		start = time.Now()
		var file bytes.Buffer
		err := sheet.Write(&file,
			sheet.Export{Sheet: transfer.SheetName, Format: sheet.British, Columns: columns,
				Rows: func(yield func([]sheet.Cell, error) bool) {
					for _, row := range rows {
						if !yield(row, nil) {
							return
						}
					}
				}})
		if err != nil || file.Len() != len(backend.files[backend.job.ExportKey(1)]) {
			b.Fatalf("%v, %d bytes, the export has %d", err, file.Len(), len(backend.files[backend.job.ExportKey(1)]))
		}
		floor = append(floor, time.Since(start))
	}
	slices.Sort(ours)
	slices.Sort(floor)
	export5000, bare := ours[len(ours)/2], floor[len(floor)/2]
	b.ReportMetric(float64(export5000.Microseconds())/1000, "ms/export")
	b.ReportMetric(float64(bare.Microseconds())/1000, "ms/bare")
	b.ReportMetric(float64(export5000)/float64(bare), "ratio")
}

// orderedBackend is a backend whose accounts are sorted, as in the table.
type orderedBackend struct {
	*fakeBackend
	all []account.Account
}

func (l orderedBackend) Page(_ context.Context, _ environment.Environment, after string, limit int) ([]account.Account,
	string, error) {
	from := 0
	if after != "" {
		from = 1 + slices.IndexFunc(l.all, func(a account.Account) bool { return a.Username == after })
	}
	page := slices.Clone(l.all[from:min(from+limit, len(l.all))])
	if from+limit >= len(l.all) {
		return page, "", nil
	}
	return page, page[len(page)-1].Username, nil
}
