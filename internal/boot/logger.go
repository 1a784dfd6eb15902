package boot

import (
	"io"
	"log/slog"
	"os"
)

// Logger returns the logger of a service: JSON on standard output, from LOG_LEVEL (debug, info, warn, error) upwards.
// Lambda adds no time or level on provided runtimes, so each line has its own.
func Logger(service string) *slog.Logger {
	return newLogger(os.Stdout, service, os.Getenv("LOG_LEVEL"))
}

func newLogger(out io.Writer, service, level string) *slog.Logger {
	var minLevel slog.Level
	if level == "" || minLevel.UnmarshalText([]byte(level)) != nil {
		minLevel = slog.LevelInfo
	}
	return slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: minLevel, ReplaceAttr: utc})).With("service",
		service)
}

// utc writes every time in UTC, whatever the machine's time zone is.
func utc(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindTime {
		a.Value = slog.TimeValue(a.Value.Time().UTC())
	}
	return a
}
