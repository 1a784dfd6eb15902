package services

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Root finds the project's folder, the one with this module's go.mod, at or above the folder of the process. A test
// runs in its package's folder, the runner in the project's.
func Root() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the project: %w", err)
	}
	for {
		source, err := os.ReadFile(filepath.Join(folder, "go.mod"))
		if err == nil && strings.HasPrefix(string(source), "module useraccounts\n") {
			return folder, nil
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", errors.New("finding the project: no go.mod of useraccounts here or above")
		}
		folder = parent
	}
}

// BuildDir is where everything that is installed or built goes, by steps below it; it is made when missing.
func BuildDir(root string, steps ...string) (string, error) {
	folder := filepath.Join(append([]string{root, ".build"}, steps...)...)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", fmt.Errorf("making the build folder: %w", err)
	}
	return folder, nil
}
