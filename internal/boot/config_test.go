package boot

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

const goodSecret = "3f9c1b7a5e2d4c8f9a0b6d1e7c3f5a2b"

func lookupIn(vars map[string]string) Lookup {
	return func(name string) (string, bool) { text, ok := vars[name]; return text, ok }
}

type sample struct {
	AWS
	Table  string        `env:"TABLE_NAME"`
	Key    Secret        `env:"SIGNING_KEY"`
	Wait   time.Duration `env:"WAIT" default:"30s"`
	Many   int           `env:"MANY,optional"`
	On     bool          `env:"ON,optional"`
	Queues struct {
		URL string `env:"QUEUE_URL"`
	}
	ignored string
}

func awsVars() map[string]string {
	return map[string]string{"AWS_REGION": "eu-west-2", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
}

func TestLoadFillsTheStruct(t *testing.T) {
	vars := awsVars()
	vars["TABLE_NAME"], vars["SIGNING_KEY"], vars["QUEUE_URL"], vars["MANY"], vars["ON"] = "t", goodSecret, "q", "7",
		"true"
	var cfg sample
	if err := LoadFrom(&cfg, lookupIn(vars)); err != nil {
		t.Fatal(err)
	}
	if cfg.Table != "t" || cfg.Key.Reveal() != goodSecret || cfg.Wait != 30*time.Second || cfg.Many != 7 || !cfg.On ||
		cfg.Queues.URL != "q" || cfg.Region != "eu-west-2" || cfg.SecretAccessKey.Reveal() != "local" || cfg.ignored != "" {
		t.Errorf("filled %+v", cfg)
	}
}

func TestLoadNamesEverythingThatIsMissingInOneLine(t *testing.T) {
	vars := map[string]string{"TABLE_NAME": "", "MANY": "x", "WAIT": "-1s", "ON": "perhaps"}
	var out strings.Builder
	code := 0
	load(&sample{}, lookupIn(vars), &out, func(c int) { code = c })
	if code != 1 || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("exit %d, said %q", code, &out)
	}
	for _, want := range []string{
		"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "TABLE_NAME", "SIGNING_KEY", "QUEUE_URL",
		"MANY is not a whole number", "WAIT is not a duration", "ON is neither",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("does not say %q: %s", want, &out)
		}
	}
	if strings.Contains(out.String(), "AWS_SESSION_TOKEN") || strings.Contains(out.String(), "AWS_ENDPOINT_URL") {
		t.Errorf("asks for what is optional: %s", &out)
	}
}

// V88, C45: a placeholder or guessable secret ends the process.
func TestLoadRefusesSecretsThatAreNone(t *testing.T) {
	type config struct {
		Key Secret `env:"KEY"`
	}
	for _, text := range []string{
		"changeme", "change-me-change-me-change-me-change-me", "default-signing-key-0123456789abcdef",
		"<your secret here, 32 characters>",
		"my-SECRET-key-that-nobody-will-ever-see", strings.Repeat("a", 64), strings.Repeat("01", 32), goodSecret[:31],
		"your_key_0123456789abcdef01234567",
	} {
		err := LoadFrom(&config{}, lookupIn(map[string]string{"KEY": text}))
		if err == nil || !strings.Contains(err.Error(), "KEY") || strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := LoadFrom(&config{}, lookupIn(map[string]string{"KEY": goodSecret})); err != nil {
		t.Error(err)
	}
}

// V82: a configuration can be printed in any way without revealing a secret.
func TestSecretPrintsAsNothing(t *testing.T) {
	cfg := struct{ Key Secret }{Secret{goodSecret}}
	raw, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "cfg", cfg, "key", cfg.Key)
	for _, text := range []string{
		fmt.Sprint(cfg), fmt.Sprintf("%v %+v %s %q", cfg, cfg, cfg.Key, cfg.Key),
		fmt.Sprintf("%#v", cfg), string(raw), log.String(),
	} {
		if strings.Contains(text, goodSecret) || !strings.Contains(text, "[secret]") {
			t.Errorf("prints %s", text)
		}
	}
}

func TestFieldOfAnUnknownTypeIsAFault(t *testing.T) {
	var cfg struct {
		F float64 `env:"F"`
	}
	if err := LoadFrom(&cfg, lookupIn(map[string]string{"F": "1"})); err == nil {
		t.Error("LoadFrom took it")
	}
}

func TestLoggerWritesJSONFromItsLevelUp(t *testing.T) {
	for level, want := range map[string]int{"": 2, "debug": 3, "WARN": 1, "error": 0, "nonsense": 2} {
		var out strings.Builder
		log := newLogger(&out, "accounts", level)
		log.Debug("d")
		log.Info("i")
		log.Warn("w")
		if n := strings.Count(out.String(), "\n"); n != want {
			t.Errorf("%q: %d lines, want %d", level, n, want)
		}
		for line := range strings.Lines(out.String()) {
			var m map[string]any
			if err := json.Unmarshal([]byte(line), &m); err != nil || m["service"] != "accounts" {
				t.Errorf("%v: %s", err, line)
			}
			if stamp, _ := m["time"].(string); !strings.HasSuffix(stamp, "Z") {
				t.Errorf("time is %s", stamp)
			}
		}
	}
}

// Every function checks the id of its environment as the template and the seeder do.
func TestLoadRefusesAnEnvironmentsIDThatIsNone(t *testing.T) {
	var cfg struct {
		Environment string `env:"ENVIRONMENT_ID"`
	}
	for id, good := range map[string]bool{"main": true, "second#x": false, "Main": false} {
		err := LoadFrom(&cfg, lookupIn(map[string]string{"ENVIRONMENT_ID": id}))
		if (err == nil) != good || err != nil && !strings.Contains(err.Error(), "ENVIRONMENT_ID") {
			t.Errorf("%s: %v", id, err)
		}
	}
}
