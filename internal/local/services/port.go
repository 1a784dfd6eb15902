package services

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"useraccounts/internal/local/process"
)

// port is a free port of loopback that no other run of this project takes meanwhile.
type port struct {
	number int
	lock   *process.Lock
}

// freePort reserves a port by a lock file until it is released. Asking the system for a free one and closing it again
// would not do: test processes start services at the same moment, and one that loses the race may find the other's
// service answering in its place. The range lies below the one from which systems take ports of outgoing connections.
func freePort() (port, error) {
	folder := filepath.Join(os.TempDir(), "useraccounts-ports-"+strconv.Itoa(os.Getuid()))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return port{}, fmt.Errorf("reserving a port: %w", err)
	}
	for range 200 {
		number := 20000 + rand.IntN(10000)
		lock, err := process.TryLock(filepath.Join(folder, strconv.Itoa(number)))
		if err != nil {
			return port{}, err
		}
		if lock == nil {
			continue
		}
		if portIsFree(number) {
			return port{number: number, lock: lock}, nil
		}
		lock.Release()
	}
	return port{}, errors.New("reserving a port: none of 200 is free")
}

// portIsFree tries all interfaces, as DynamoDB Local does.
func portIsFree(number int) bool {
	listener, err := net.Listen("tcp", ":"+strconv.Itoa(number)) //nolint:noctx // does not wait
	if err != nil {
		return false
	}
	return listener.Close() == nil
}

func (p port) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.number)) }

func (p port) url() string { return "http://" + p.address() }
