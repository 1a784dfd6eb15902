// Command run is `make run`: the whole system on this machine until Ctrl-C. It is set by the environment: PORT, DATA,
// ADMIN_PASSWORD, PUBLIC_URL, AZURE_URL, GRAPH_URL, VERBOSE=1, LOCAL_RETRY_SECONDS, and AWS_ENDPOINT_URL_* for services
// that run already.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"useraccounts/internal/local"
	"useraccounts/internal/local/firstdata"
	"useraccounts/internal/local/services"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if os.Getenv("MAKELEVEL") != "" {
		if err := endWithParent(); err != nil {
			fmt.Fprintln(os.Stderr, "make run:", err)
		}
	}
	err := run(ctx)
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "make run:", err)
		os.Exit(1)
	}
	fmt.Println("Stopped.")
}

func run(ctx context.Context) error {
	o, err := options()
	if err != nil {
		return err
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
	parameters := map[string]string{}
	for variable, parameter := range map[string]string{"PUBLIC_URL": "PublicUrl", "AZURE_URL": "AzureUrl", "GRAPH_URL": "GraphUrl"} {
		if address := os.Getenv(variable); address != "" {
			parameters[parameter] = address
		}
	}
	return local.Options{
		Parameters: parameters,
		// A folder for each port: two runs at a time do not write into each other's logs.
		Logs: filepath.Join(root, ".build", "logs", strconv.Itoa(port)),
		Root: root, Port: port, Data: os.Getenv("DATA"), AdminPassword: os.Getenv("ADMIN_PASSWORD"),
		Retry: time.Duration(retry) * time.Second, Verbose: os.Getenv("VERBOSE") == "1", Seed: firstdata.Seed, Mail: true,
		Progress: func(format string, args ...any) { fmt.Printf("- "+format+"\n", args...) },
	}, errors.Join(errPort, errRetry)
}

func number(name string, otherwise int) (int, error) {
	text := os.Getenv(name)
	if text == "" {
		return otherwise, nil
	}
	value, err := strconv.Atoi(text)
	if err != nil || value < 1 || value > 65535 {
		return 0, fmt.Errorf("%s=%s: want a whole number from 1 to 65535", name, text)
	}
	return value, nil
}
