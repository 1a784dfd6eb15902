package samtemplate

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Parameter is what the template says of one of its parameters.
type Parameter struct {
	Name        string
	Description string
	Number      bool
	// Default counts where nothing is given, if HasDefault.
	Default    string
	HasDefault bool

	pattern *regexp.Regexp
	allowed []string
	minimum *int
}

// Check says what is wrong with a value, as CloudFormation would say it with less words; nil where nothing is.
func (p Parameter) Check(value string) error {
	number, notNumber := strconv.Atoi(value)
	switch {
	case p.Number && notNumber != nil:
		return fmt.Errorf("%s=%s: want a whole number (%s)", p.Name, value, p.Description)
	case p.minimum != nil && number < *p.minimum:
		return fmt.Errorf("%s=%s: want %d or more (%s)", p.Name, value, *p.minimum, p.Description)
	case p.allowed != nil && !slices.Contains(p.allowed, value):
		return fmt.Errorf("%s=%s: want one of %s (%s)", p.Name, value, strings.Join(p.allowed, ", "), p.Description)
	case p.pattern != nil && !p.pattern.MatchString(value):
		return fmt.Errorf("%s=%s: want %s (%s)", p.Name, value, p.pattern, p.Description)
	}
	return nil
}

// declaredParameters reads what the template says of its parameters, in its order.
func declaredParameters(section node) ([]Parameter, error) {
	entries, names, err := section.entries()
	if err != nil {
		return nil, err
	}
	parameters := make([]Parameter, 0, len(entries))
	for i, entry := range entries {
		p := Parameter{Name: names[i], HasDefault: entry.child("Default").exists()}
		if err := p.read(entry); err != nil {
			return nil, err
		}
		parameters = append(parameters, p)
	}
	return parameters, nil
}

func (p *Parameter) read(entry node) error {
	err := entry.only("Type", "Default", "AllowedPattern", "AllowedValues", "MinValue", "Description",
		"ConstraintDescription", "NoEcho")
	if err != nil {
		return err
	}
	kind, err := entry.child("Type").required()
	if err != nil {
		return err
	}
	if kind != "String" && kind != "Number" {
		return entry.child("Type").errorf("%s is not supported", kind)
	}
	p.Number = kind == "Number"
	if p.Default, err = entry.child("Default").text(); err != nil {
		return err
	}
	if p.Description, err = entry.child("Description").text(); err != nil {
		return err
	}
	if entry.child("MinValue").exists() {
		minimum, err := entry.child("MinValue").number(0)
		if err != nil {
			return err
		}
		p.minimum = &minimum
	}
	values, err := entry.child("AllowedValues").items()
	if err != nil {
		return err
	}
	for _, value := range values {
		text, err := value.text()
		if err != nil {
			return err
		}
		p.allowed = append(p.allowed, text)
	}
	pattern, err := entry.child("AllowedPattern").text()
	if err != nil || pattern == "" {
		return err
	}
	if p.pattern, err = regexp.Compile("^(?:" + pattern + ")$"); err != nil {
		return entry.child("AllowedPattern").errorf("%v", err)
	}
	return nil
}
