package apidoc

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:embed openapi-3.1.json
var openAPISchema []byte

// Validate returns what is wrong with an OpenAPI document: against the schema of OpenAPI, its own schemas (JSON Schema
// 2020-12, references included), examples that do not conform, repeated operation ids, and parameters that the path
// lacks.
func Validate(text []byte) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	formDoc, err := jsonschema.UnmarshalJSON(bytes.NewReader(openAPISchema))
	if err != nil {
		return err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := errors.Join(c.AddResource("mem:form", formDoc), c.AddResource("mem:api", doc)); err != nil {
		return err
	}
	schema, err := c.Compile("mem:form")
	if err != nil {
		return err
	}
	if err := schema.Validate(doc); err != nil {
		return err
	}
	v := validator{compiler: c, ids: map[string]string{}}
	root := doc.(map[string]any) //nolint:forcetypeassert // as the schema of OpenAPI requires, here and below
	components, _ := root["components"].(map[string]any)
	named, _ := components["schemas"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(named)) {
		v.examples("/components/schemas/"+name, named[name])
	}
	answers, _ := components["responses"].(map[string]any)
	v.walk("", answers, "/components/responses")
	v.walk("", root["paths"], "/paths")
	v.operations(root["paths"], answers)
	return errors.Join(v.wrong...)
}

type validator struct {
	compiler *jsonschema.Compiler
	ids      map[string]string
	wrong    []error
}

func (v *validator) report(pointer string, err error) {
	if err != nil {
		v.wrong = append(v.wrong, fmt.Errorf("%s: %w", pointer, err))
	}
}

// walk compiles each schema below a node and validates the examples beside it.
func (v *validator) walk(name string, node any, pointer string) {
	switch node := node.(type) {
	case map[string]any:
		if schema, ok := node["schema"]; ok && name != "schema" {
			compiled := v.examples(pointer+"/schema", schema)
			if example, has := node["example"]; has && compiled != nil {
				v.report(pointer+"/example", compiled.Validate(example))
			}
		}
		for _, key := range slices.Sorted(maps.Keys(node)) {
			if key != "schema" && key != "example" {
				v.walk(key, node[key], pointer+"/"+escapePointer(key))
			}
		}
	case []any:
		for i, entry := range node {
			v.walk("", entry, fmt.Sprintf("%s/%d", pointer, i))
		}
	}
}

// examples compiles the schema at a pointer and validates its own examples and those of its members.
func (v *validator) examples(pointer string, schema any) *jsonschema.Schema {
	compiled, err := v.compiler.Compile("mem:api#" + pointer)
	if err != nil {
		v.report(pointer, err)
		return nil
	}
	object, _ := schema.(map[string]any)
	list, _ := object["examples"].([]any)
	for _, example := range list {
		v.report(pointer, compiled.Validate(example))
	}
	members, _ := object["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(members)) {
		v.examples(pointer+"/properties/"+escapePointer(name), members[name])
	}
	return compiled
}

// operations checks what a schema cannot express.
func (v *validator) operations(paths any, answers map[string]any) {
	all, _ := paths.(map[string]any)
	for _, path := range slices.Sorted(maps.Keys(all)) {
		item, _ := all[path].(map[string]any)
		for _, method := range slices.Sorted(maps.Keys(item)) {
			op, _ := item[method].(map[string]any)
			where := strings.ToUpper(method) + " " + path
			id, _ := op["operationId"].(string)
			if other, twice := v.ids[id]; twice {
				v.report(where, fmt.Errorf("it has the operationId of %s", other))
			}
			v.ids[id] = where
			responses, _ := op["responses"].(map[string]any)
			for _, status := range slices.Sorted(maps.Keys(responses)) {
				response, _ := responses[status].(map[string]any)
				name, refers := strings.CutPrefix(fmt.Sprint(response["$ref"]), "#/components/responses/")
				if _, there := answers[name]; refers && !there {
					v.report(where, fmt.Errorf("its response %s refers to %s, which does not exist", status, name))
				}
			}
			var inPath []string
			list, _ := op["parameters"].([]any)
			for _, entry := range list {
				if p, _ := entry.(map[string]any); p["in"] == "path" {
					inPath = append(inPath, fmt.Sprint(p["name"]))
				}
			}
			var braces []string
			for _, match := range inBraces.FindAllStringSubmatch(path, -1) {
				braces = append(braces, match[1])
			}
			if !slices.Equal(inPath, braces) {
				v.report(where, fmt.Errorf("its path has the parameters %v, its list has %v", braces, inPath))
			}
		}
	}
}

func escapePointer(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "%", "%25", " ", "%20", "{", "%7B", "}", "%7D", ";",
		"%3B").Replace(name)
}
