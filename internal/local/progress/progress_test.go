package progress_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"useraccounts/internal/local/progress"
)

func TestStepsSayWhatTheyDidAndHowLongItTook(t *testing.T) {
	t.Parallel()
	var lines []string
	say := progress.Printer(func(line string) { lines = append(lines, line) })
	if err := say.Step("building a thing (once)", func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	failure := errors.New("no compiler")
	if err := say.Step("building another", func() error { return failure }); !errors.Is(err, failure) {
		t.Errorf("%v", err)
	}
	want := "building a thing (once)|building a thing: done after 0 s|building another"
	if got := strings.Join(lines, "|"); got != want {
		t.Errorf("%s", got)
	}
}

func TestTheFirstFailureEndsTheOtherSteps(t *testing.T) {
	t.Parallel()
	failure := errors.New("broken")
	err := progress.Concurrently(t.Context(),
		func(context.Context) error { return failure },
		func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		})
	if !errors.Is(err, failure) || errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
