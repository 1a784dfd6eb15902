package samtemplate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// StreamTrigger feeds a function from the stream of a table.
type StreamTrigger struct {
	LogicalID              string
	Table                  string // logical id
	BatchSize              int
	Bisects                bool
	Retries                int
	ReportsPartialFailures bool
	DeadLetterQueue        string // logical id, empty for none
}

// Schedule has a function run again and again.
type Schedule struct {
	LogicalID string
	Every     time.Duration
}

func readStream(id string, p node) (StreamTrigger, error) {
	t := StreamTrigger{LogicalID: id}
	// FilterCriteria save invocations; what they leave out the function leaves out too, so they are skipped here.
	if err := p.only("Stream", "StartingPosition", "BatchSize", "MaximumBatchingWindowInSeconds",
		"BisectBatchOnFunctionError", "MaximumRetryAttempts",
		"FunctionResponseTypes", "DestinationConfig", "FilterCriteria"); err != nil {
		return t, err
	}
	stream, err := p.child("Stream").value()
	if err != nil {
		return t, err
	}
	var ok bool
	if t.Table, ok = stream.RefersTo(); !ok || stream.parts[0].attribute != "StreamArn" {
		return t, p.child("Stream").errorf("want !GetAtt StreamArn of a table of this template")
	}
	// From any other position a stack that is changed while mails are written would leave some out.
	if start, err := p.child("StartingPosition").required(); err != nil || start != "TRIM_HORIZON" {
		return t, p.child("StartingPosition").errorf("want TRIM_HORIZON")
	}
	if t.BatchSize, err = p.child("BatchSize").number(100); err != nil {
		return t, err
	}
	if t.Bisects, err = p.child("BisectBatchOnFunctionError").flag(); err != nil {
		return t, err
	}
	if t.Retries, err = p.child("MaximumRetryAttempts").number(-1); err != nil {
		return t, err
	}
	if t.BatchSize < 1 || t.BatchSize > 1000 || t.Retries < 0 || t.Retries > 100 {
		return t, p.errorf("want a BatchSize of 1 to 1000 and MaximumRetryAttempts of 0 to 100")
	}
	if t.ReportsPartialFailures, err = reportsPartialFailures(p); err != nil {
		return t, err
	}
	failed := p.child("DestinationConfig").child("OnFailure").child("Destination")
	if !failed.exists() {
		return t, nil
	}
	queue, err := failed.value()
	if err != nil {
		return t, err
	}
	if t.DeadLetterQueue, ok = queue.RefersTo(); !ok {
		return t, failed.errorf("want !GetAtt Arn of a queue of this template")
	}
	return t, nil
}

func reportsPartialFailures(p node) (bool, error) {
	types, err := p.child("FunctionResponseTypes").items()
	if err != nil {
		return false, err
	}
	for _, item := range types {
		if text, err := item.text(); err != nil || text != "ReportBatchItemFailures" {
			return false, item.errorf("want ReportBatchItemFailures")
		}
	}
	return len(types) > 0, nil
}

func readSchedule(id string, p node) (Schedule, error) {
	s := Schedule{LogicalID: id}
	if err := p.only("Schedule", "Description", "Enabled"); err != nil {
		return s, err
	}
	text, err := p.child("Schedule").required()
	if err != nil {
		return s, err
	}
	count, unit, ok := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(text, "rate("), ")"), " ")
	n, err := strconv.Atoi(count)
	units := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}
	every := units[strings.TrimSuffix(unit, "s")]
	if err != nil || !ok || n < 1 || every == 0 || !strings.HasPrefix(text, "rate(") {
		return s, p.child("Schedule").errorf("want rate(n minutes), hours or days, have %s", text)
	}
	s.Every = time.Duration(n) * every
	return s, nil
}

// checkEventSources finds streams of tables that are not there, and marks those tables whose stream somebody reads.
func (t *Template) checkEventSources() error {
	for _, f := range t.Functions {
		for _, s := range f.Streams {
			at := fmt.Sprintf("Resources.%s.Properties.Events.%s.Properties", f.LogicalID, s.LogicalID)
			i := slices.IndexFunc(t.Tables, func(table Table) bool { return table.LogicalID == s.Table })
			if i < 0 {
				return fmt.Errorf("%s.Stream: no table %s", at, s.Table)
			}
			// The local runner hands on keys and nothing else; a function that counted on more would fail there.
			if t.Tables[i].StreamView != "KEYS_ONLY" {
				return fmt.Errorf("%s.Stream: the stream of %s has to be KEYS_ONLY", at, s.Table)
			}
			t.Tables[i].StreamConsumed = true
			if _, known := t.Queue(s.DeadLetterQueue); s.DeadLetterQueue != "" && !known {
				return fmt.Errorf("%s.DestinationConfig: no queue %s", at, s.DeadLetterQueue)
			}
		}
	}
	return nil
}

// Table finds a table by its logical id.
func (t *Template) Table(logicalID string) (Table, bool) {
	i := slices.IndexFunc(t.Tables, func(table Table) bool { return table.LogicalID == logicalID })
	if i < 0 {
		return Table{}, false
	}
	return t.Tables[i], true
}
