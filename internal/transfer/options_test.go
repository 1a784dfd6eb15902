package transfer_test

import (
	"testing"

	"useraccounts/internal/fault"
	"useraccounts/internal/sheet"
	"useraccounts/internal/transfer"
)

// Options that name what is not there are refused before any file is uploaded.
func TestOptionsNameWhatIsThere(t *testing.T) {
	sc := caller("9")
	sc.Catalogue = referenceData()
	for _, c := range []struct {
		options transfer.Options
		field   string
	}{
		{transfer.Options{ResourceGroup: "crew", CopyRolesFrom: "DOEJ"}, ""},
		{transfer.Options{ResourceGroup: "NONE"}, "resourceGroup"},
		{transfer.Options{ResourceGroup: "LOCKED"}, "resourceGroup"},
		{transfer.Options{CopyRolesFrom: "nobody"}, "copyRolesFrom"},
		{transfer.Options{CopyRolesFrom: "a\u200bb"}, "copyRolesFrom"},
	} {
		c.options.DateFormat = sheet.ISO
		s := newFakeStore()
		job, _, err := s.service().BeginImport(t.Context(), sc, c.options)
		if c.field == "" {
			if err != nil || job.Options.ResourceGroup != "CREW" {
				t.Errorf("%+v: %v", job.Options, err)
			}
			continue
		}
		f := fault.As(err)
		if f == nil || f.Kind != fault.Invalid || len(f.Fields) != 1 || f.Fields[0].Field != c.field || len(s.jobs) > 0 {
			t.Errorf("%+v: %v", c.options, err)
		}
	}
}
