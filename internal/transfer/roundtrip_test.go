package transfer_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/environment"
	"useraccounts/internal/field"
	"useraccounts/internal/phone"
	"useraccounts/internal/resource"
	"useraccounts/internal/sheet"
	"useraccounts/internal/transfer"
)

// hostileFragments are the parts of hostile values.
var hostileFragments = []string{
	"=", "+", "-", "@", "\t", "\r", "\n", "'", `"`, ",", ";", "|", "<", ">", "&", "&amp;", "]]>", "_x0041_", "_x005F_",
	"_x", "_", "<clear>", "<<clear>>", "cmd|'/c calc'!A1",
	"SUM(A1)", "0", "007", "1e5", "TRUE", "#N/A", "31/12/2026", " ", "\u00a0", "\u200b", "\u202e", "\ufeff", "\x00",
	"\x01", "\x1f", "\x7f", "\ufffe", "é", "e\u0301", "日本", "😀", "👩‍👩‍👧", "مرحبا", "שלום", "abc",
}

func hostileText(r *rand.Rand, most int) string {
	var b strings.Builder
	for range 1 + r.IntN(6) {
		b.WriteString(hostileFragments[r.IntN(len(hostileFragments))])
	}
	if r.IntN(20) == 0 {
		b.WriteString(strings.Repeat("😀", most))
	}
	text := []rune(b.String())
	return string(text[:min(len(text), most)])
}

// stripInvisible takes out what no username may have, so that more of the generated ones are let in.
func stripInvisible(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r > 0x2000 && r < 0x2100 || r == 0xfeff || r == 0xfffe {
			return -1
		}
		return r
	}, s)
}

// hostileResource makes a resource for an account, of texts that are hostile where the rules let them in.
func hostileResource(t *testing.T, r *rand.Rand, scope access.Scope, a account.Account) (resource.Resource, bool) {
	t.Helper()
	p := field.Patch{"code": fmt.Sprintf("%sX%s", []string{"0", "=", "", "+"}[r.IntN(4)], a.ID[2:]),
		"resourceGroup": "CREW", "staff": r.IntN(2) == 0}
	for _, name := range []string{"firstName", "middleName", "lastName", "jobTitle", "company", "title", "suffix",
		"legacyRef"} {
		if r.IntN(2) == 0 {
			p[name] = hostileText(r, 50)
		}
	}
	if r.IntN(2) == 0 {
		p["country"], p["currency"], p["department"], p["paymentTerms"] = "FR", "EUR", "WORKS", "030"
	}
	none := func(context.Context, environment.Environment, string) (resource.Resource, bool, error) {
		return resource.Resource{}, false, nil
	}
	w, err := resource.Rules{Find: none}.Create(t.Context(), scope, p,
		resource.CreateOptions{AccountID: a.ID, Description: a.Name, Now: now})
	return w.After, err == nil
}

// V78, C49: whatever accounts the rules let in, an export of them comes back unchanged, in every date format.
func TestExportsOfHostileDataComeBackUnchanged(t *testing.T) {
	const seed, want = 20260105, 400
	r := rand.New(rand.NewPCG(seed, 1))
	rules := account.Rules{E164: phone.E164}
	settings := environment.Defaults()
	settings.DACEnabled = true
	scope := access.Scope{Env: environment.Environment{ID: "test", Settings: settings}, Catalogue: referenceData(),
		Caller: access.Caller{
			AccountID: "9", Username: "boss", Permissions: access.Permissions(referenceData(), []string{"ADMIN"}, nil),
		}}
	var made []account.Account
	taken, hired := map[string]bool{}, map[string]resource.Resource{}
	odd := 0
	for tries := 0; len(made) < want && tries < 100*want; tries++ {
		p := field.Patch{
			"username": stripInvisible(hostileText(r, 20)) + fmt.Sprint(tries), "name": hostileText(r, 200), "userType": "FULL",
			"email":    fmt.Sprintf("=u%d@example.com", tries),
			"dateFrom": field.Date("2026-02-28"), "mfaRequired": r.IntN(2) == 0,
		}
		if r.IntN(3) == 0 {
			p["mobile"] = hostileText(r, 50)
		}
		if r.IntN(2) == 0 {
			p["dateTo"] = field.Date(fmt.Sprintf("%04d-12-%02d", 2026+r.IntN(7900), 1+r.IntN(31)))
		}
		if r.IntN(2) == 0 {
			p["dacGroups"] = [][]string{{"DAC1"}, {"DAC2", "DAC1"}}[r.IntN(2)]
		}
		w, err := rules.Create(scope, p, fmt.Sprint("id", tries), now)
		if err != nil {
			continue // not let in, so nothing to export
		}
		if key := w.After.DirectoryKey(); !taken[key] {
			taken[key] = true
			if staff, ok := hostileResource(t, r, scope, w.After); ok {
				w.After.Resource = staff.Code
				hired[staff.Key()] = staff
			}
			made = append(made, w.After)
			if strings.ContainsAny(w.After.Name, "=+-@<_\t") {
				odd++
			}
		}
	}
	if len(made) < want || odd < want/4 {
		t.Fatalf("only %d accounts, %d of them odd: the generator makes nothing that the rules let in", len(made), odd)
	}
	if len(hired) < want/10 {
		t.Fatalf("only %d resources", len(hired))
	}
	for _, format := range sheet.DateFormats() {
		b := newFakeBackend(made...)
		maps.Copy(b.resources, hired)
		b.submitExport(format)
		b.runTo(t, transfer.Done)
		b.submit(transfer.Options{DateFormat: format}, b.files[b.job.ExportKey(1)])
		b.calls = nil
		if err := b.run(); err != nil || b.job.State != transfer.Done ||
			b.job.Counts != (transfer.Counts{Rows: len(made), Unchanged: len(made)}) || b.count("stage") > 0 {
			t.Errorf("%s: %s %v %+v %+v", format, b.job.State, err, b.job.Counts, b.job.Problem)
			for i, row := range b.outcomes(t) {
				if row != "unchanged" {
					t.Errorf("%s: %+v", row, made[i])
					break
				}
			}
		}
	}
}
