package services

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// tools are the programs of the machine that installing and running need, by path.
type tools struct {
	goTool, node, npm, java string
	// nodeHasSQLite tells whether the machine's Node (22.5 or newer) can run the queue with its data on disk. An older one
	// gets a newer Node beside it, from npm.
	nodeHasSQLite bool
}

var errTooOld = errors.New("too old")

// findTools looks for every prerequisite before it complains, so that one run names all that is missing.
func findTools(ctx context.Context, cfg Config) (tools, error) {
	var t tools
	var problems []error
	find := func(name, why string) string {
		path, err := exec.LookPath(name)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s is missing: %s", name, why))
		}
		return path
	}
	t.goTool = find("go", "install Go 1.26 or newer")
	t.node = find("node", "install Node.js 20 or newer, it runs the local queue")
	t.npm = find("npm", "it comes with Node.js and installs the local services")
	if cfg.wants("dynamodb") {
		t.java = findJava(find)
	}
	if t.node != "" {
		major, minor, err := version(ctx, t.node, "--version", `v(\d+)\.(\d+)`)
		t.nodeHasSQLite = major > 22 || (major == 22 && minor >= 5)
		if err != nil || major < 20 {
			problems = append(problems, fmt.Errorf("node is %w: want 20 or newer, have %d", errTooOld, major))
		}
	}
	if t.java != "" {
		major, _, err := version(ctx, t.java, "-version", `version "(\d+)(?:\.(\d+))?`)
		if err != nil || major < 17 {
			problems = append(problems, fmt.Errorf("java is %w: want 17 or newer, have %d", errTooOld, major))
		}
	}
	return t, errors.Join(problems...)
}

func findJava(find func(name, why string) string) string {
	if home := os.Getenv("JAVA_HOME"); home != "" {
		if path, err := exec.LookPath(filepath.Join(home, "bin", "java")); err == nil {
			return path
		}
	}
	return find("java", "install a Java runtime 17 or newer, it runs DynamoDB Local")
}

func version(ctx context.Context, program, flag, pattern string) (major, minor int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, flag).CombinedOutput()
	if err != nil {
		return 0, 0, fmt.Errorf("asking %s for its version: %w", program, err)
	}
	found := regexp.MustCompile(pattern).FindStringSubmatch(string(out))
	if found == nil {
		return 0, 0, fmt.Errorf("%s does not tell its version", program)
	}
	if major, err = strconv.Atoi(found[1]); err != nil {
		return 0, 0, fmt.Errorf("reading the version of %s: %w", program, err)
	}
	if found[2] != "" {
		minor, err = strconv.Atoi(found[2])
	}
	return major, minor, err
}
