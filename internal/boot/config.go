// Package boot starts a function: its configuration from the environment, its logger, its AWS clients.
//
// It is the only package that reads environment variables. Clients are configured by hand: the SDK's LoadDefaultConfig
// looks for files, profiles and metadata services that a Lambda function does not have, and costs 2 MB and half the
// start-up time.
package boot

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"

	"useraccounts/internal/environment"
)

// Load fills the struct that cfg points to. If anything is missing or wrong, it says so in one line and ends the
// process. See LoadFrom.
func Load(cfg any) { load(cfg, os.LookupEnv, os.Stderr, os.Exit) }

func load(cfg any, lookup Lookup, out io.Writer, exit func(int)) {
	if err := LoadFrom(cfg, lookup); err != nil {
		_, _ = fmt.Fprintln(out, err) // there is nowhere else to report to
		exit(1)
	}
}

// Lookup finds an environment variable, as os.LookupEnv does.
type Lookup func(name string) (string, bool)

// LoadFrom fills the struct that cfg points to from variables named by its tags:
//
//	Table string        `env:"TABLE_NAME"`
//	Level string        `env:"LOG_LEVEL,optional" default:"info"`
//	Key   boot.Secret   `env:"SIGNING_KEY"`
//
// A variable is required unless it is optional or has a default; an empty one counts as missing. Fields are string,
// int, bool, time.Duration or Secret, or a struct of these. A Secret must not be a placeholder or guessable (V88); the
// option "platform" exempts one that AWS issues. ENVIRONMENT_ID is in every function held to environment.CheckID.
func LoadFrom(cfg any, lookup Lookup) error {
	var l loader
	l.lookup = lookup
	l.fill(reflect.ValueOf(cfg).Elem())
	var parts []string
	if len(l.missing) > 0 {
		parts = append(parts, "missing environment variables: "+strings.Join(l.missing, ", "))
	}
	parts = append(parts, l.invalid...)
	if len(parts) > 0 {
		return errors.New("configuration: " + strings.Join(parts, "; "))
	}
	return nil
}

type loader struct {
	lookup           Lookup
	missing, invalid []string
}

func (l *loader) fill(v reflect.Value) {
	for i := range v.NumField() {
		f, at := v.Type().Field(i), v.Field(i)
		tag, tagged := f.Tag.Lookup("env")
		if !tagged {
			if f.Type.Kind() == reflect.Struct {
				l.fill(at)
			}
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		text, _ := l.lookup(name)
		if text == "" {
			text = f.Tag.Get("default")
		}
		switch {
		case name == "ENVIRONMENT_ID" && text != "" && environment.CheckID(text) != nil:
			l.invalid = append(l.invalid, name+": "+environment.CheckID(text).Error())
		case text != "":
			if complaint := set(at, text, strings.Contains(options, "platform")); complaint != "" {
				l.invalid = append(l.invalid, name+" "+complaint)
			}
		case !strings.Contains(options, "optional"):
			l.missing = append(l.missing, name)
		}
	}
}

// set parses text into at, or returns what is wrong with it, without repeating it.
func set(at reflect.Value, text string, platform bool) (complaint string) {
	switch into := at.Addr().Interface().(type) {
	case *string:
		*into = text
	case *Secret:
		*into = Secret{text: text}
		if !platform {
			return into.rejectReason()
		}
	case *int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return "is not a whole number"
		}
		*into = n
	case *bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return "is neither true nor false"
		}
		*into = b
	case *time.Duration:
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 {
			return "is not a duration such as 30s or 15m"
		}
		*into = d
	default:
		return "has a field of an unsupported type: " + at.Type().String()
	}
	return ""
}
