package eventsource

import (
	"maps"
	"testing"
)

func TestPartialBatchResponse(t *testing.T) {
	batch := map[string]bool{"1": true, "2": true}
	for answer, want := range map[string]map[string]bool{
		``: nil, `null`: nil, `""`: nil, `{}`: nil, `{"batchItemFailures":null}`: nil, `{"batchItemFailures":[]}`: nil,
		`{"batchItemFailures":[{"itemIdentifier":"2"}]}`:                        {"2": true},
		`{"batchItemFailures":[{"itemIdentifier":"2"},{"itemIdentifier":"1"}]}`: batch,
	} {
		if got, err := parseBatchFailures([]byte(answer), batch); err != nil || !maps.Equal(got, want) {
			t.Errorf("%s: %v, %v", answer, got, err)
		}
	}
	for _, answer := range []string{
		`x`, `[]`, `"text"`, `7`, `{"batchItemFailures":{}}`, `{"batchItemFailures":[{}]}`,
		`{"batchItemFailures":[{"itemIdentifier":""}]}`,
		`{"batchItemFailures":[{"itemIdentifier":null}]}`, `{"batchItemFailures":[{"id":"1"}]}`,
		`{"batchItemFailures":[{"itemIdentifier":"3"}]}`,
	} {
		if got, err := parseBatchFailures([]byte(answer), batch); err == nil {
			t.Errorf("%s: %v, want an error", answer, got)
		}
	}
}
