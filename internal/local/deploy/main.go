// Command deploy has the SAM CLI deploy what is built, with the settings of one environment of samconfig.toml. The
// variables ENV and PARAMETERS say which environment and which parameters; its arguments are passed on to sam deploy.
//
// It exists for three things that sam deploy does not do: parameters given beside those of samconfig.toml are added to
// them and not put in their place; a value that the template refuses is refused before anything is created; and a first
// deployment, whose address is known only afterwards, ends with that address set.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"useraccounts/internal/local/services"
	"useraccounts/internal/samtemplate"
)

// notSet is the default of the parameter PublicUrl: an address that leads nowhere (RFC 2606).
const notSet = "https://not-set.invalid"

func main() {
	root, err := services.Root()
	if err == nil {
		d := deployment{root: root, sam: filepath.Join(root, ".venv", "bin", "sam"), out: os.Stdout}
		err = d.run(os.Getenv("ENV"), os.Getenv("PARAMETERS"), os.Args[1:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "deploy:", err)
		os.Exit(1)
	}
}

type deployment struct {
	root, sam string
	out       io.Writer
}

// settings are what samconfig.toml says of one environment.
type settings struct {
	Global struct {
		Parameters struct {
			StackName string `toml:"stack_name"`
			Region    string `toml:"region"`
		} `toml:"parameters"`
	} `toml:"global"`
	Deploy struct {
		Parameters struct {
			Overrides []string `toml:"parameter_overrides"`
		} `toml:"parameters"`
	} `toml:"deploy"`
}

func (d deployment) run(environment, given string, arguments []string) error {
	of, err := d.settings(environment)
	if err != nil {
		return err
	}
	template, err := samtemplate.Load(filepath.Join(d.root, "template.yaml"))
	if err != nil {
		return err
	}
	overrides, err := parameters(template.Declared, of.Deploy.Parameters.Overrides, strings.Fields(given))
	if err != nil {
		return err
	}
	if err := d.deploy(environment, overrides, arguments...); err != nil {
		return err
	}
	if slices.Contains(arguments, "--no-execute-changeset") {
		return nil // there may be no stack yet
	}
	outputs, err := d.outputs(of)
	if err != nil {
		return err
	}
	if outputs["PublicUrl"] == notSet {
		d.say("\nThe stack has an address now: %s. Deploying once more, to tell the functions.\n", outputs["ApiUrl"])
		overrides["PublicUrl"] = outputs["ApiUrl"]
		if err := d.deploy(environment, overrides, append(arguments, "--no-confirm-changeset")...); err != nil {
			return err
		}
		outputs["PublicUrl"] = outputs["ApiUrl"]
	}
	d.say("\nPeople sign in at %s. Passkeys belong to that address, so change it before anybody makes one.\n"+
		"A new stack has nobody in it yet; this makes its first administrator and asks for a password:\n\n"+
		"  AWS_REGION=%s make seed TABLE_NAME=%s ENVIRONMENT_ID=%s ADMIN_USERNAME=... ADMIN_EMAIL=...\n",
		outputs["PublicUrl"], of.Global.Parameters.Region, outputs["TableName"], overrides["EnvironmentId"])
	return nil
}

func (d deployment) say(format string, values ...any) { _, _ = fmt.Fprintf(d.out, format, values...) }

func (d deployment) settings(environment string) (settings, error) {
	source, err := os.ReadFile(filepath.Join(d.root, "samconfig.toml"))
	if err != nil {
		return settings{}, err
	}
	var file map[string]any
	environments := map[string]settings{}
	if err := toml.Unmarshal(source, &file); err != nil {
		return settings{}, fmt.Errorf("samconfig.toml: %w", err)
	}
	delete(file, "version")
	delete(file, "default") // of sam local and sam deploy --guided
	for name, section := range file {
		raw, err := toml.Marshal(section)
		if err != nil {
			return settings{}, err
		}
		var of settings
		if err := toml.Unmarshal(raw, &of); err != nil {
			return settings{}, fmt.Errorf("samconfig.toml, [%s]: %w", name, err)
		}
		environments[name] = of
	}
	of, ok := environments[environment]
	if !ok {
		return settings{}, fmt.Errorf("ENV=%s: samconfig.toml has the environments %s; make deploy ENV=%s",
			environment, strings.Join(slices.Sorted(maps.Keys(environments)), ", "),
			slices.Sorted(maps.Keys(environments))[0])
	}
	return of, nil
}

// parameters lays what is given over what samconfig.toml has, and refuses what the template would.
func parameters(declared []samtemplate.Parameter, configured, given []string) (map[string]string, error) {
	values, wrong := map[string]string{}, []error(nil)
	for _, assignment := range slices.Concat(configured, given) {
		name, value, ok := strings.Cut(assignment, "=")
		if !ok || !slices.ContainsFunc(declared, func(p samtemplate.Parameter) bool { return p.Name == name }) {
			wrong = append(wrong, fmt.Errorf("%s: want Name=value with a parameter of template.yaml", assignment))
			continue
		}
		values[name] = value
	}
	for _, p := range declared {
		value, ok := values[p.Name]
		switch {
		case ok:
			if err := p.Check(value); err != nil {
				wrong = append(wrong, err)
			}
		case !p.HasDefault:
			wrong = append(wrong, fmt.Errorf(`%s is missing: make deploy PARAMETERS="%s=...", or add it to the `+
				`parameter_overrides of samconfig.toml (%s)`, p.Name, p.Name, p.Description))
		}
	}
	return values, errors.Join(wrong...)
}

func (d deployment) deploy(environment string, overrides map[string]string, arguments ...string) error {
	command := []string{"deploy", "--config-env", environment, "--parameter-overrides"}
	for _, name := range slices.Sorted(maps.Keys(overrides)) {
		command = append(command, name+"="+overrides[name])
	}
	sam := exec.Command(d.sam, append(command, arguments...)...) //nolint:noctx // the developer's Ctrl-C reaches it
	sam.Dir, sam.Stdin, sam.Stdout, sam.Stderr = d.root, os.Stdin, d.out, os.Stderr
	return sam.Run()
}

// outputs asks the stack for its outputs.
func (d deployment) outputs(of settings) (map[string]string, error) {
	//nolint:noctx // the developer's Ctrl-C reaches it
	sam := exec.Command(d.sam, "list", "stack-outputs", "--output", "json",
		"--stack-name", of.Global.Parameters.StackName, "--region", of.Global.Parameters.Region)
	sam.Dir, sam.Stderr = d.root, os.Stderr
	raw, err := sam.Output()
	if err != nil {
		return nil, fmt.Errorf("asking for the outputs of the stack: %w", err)
	}
	var list []struct{ OutputKey, OutputValue string }
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("the outputs of the stack: %w", err)
	}
	outputs := map[string]string{}
	for _, one := range list {
		outputs[one.OutputKey] = one.OutputValue
	}
	return outputs, nil
}
