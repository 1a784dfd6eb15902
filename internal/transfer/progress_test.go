package transfer_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"useraccounts/internal/field"
	"useraccounts/internal/sheet"
	"useraccounts/internal/transfer"
)

// A large import saves how many of its rows are checked, while it checks them and at the end. A later worker that
// resumes the writing does not count again.
func TestAnImportTellsHowFarItHasChecked(t *testing.T) {
	rows := make([][]any, 2500)
	for i := range rows {
		rows[i] = newRow(fmt.Sprintf("user%d", i))
	}
	b := newFakeBackend()
	b.submit(transfer.Options{DryRun: true}, book(t, baseHeader(), rows...))
	told := []int{0}
	b.onCall = func(string) error {
		if is := b.job.Checked; is != told[len(told)-1] {
			told = append(told, is)
		}
		return nil
	}
	b.runTo(t, transfer.Done)
	if told = append(told, b.job.Checked); !slices.Equal(told, []int{0, 1000, 2000, 2500}) {
		t.Errorf("%v", told)
	}
	b = newFakeBackend()
	b.submit(transfer.Options{}, book(t, baseHeader(), rows[:1500]...))
	b.onCall = func(call string) error {
		if call == "commit" {
			return errDown
		}
		return nil
	}
	if err := b.run(); !errors.Is(err, errDown) || b.job.Checked != 1500 {
		t.Fatalf("%v, %d checked", err, b.job.Checked)
	}
	b.onCall = func(string) error {
		if b.job.Checked != 1500 {
			t.Errorf("while it is written, %d are checked", b.job.Checked)
		}
		return nil
	}
	b.runTo(t, transfer.Done)
}

// If a submit stopped before its message was sent, reading the job or listing jobs sends it, once it counts as lost.
// The request does not fail by that.
func TestALookHelpsAJobOnWhoseMessageWasNotSent(t *testing.T) {
	old := transfer.Job{ID: "j", Env: "test", Kind: transfer.Import, State: transfer.Submitted, ByID: "9",
		Submitted: now.Add(-time.Hour)}
	looks := map[string]func(*transfer.Service) error{
		"get":  func(s *transfer.Service) error { _, err := s.Get(t.Context(), caller("9"), "j"); return err },
		"list": func(s *transfer.Service) error { _, _, err := s.List(t.Context(), caller("9"), "", 10); return err },
	}
	for name, look := range looks {
		for _, c := range []struct {
			what   string
			change func(*transfer.Job)
			sent   int
		}{
			{"not sent", func(*transfer.Job) {}, 1},
			{"submitted just now", func(j *transfer.Job) { j.Submitted = now.Add(-time.Second) }, 0},
			{"sent", func(j *transfer.Job) { j.MessageSent = true }, 0},
			{"taken up", func(j *transfer.Job) { j.State = transfer.Checking }, 0},
			{"not submitted", func(j *transfer.Job) { j.State = transfer.Created }, 0},
		} {
			j := old
			c.change(&j)
			s := newFakeStore(j)
			for range 2 {
				if err := look(s.service()); err != nil {
					t.Errorf("%s, %s: %v", name, c.what, err)
				}
			}
			if len(s.messages) != c.sent || s.jobs["j"].MessageSent != (c.sent > 0 || j.MessageSent) {
				t.Errorf("%s, %s: %d messages, queued %v", name, c.what, len(s.messages), s.jobs["j"].MessageSent)
			}
		}
		s := newFakeStore(old)
		s.errs["Send"] = errDown
		if err := look(s.service()); err != nil || s.jobs["j"].MessageSent {
			t.Errorf("%s, the queue is down: %v", name, err)
		}
		s.errs["Send"] = nil
		if err := look(s.service()); err != nil || !s.jobs["j"].MessageSent {
			t.Errorf("%s, the queue is up again: %v", name, err)
		}
	}
}

// The columns of an export offer what may stand in them: every country and every currency as a list, and for managers,
// of whom there can be thousands, a word on what they are.
func TestAnExportOffersCountriesCurrenciesAndManagers(t *testing.T) {
	b := newFakeBackend(existingAccount("doej"))
	b.submitExport(sheet.ISO)
	b.runTo(t, transfer.Done)
	back, err := excelize.OpenReader(bytes.NewReader(b.files[b.job.ExportKey(1)]))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := back.GetDataValidations(transfer.SheetName)
	if err != nil {
		t.Fatal(err)
	}
	names, _ := transfer.Headings()
	rule := func(heading string) *excelize.DataValidation {
		column, _ := excelize.ColumnNumberToName(slices.Index(names, heading) + 1)
		i := slices.IndexFunc(rules, func(r *excelize.DataValidation) bool {
			return len(r.Sqref) > len(column) && r.Sqref[:len(column)] == column && r.Sqref[len(column)] == '2'
		})
		if i < 0 {
			t.Fatalf("%s offers nothing", heading)
		}
		return rules[i]
	}
	for heading, want := range map[string][]string{"Country code": field.Countries(), "Currency": field.Currencies()} {
		if got := listValues(t, back, rule(heading)); !slices.Equal(got, want) ||
			!slices.Contains(got, map[string]string{"Country code": "GB", "Currency": "EUR"}[heading]) {
			t.Errorf("%s offers %d: %v", heading, len(got), got)
		}
	}
	if r := rule("Manager"); r.Type == "list" || r.Prompt == nil || *r.Prompt == "" {
		t.Errorf("%+v", r)
	}
}

// listValues returns the values of a list rule, which stand on a worksheet of their own.
func listValues(t *testing.T, back *excelize.File, rule *excelize.DataValidation) []string {
	t.Helper()
	for _, name := range back.GetDefinedName() {
		if name.Name != rule.Formula1 {
			continue
		}
		at, cells, _ := strings.Cut(name.RefersTo, "!")
		var column string
		var first, last int
		if _, err := fmt.Sscanf(strings.NewReplacer("$", " ", ":", " ").Replace(cells), "%s %d %s %d", &column, &first,
			&column, &last); err != nil {
			t.Fatalf("%s: %v", name.RefersTo, err)
		}
		var out []string
		for row := first; row <= last; row++ {
			is, err := back.GetCellValue(strings.Trim(at, "'"), fmt.Sprint(column, row))
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, is)
		}
		return out
	}
	t.Fatalf("no list %s", rule.Formula1)
	return nil
}
