package runtimeapi

import (
	"path/filepath"
	"strconv"
)

func taskRoot(f Function) string { return filepath.Dir(f.Binary) }

// arn is what the function is told of its own name.
func arn(f Function) string {
	return "arn:aws:lambda:" + f.Region + ":000000000000:function:" + f.Name
}

// lambdaEnvironment is what Lambda itself puts in the environment of a custom runtime, and nothing of the runner's own:
// a function that would only run with a developer's variables is to fail here.
func lambdaEnvironment(f Function, api string) []string {
	return []string{
		"AWS_LAMBDA_RUNTIME_API=" + api,
		"AWS_LAMBDA_FUNCTION_NAME=" + f.Name,
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(f.MemoryMB),
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_FORMAT=JSON",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/" + f.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME=local",
		"_HANDLER=bootstrap",
		"LAMBDA_TASK_ROOT=" + taskRoot(f),
		"LAMBDA_RUNTIME_DIR=" + taskRoot(f),
		"LANG=en_US.UTF-8",
		"TZ=:UTC",
		"PATH=/usr/local/bin:/usr/bin:/bin",
	}
}
