package systemtest_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"useraccounts/internal/local"
	"useraccounts/internal/local/localtest"
)

// V73, V74: the worker's own binary, killed by SIGKILL with its process group while it writes, leaves what nobody sees;
// the queue delivers the message again, and the next process brings the import in whole, or the undo. KILL_ROUNDS says
// how often.
func TestKilledWorkersImportIsDeliveredAgain(t *testing.T) {
	t.Parallel()
	rounds := 3
	if n, err := strconv.Atoi(os.Getenv("KILL_ROUNDS")); err == nil {
		rounds = n
	}
	system, admin := start(t, func(o *local.Options) { o.Retry = 200 * time.Millisecond })
	const people = 300
	killed := 0
	for round := range rounds {
		rows := [][]any{sheetHead}
		for i := range people {
			name := fmt.Sprintf("kill%dx%03d", round, i)
			rows = append(rows, []any{name, "Killed " + name, "FULL", name + "@example.com"})
		}
		count := func() float64 {
			return admin.do(t, "GET", "/api/accounts/count?active=any", nil).expect(t, 200).members(t)["count"].(float64)
		}
		before := count()
		id := admin.uploadImport(t, workbook(t, rows...), nil)
		admin.do(t, "POST", "/api/imports/"+id+"/submit", nil).expect(t, 202)
		if admin.killWorkerWhileWriting(t, system, id) {
			killed++
		}
		if job := admin.do(t, "GET", "/api/jobs/"+id, nil).members(t); job["state"] != "done" && count() != before {
			t.Fatalf("round %d: %v is %v, and %v accounts are seen, %v before", round, id, job["state"], count(), before)
		}
		if job := admin.waitForJob(t, id); job["state"] != "done" ||
			job["counts"].(map[string]any)["created"] != float64(people) {
			t.Fatalf("round %d: %v", round, job)
		}
		if n := count(); n != before+people {
			t.Fatalf("round %d: %v accounts, %v before", round, n, before)
		}
		undo := admin.do(t, "POST", "/api/jobs/"+id+"/undo", nil).expect(t, 202).text(t, "id")
		if admin.killWorkerWhileWriting(t, system, undo) {
			killed++
		}
		if job := admin.waitForJob(t, undo); job["state"] != "done" ||
			job["counts"].(map[string]any)["undone"] != float64(people) {
			t.Fatalf("round %d: %v", round, job)
		}
		if n := count(); n != before {
			t.Fatalf("round %d: %v accounts after the undo, %v before", round, n, before)
		}
	}
	t.Logf("killed %d workers in %d rounds", killed, rounds)
	if killed == 0 {
		t.Error("no worker was killed while it wrote")
	}
}

// killWorkerWhileWriting kills the worker once it is seen writing, at any moment from there; false if the job ended
// before.
func (c *client) killWorkerWhileWriting(t *testing.T, system *localtest.RunningSystem, id string) bool {
	t.Helper()
	for {
		job := c.do(t, "GET", "/api/jobs/"+id, nil).expect(t, 200).members(t)
		switch state := job["state"].(string); {
		case slices.Contains([]string{"done", "refused", "cancelled", "failed"}, state):
			return false
		case state == "writing":
			time.Sleep(time.Duration(rand.Int64N(int64(150 * time.Millisecond))))
			system.Function("transferworker").Kill()
			return c.do(t, "GET", "/api/jobs/"+id, nil).expect(t, 200).members(t)["state"] != "done"
		}
		time.Sleep(2 * time.Millisecond)
	}
}
