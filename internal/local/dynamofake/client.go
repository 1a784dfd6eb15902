package dynamofake

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"
)

// Client is a client that asks the tables in this process, without HTTP. Middleware that is added to its options runs
// around each call.
func (s *Server) Client() *dynamodb.Client {
	return dynamodb.New(
		dynamodb.Options{Region: "local", APIOptions: []func(*middleware.Stack) error{func(stack *middleware.Stack) error {
			stack.Initialize.Clear()
			stack.Serialize.Clear()
			stack.Build.Clear()
			stack.Finalize.Clear()
			stack.Deserialize.Clear()
			return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("dynamofake", func(
				ctx context.Context, in middleware.InitializeInput, _ middleware.InitializeHandler,
			) (out middleware.InitializeOutput, metadata middleware.Metadata, err error) {
				if err := ctx.Err(); err != nil {
					return out, metadata, err
				}
				out.Result, err = s.Handle(in.Parameters)
				return out, metadata, err
			}), middleware.After)
		}}},
	)
}
