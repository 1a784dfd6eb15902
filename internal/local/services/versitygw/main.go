// Command versitygw serves S3 on this machine from folders: versitygw with the one of its back ends that is needed
// here, so that it builds in half the time.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "versitygw:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	address := flag.String("address", "", "where it listens")
	region := flag.String("region", "", "the region that it says it is in")
	objects := flag.String("objects", "", "folder of buckets and objects")
	versions := flag.String("versions", "", "folder of former versions")
	attributes := flag.String("attributes", "", "folder of what is known of objects")
	flag.Parse()
	// Beside the objects rather than in extended attributes, which not every file system has.
	sidecar, err := meta.NewSideCar(*attributes)
	if err != nil {
		return err
	}
	store, err := posix.New(*objects, sidecar, posix.PosixOpts{VersioningDir: *versions, SideCarDir: *attributes})
	if err != nil {
		return err
	}
	return embedgw.RunVersityGW(ctx, store, &embedgw.Config{
		RootUserAccess: os.Getenv("ROOT_ACCESS_KEY_ID"), RootUserSecret: os.Getenv("ROOT_SECRET_ACCESS_KEY"),
		Region: *region, Ports: []string{*address}, HealthPath: "/health", Quiet: true, KeepAlive: true,
		MaxConnections: 1000, MaxRequests: 1000, MultipartMaxParts: 10000,
	})
}
