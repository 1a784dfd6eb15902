package systemtest_test

import (
	"fmt"
	"strings"
	"testing"
)

// V98: pages of the widest rows answer 200 with a cursor and less than a megabyte, and all pages together hold every
// row once: accounts in both ways of reading them, and an account's log.
func TestPagesOfTheWidestRowsStayBelowAMegabyte(t *testing.T) {
	t.Parallel()
	_, admin := start(t)
	const groups, accounts, changes = 100, 72, 76 // a row has at most 100 DAC groups
	var codes []string
	for i := range groups {
		codes = append(codes, fmt.Sprintf("D%02d%s", i, strings.Repeat("界", 47)))
		admin.do(t, "POST", "/api/access/dac-groups", map[string]any{"code": codes[i], "description": "Wide"}).expect(t, 201)
	}
	path := ""
	for i := range accounts {
		path = "/api/accounts/" + admin.do(t, "POST", "/api/accounts", map[string]any{
			"username": fmt.Sprintf("wide%02d", i), "email": fmt.Sprintf("wide%02d@example.com", i),
			"userType": "FULL", "name": strings.Repeat("界", 200), "dacGroups": codes,
		}).expect(t, 201).text(t, "id")
	}
	is := admin.do(t, "GET", path, nil).expect(t, 200)
	for i := range changes {
		is = admin.do(t, "PATCH", path, map[string]any{"dacGroups": codes[:groups*(i%2)]}, ifMatch(is)).expect(t, 200)
	}
	for list, want := range map[string]int{
		"/api/accounts?limit=200&find=wide": accounts, "/api/accounts?limit=200&sort=-name&find=wide": accounts,
		"/api/accounts?limit=200&active=any": 0, path + "/log?limit=200&kind=changed": changes,
	} {
		pages, seen := 1, map[any]bool{}
		for cursor := ""; ; pages++ {
			got := admin.do(t, "GET", list+cursor, nil).expect(t, 200)
			if len(got.Body) > 1_000_000 {
				t.Errorf("%s: a page of %d bytes", list, len(got.Body))
			}
			for _, one := range items(t, got) {
				if seen[one["id"]] {
					t.Errorf("%s: %v is there twice", list, one["id"])
				}
				seen[one["id"]] = true
			}
			next := got.text(t, "next")
			if next == "" {
				break
			}
			cursor = "&cursor=" + next
		}
		if pages < 2 || want > 0 && len(seen) != want {
			t.Errorf("%s: %d rows on %d pages, want %d on more than one", list, len(seen), pages, want)
		}
	}
}
