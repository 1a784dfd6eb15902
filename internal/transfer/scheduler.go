package transfer

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
)

// JobQueue is the jobs of an environment that were submitted and have not ended, in the order of their submits.
type JobQueue interface {
	UnfinishedJobs(ctx context.Context, env string) ([]Job, error)
}

// Scheduler sees to it that a queued job runs after all jobs of its environment that were submitted before it.
//
// The order comes from the job queue alone, not from the deliveries of messages. A queued job that is not the first
// drops its message. Whatever ends a job reads the queue afterwards, and sends a message for the job that is first by
// then. No job is forgotten: the end of a job is written before the queue is read, and a job is in the queue before its
// message is sent, so the later of the two sees the other. The message of a job is deleted only after the queue was
// read.
type Scheduler struct {
	Jobs     JobQueue
	Messages MessageQueue
	Now      func() time.Time
}

// messageLostAfter is the time after a submit from which an unconfirmed message counts as lost.
const messageLostAfter = time.Minute

// mustWait reports whether a job has to wait for an earlier one.
func (s Scheduler) mustWait(ctx context.Context, job Job) (bool, error) {
	if !job.Options.Queue || job.State != Submitted {
		return false, nil
	}
	jobs, err := s.Jobs.UnfinishedJobs(ctx, job.Env)
	if err != nil {
		return false, err
	}
	return len(jobs) > 0 && jobs[0].ID != job.ID, nil
}

// startNext sends the message of the first job if it is a queued one, and of every job whose message was lost. ended is
// the job that ended; it makes the message unique, so that a repeated call sends one message.
func (s Scheduler) startNext(ctx context.Context, env, ended string) error {
	jobs, err := s.Jobs.UnfinishedJobs(ctx, env)
	if err != nil {
		return err
	}
	for i, job := range jobs {
		isNext := i == 0 && job.Options.Queue && job.State == Submitted && job.ID != ended
		if !isNext && !s.messageLost(job) {
			continue
		}
		if err := s.send(ctx, job, job.ID+"-"+ended); err != nil {
			return err
		}
	}
	return nil
}

// messageLost reports whether the submit of a job stopped before its message was sent.
func (s Scheduler) messageLost(job Job) bool {
	return !job.MessageSent && job.State == Submitted && s.Now().Sub(job.Submitted) > messageLostAfter
}

// send sends a job's message. The queued jobs of an environment share a message group; every other job has its own.
func (s Scheduler) send(ctx context.Context, job Job, dedupID string) error {
	body, err := json.Marshal(Message{Env: job.Env, Job: job.ID})
	if err != nil {
		return fmt.Errorf("write message: %w", err)
	}
	group := job.ID
	if job.Options.Queue {
		group = job.Env
	}
	return s.Messages.Send(ctx, group, dedupID, body)
}
