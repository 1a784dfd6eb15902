// Command run is `make run`: the whole system on this machine until Ctrl-C. It is set by the environment: PORT, DATA,
// ENVIRONMENT, ADMIN_PASSWORD, PUBLIC_URL, AZURE_URL, GRAPH_URL, VERBOSE=1, LOCAL_RETRY_SECONDS, and AWS_ENDPOINT_URL_*
// for services that run already. With -console it builds the web console meanwhile, as `make console` does.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"useraccounts/internal/local"
	"useraccounts/internal/local/firstdata"
	"useraccounts/internal/local/progress"
	"useraccounts/internal/local/services"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	console := flag.Bool("console", false, "build the web console too")
	flag.Parse()
	if os.Getenv("MAKELEVEL") != "" {
		if err := endWithParent(); err != nil {
			fmt.Fprintln(os.Stderr, "make run:", err)
		}
	}
	err := run(ctx, *console)
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "make run:", err)
		os.Exit(1)
	}
	fmt.Println("Stopped.")
}

func run(ctx context.Context, console bool) error {
	o, err := options()
	if err != nil {
		return err
	}
	if console {
		o.BeforeBuild = func(ctx context.Context) error { return buildConsole(ctx, o.Root, o.Progress) }
	}
	started := time.Now()
	system, err := local.Start(ctx, o)
	if err != nil {
		return err
	}
	defer system.Stop()
	fmt.Print(welcome(system, o, time.Since(started)))
	select {
	case <-ctx.Done():
		fmt.Println()
		return nil
	case err := <-system.Failed():
		return err
	}
}

func options() (local.Options, error) {
	root, err := services.Root()
	if err != nil {
		return local.Options{}, err
	}
	port, errPort := number("PORT", 3000)
	retry, errRetry := number("LOCAL_RETRY_SECONDS", 5)
	// A name and not an address, because passkeys are bound to a name.
	parameters := map[string]string{"PublicUrl": fmt.Sprintf("http://localhost:%d", port)}
	for variable, parameter := range map[string]string{
		"PUBLIC_URL": "PublicUrl", "AZURE_URL": "AzureUrl", "GRAPH_URL": "GraphUrl", "ENVIRONMENT": "EnvironmentId",
	} {
		if text := os.Getenv(variable); text != "" {
			parameters[parameter] = text
		}
	}
	return local.Options{
		Parameters: parameters,
		// A folder for each port: two runs at a time do not write into each other's logs.
		Logs: filepath.Join(root, ".build", "logs", strconv.Itoa(port)),
		Root: root, Port: port, Data: os.Getenv("DATA"), AdminPassword: os.Getenv("ADMIN_PASSWORD"),
		Retry: time.Duration(retry) * time.Second, Verbose: os.Getenv("VERBOSE") == "1", Seed: firstdata.Seed, Mail: true,
		Progress: progress.Printer(func(line string) { fmt.Println("- " + line) }),
	}, errors.Join(errPort, errRetry)
}

func number(name string, otherwise int) (int, error) {
	text := cmp.Or(os.Getenv(name), strconv.Itoa(otherwise))
	value, err := strconv.Atoi(text)
	if err != nil || value < 1 || value > 65535 {
		return 0, fmt.Errorf("%s=%s: want a whole number from 1 to 65535", name, text)
	}
	return value, nil
}
