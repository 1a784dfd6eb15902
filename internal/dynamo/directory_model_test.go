package dynamo_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"useraccounts/internal/account"
	"useraccounts/internal/directory"
	"useraccounts/internal/field"
)

// modelAccount is an account of the naive model: what a grid shows, by the names of the fields. Texts, days and
// instants are strings, codes lists of strings, ticks bools, numbers ints.
type modelAccount map[string]any

// plainFold is the folding of the model, made of the library's parts without ours.
func plainFold(text string) string {
	for range 3 {
		text = norm.NFKC.String(cases.Fold().String(norm.NFKC.String(text)))
	}
	return strings.TrimSpace(text)
}

// model judges filters and orders in the plainest way there is.
type model struct{ all []modelAccount }

func (m model) list(filters map[string]string, sort string) []string {
	var found []modelAccount
	for _, a := range m.all {
		if m.matches(a, filters) {
			found = append(found, a)
		}
	}
	name, descending := strings.CutPrefix(sort, "-")
	slices.SortStableFunc(found, func(a, b modelAccount) int {
		by := m.compare(a[name], b[name])
		if descending {
			by = -by
		}
		return cmp.Or(by, strings.Compare(plainFold(a["username"].(string)), plainFold(b["username"].(string))))
	})
	out := make([]string, len(found))
	for i, a := range found {
		out[i] = a["username"].(string)
	}
	return out
}

func (m model) compare(a, b any) int {
	switch a := a.(type) {
	case bool:
		return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) // false before true
	case int:
		return cmp.Compare(a, b.(int))
	case []string:
		return strings.Compare(plainFold(strings.Join(a, " ")), plainFold(strings.Join(b.([]string), " ")))
	}
	return strings.Compare(plainFold(a.(string)), plainFold(b.(string)))
}

func (m model) matches(a modelAccount, filters map[string]string) bool {
	if active := filters["active"]; active != "any" && a["active"].(bool) != (active != "false") {
		return false
	}
	for name, want := range filters {
		of, op, _ := strings.Cut(name, ".")
		switch {
		case name == "active":
		case name == "find":
			for _, word := range strings.Fields(plainFold(want)) {
				if !slices.ContainsFunc([]string{"username", "name", "email", "mobile", "mobileE164"}, func(in string) bool {
					text, _ := a[in].(string)
					return strings.Contains(plainFold(text), word)
				}) {
					return false
				}
			}
		case !m.fieldMatches(a[of], op, want):
			return false
		}
	}
	return true
}

func (m model) fieldMatches(have any, op, want string) bool {
	switch have := have.(type) {
	case bool:
		return fmt.Sprint(have) == want
	case int:
		var n int
		_, _ = fmt.Sscan(want, &n)
		return op == "from" && have >= n || op == "to" && have <= n
	case []string:
		if op == "empty" {
			return (len(have) == 0) == (want == "true")
		}
		return slices.ContainsFunc(have, func(code string) bool { return m.oneOf(code, want) })
	case string:
		switch op {
		case "empty":
			return (have == "") == (want == "true")
		case "contains":
			return strings.Contains(plainFold(have), plainFold(want))
		case "from": // days and instants compare as texts; a day is the beginning of its instants
			return have != "" && have >= want
		case "to":
			return have != "" && have <= want+"U" // behind every instant of the day, whose next letter is T
		}
		return m.oneOf(have, want)
	}
	return false
}

func (m model) oneOf(have, want string) bool {
	return slices.ContainsFunc(strings.Split(want, ";"),
		func(one string) bool { return plainFold(one) == plainFold(have) })
}

// words from which random texts are made: other cases, widths, scripts and forms of the same.
func sampleTexts() []string {
	return []string{"", "Ann", "ANN", "ann", "Ａnn", "Zoë", "Zoe\u0308", "ZOË", "straße", "STRASSE", "İx", "ﬁn", "FIN",
		"Σίσυφος", "ΣΊΣΥΦΟΣ", "李", "o'Hara", "x", "X y", "naïve", "é", "e\u0301", "~", "10", "9"}
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// randomAccount returns the i-th account of the model.
func randomAccount(r *rand.Rand, i int) modelAccount {
	text := func() string { return strings.TrimSpace(pick(r, sampleTexts()...) + " " + pick(r, sampleTexts()...)) }
	day := func() string { return pick(r, "", fmt.Sprintf("2026-%02d-%02d", 1+r.IntN(12), 1+r.IntN(28))) }
	instant := func() string {
		return pick(r, "", fmt.Sprintf("2026-0%d-0%dT%02d:00:00.%03dZ", 1+r.IntN(3), 1+r.IntN(3), r.IntN(24), r.IntN(2)*999))
	}
	codes := func() []string {
		out := []string{}
		for _, code := range []string{"ADMIN", "EDITOR", "VIEWER"} {
			if r.IntN(3) == 0 {
				out = append(out, code)
			}
		}
		return out
	}
	a := modelAccount{
		"username": strings.ReplaceAll(pick(r, sampleTexts()...), " ", "") + fmt.Sprintf("%03d", i), "name": text(),
		"email":  pick(r, "", fmt.Sprintf("%s%d@Example.com", pick(r, "A", "a", "b"), i)),
		"mobile": pick(r, "", "020 7946 0018", "+44 20 7946 0018", "1"), "mobileE164": pick(r, "", "+442079460018"),
		"userType": pick(r, "FULL", "TEAM", "API"),
		"dateFrom": fmt.Sprintf("2026-0%d-01", 1+r.IntN(9)), "dateTo": day(), "mfaRequired": r.IntN(2) == 0,
		"mfaEnabled": r.IntN(2) == 0, "active": r.IntN(5) > 0,
		"accessLocked": r.IntN(3) == 0, "lockedAt": "", "lockedReason": "", "lockedBy": "",
		"forcePasswordChange": r.IntN(2) == 0,
		"lastLogin":           instant(), "failedTries": r.IntN(7), "roles": codes(), "groups": codes(),
		"resource": pick(r, "", "JD", "jd2"), "createdAt": instant(), "blocked": "",
	}
	if a["accessLocked"].(bool) {
		a["lockedAt"], a["lockedReason"], a["lockedBy"] = "2026-02-01T10:00:00.000Z", text(), pick(r, "admin", "boss")
	} else if r.IntN(4) == 0 { // by tries: shown in the same fields
		a["blocked"] = "2026-02-02T10:00:00.000Z"
	}
	return a
}

// displayed is the account as a grid shows it.
func (a modelAccount) displayed() modelAccount {
	out := maps.Clone(a)
	if a["blocked"] != "" {
		out["accessLocked"], out["lockedAt"], out["lockedReason"], out["lockedBy"] = true, a["blocked"],
			"Too many failed tries", ""
	}
	return out
}

// writeTo writes the account into a row of the table and its image.
func (a modelAccount) writeTo(row, image map[string]types.AttributeValue) {
	clear(image)
	image["version"] = &types.AttributeValueMemberN{Value: "1"}
	for name, value := range a {
		switch value := value.(type) {
		case string:
			at, to := name, image
			if name == "lastLogin" || name == "blocked" {
				at, to = map[string]string{"lastLogin": "lastLogin", "blocked": "blockedAt"}[name], row
			}
			if delete(to, at); value != "" {
				to[at] = &types.AttributeValueMemberS{Value: value}
			}
		case bool:
			if value {
				image[name] = &types.AttributeValueMemberBOOL{Value: true}
			}
		case int:
			row["tries"] = &types.AttributeValueMemberN{Value: fmt.Sprint(value)}
		case []string:
			list := &types.AttributeValueMemberL{}
			for _, code := range value {
				list.Value = append(list.Value, &types.AttributeValueMemberS{Value: code})
			}
			if len(value) > 0 {
				image[name] = list
			}
		}
	}
}

// populate replaces the directory by count random accounts and returns their model.
func (f *fixture) populate(t *testing.T, r *rand.Rand, count int) model {
	t.Helper()
	f.create(t, "model", nil)
	all := make([]modelAccount, count)
	for i := range all {
		all[i] = randomAccount(r, i)
	}
	f.copyRows(t, "model", count, func(i int) string {
		key, ok := account.Normalise(all[i]["username"].(string))
		if !ok {
			t.Errorf("%q is no username", all[i]["username"])
		}
		return key
	}, func(i int, row, image map[string]types.AttributeValue) { all[i].writeTo(row, image) })
	for _, gone := range []string{"model", "admin"} {
		f.dropRow(t, gone)
	}
	var m model
	for _, a := range all {
		m.all = append(m.all, a.displayed())
	}
	return m
}

func (f *fixture) dropRow(t *testing.T, sk string) {
	t.Helper()
	_, err := f.table.Client.DeleteItem(t.Context(),
		&dynamodb.DeleteItemInput{TableName: &f.table.Name, Key: map[string]types.AttributeValue{
			"PK": &types.AttributeValueMemberS{Value: "D#" + env}, "SK": &types.AttributeValueMemberS{Value: sk},
		}})
	if err != nil {
		t.Fatal(err)
	}
}

// randomFilters returns filters of all kinds, few of which pass nobody.
func randomFilters(r *rand.Rand) map[string]string {
	out := map[string]string{}
	if r.IntN(3) > 0 {
		out["active"] = pick(r, "any", "true", "false", "any")
	}
	words := slices.DeleteFunc(sampleTexts(), func(s string) bool { return s == "" })
	for range r.IntN(3) {
		f := pick(r, directory.Filters()...)
		if _, ours := randomAccount(r, 0)[f.Field.Name]; !ours || f.Name == "active" {
			continue
		}
		switch {
		case f.Op == directory.FilterEmpty || f.Field.Kind == field.Bool:
			out[f.Name] = pick(r, "true", "false")
		case f.Field.Kind == field.Number:
			out[f.Name] = fmt.Sprint(r.IntN(7))
		case f.Field.Kind == field.Day || f.Field.Kind == field.Instant:
			out[f.Name] = fmt.Sprintf("2026-0%d-0%d", 1+r.IntN(4), 1+r.IntN(3))
		case f.Field.Kind == field.Code || f.Field.Kind == field.Codes:
			out[f.Name] = pick(r, "full", "TEAM;api", "jd", "JD2;x", "viewer", "ADMIN;Editor")
		default:
			out[f.Name] = pick(r, words...)
		}
	}
	if r.IntN(4) == 0 {
		out["find"] = pick(r, words...)
	}
	return out
}

// Whatever is filtered, found and sorted by, in either direction and in pages of any size, is what the plainest model
// makes of the same accounts: over the whole environment, each once, equals by username.
func TestSearchIsWhatAPlainModelFinds(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine: the race detector has nothing to see")
	}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 3))
	f := newFixture(t)
	m := f.populate(t, r, 700) // more than one read from each end
	check := func(filters map[string]string, sort string) {
		want, got := m.list(filters, sort), f.search(t, filters, sort, pick(r, 97, 400, 1000))
		if !slices.Equal(got, want) {
			for i := range max(len(got), len(want)) {
				if i >= len(got) || i >= len(want) || got[i] != want[i] {
					t.Fatalf("seed %d: %v by %s: %d found, want %d; they part at %d: %.60q, want %.60q", seed, filters, sort,
						len(got), len(want), i, got[i:min(len(got), i+4)], want[i:min(len(want), i+4)])
				}
			}
		}
	}
	for _, sort := range directory.Orders() {
		if _, ours := m.all[0][strings.TrimPrefix(sort, "-")]; ours {
			check(map[string]string{"active": pick(r, "any", "true")}, sort)
		}
	}
	for range 20 {
		sort := "username"
		for sort == "username" && r.IntN(4) > 0 {
			if sort = pick(r, directory.Orders()...); m.all[0][strings.TrimPrefix(sort, "-")] == nil {
				sort = "username"
			}
		}
		check(randomFilters(r), sort)
	}
}

// While a walk goes on, accounts come and go: those that stay are met once each, in order, those that were gone before
// the walk came to them not at all, and nobody twice.
func TestAWalkIsStableWhileAccountsComeAndGo(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 4))
	f := newFixture(t)
	m := f.populate(t, r, 300)
	stays, goes := map[string]bool{}, []string{}
	for i, a := range m.all {
		if name := a["username"].(string); i%4 == 0 {
			goes = append(goes, name)
		} else {
			stays[name] = true
		}
	}
	for round, sort := range []string{"username", "-name", "failedTries", "-username"} {
		order, _ := directory.ParseOrder(sort)
		filter, _ := directory.ParseFilter(map[string]string{"active": "any"})
		q := directory.Query{Filter: filter, Order: order, Limit: 17}
		sc := f.currentScope(t)
		met := map[string]int{}
		var inOrder []string
		for n := 0; ; n++ {
			page, next, err := f.lister().Search(t.Context(), sc, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range page {
				if met[a.Username]++; stays[a.Username] {
					inOrder = append(inOrder, a.Username)
				}
			}
			if next == nil {
				break
			}
			q.After = *next
			if len(goes) > 0 {
				gone, _ := account.Normalise(goes[0])
				f.dropRow(t, gone)
				if met[goes[0]] == 0 {
					met[goes[0]] = -1 // from here on nobody may meet it
				}
				goes = goes[1:]
			}
			f.create(t, fmt.Sprintf("new%d-%03d", round, r.IntN(1000)*100+n), nil)
		}
		for name, times := range met {
			if times > 1 || times == 0 && stays[name] {
				t.Errorf("seed %d: by %s %s was met %d times", seed, sort, name, times)
			}
		}
		want := slices.DeleteFunc(m.list(map[string]string{"active": "any"}, sort),
			func(name string) bool { return !stays[name] })
		if !slices.Equal(inOrder, want) {
			t.Errorf("seed %d: by %s %d of those who stay were met in order, want %d", seed, sort, len(inOrder), len(want))
		}
	}
}
