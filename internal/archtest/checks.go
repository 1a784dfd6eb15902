package archtest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Check is a row of internal/docs/security-checks.md, which is where the security checks are stated.
type Check struct {
	ID string
	// ToCome is set while no test proves the check. Differs says what of it does not apply to this product, and why.
	ToCome  bool
	Differs string
}

// checkRow is a row of the tables: id, what must hold, source, state.
var checkRow = regexp.MustCompile(`(?m)^\| ([CV])(\d{2,3}) \| ([^|]+) \| ([^|]+) \| ([^|]*)\|$`)

// anyCheckRow is whatever begins like a row of the tables.
var anyCheckRow = regexp.MustCompile(`(?m)^\|\s*[CV]\d+`)

// checkIDs matches C07, V33, V101 and C12-C14.
var checkIDs = regexp.MustCompile(`\b([CV])(\d{2,3})(?:-([CV])(\d{2,3}))?\b`)

// idsIn returns the ids of checks that a text names, those between two included.
func idsIn(text string) []string {
	var ids []string
	for _, m := range checkIDs.FindAllStringSubmatch(text, -1) {
		first, _ := strconv.Atoi(m[2]) // digits, says the expression
		last := first
		if m[3] == m[1] {
			last, _ = strconv.Atoi(m[4])
		}
		for n := first; n <= last; n++ {
			ids = append(ids, fmt.Sprintf("%s%02d", m[1], n))
		}
	}
	return ids
}

// ReadChecks takes the checks from the text of the page, in order. Ids have no gaps, so that none is lost or reused.
func ReadChecks(page string) ([]Check, error) {
	var checks []Check
	next := map[string]int{"C": 1, "V": 1}
	rows := checkRow.FindAllStringSubmatch(page, -1)
	if all := anyCheckRow.FindAllString(page, -1); len(all) != len(rows) {
		return nil, fmt.Errorf("%d rows begin with an id, %d of them have the four columns of a check", len(all), len(rows))
	}
	for _, m := range rows {
		id, state := m[1]+m[2], strings.TrimSpace(m[5])
		if n, _ := strconv.Atoi(m[2]); n != next[m[1]] { // digits, says the expression
			return nil, fmt.Errorf("%s where %s%02d is next", id, m[1], next[m[1]])
		}
		next[m[1]]++
		c := Check{ID: id, ToCome: state == "To come"}
		if differs, ok := strings.CutPrefix(state, "Differs: "); ok {
			c.Differs = differs
		} else if state != "" && !c.ToCome {
			return nil, fmt.Errorf(`%s: the state is %q, not empty, "To come" or "Differs: ..."`, id, state)
		}
		if !strings.HasSuffix(strings.TrimSpace(m[3]), ".") {
			return nil, fmt.Errorf("%s: what must hold is not a sentence", id)
		}
		checks = append(checks, c)
	}
	return checks, nil
}
