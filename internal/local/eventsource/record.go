package eventsource

import (
	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// record is a message as the function gets it.
func (f *QueuePoller) record(m types.Message) events.SQSMessage {
	r := events.SQSMessage{
		MessageId:              value(m.MessageId),
		ReceiptHandle:          value(m.ReceiptHandle),
		Body:                   value(m.Body),
		Md5OfBody:              value(m.MD5OfBody),
		Md5OfMessageAttributes: value(m.MD5OfMessageAttributes),
		Attributes:             m.Attributes,
		MessageAttributes:      map[string]events.SQSMessageAttribute{},
		EventSourceARN:         f.QueueARN,
		EventSource:            "aws:sqs",
		AWSRegion:              f.Region,
	}
	for name, a := range m.MessageAttributes {
		r.MessageAttributes[name] = events.SQSMessageAttribute{
			StringValue: a.StringValue, BinaryValue: a.BinaryValue, DataType: value(a.DataType),
			StringListValues: []string{}, BinaryListValues: [][]byte{},
		}
	}
	return r
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
