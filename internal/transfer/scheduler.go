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
// A queued job whose turn has not come gives its message up. Whatever ends a job then looks who is first in the line,
// and sends a message for that one if it is queued. Nobody is forgotten: a job that ends is written before the line is
// looked at, and one that waits is in the line before its message is sent, so that the later of the two sees the other;
// and the message of a job is deleted only after the line was looked at. Order comes from the line alone, not from the
// deliveries.
type Scheduler struct {
	Jobs     JobQueue
	Messages MessageQueue
	Now      func() time.Time
}

// messageLostAfter is how old a submit is whose message cannot be on its way any more unless it is known to be sent.
const messageLostAfter = time.Minute

// mustWait reports whether a job has to wait for another.
func (t Scheduler) mustWait(ctx context.Context, job Job) (bool, error) {
	if !job.Options.Queue || job.State != Submitted {
		return false, nil
	}
	jobs, err := t.Jobs.UnfinishedJobs(ctx, job.Env)
	if err != nil {
		return false, err
	}
	return len(jobs) > 0 && jobs[0].ID != job.ID, nil
}

// startNext sends the message of the job that is first in the line if it is a queued one, and those of jobs whose
// submit stopped before the message was sent. after names what brought the turn: asked twice, it sends once.
func (t Scheduler) startNext(ctx context.Context, env, ended string) error {
	jobs, err := t.Jobs.UnfinishedJobs(ctx, env)
	if err != nil {
		return err
	}
	for i, job := range jobs {
		first := i == 0 && job.Options.Queue && job.State == Submitted && job.ID != ended
		messageLost := t.messageLost(job)
		if !first && !messageLost {
			continue
		}
		if err := t.send(ctx, job, job.ID+"-"+ended); err != nil {
			return err
		}
	}
	return nil
}

// messageLost reports whether the submit of a job stopped before its message was sent.
func (t Scheduler) messageLost(job Job) bool {
	return !job.MessageSent && job.State == Submitted && t.Now().Sub(job.Submitted) > messageLostAfter
}

// send puts a job's message on the queue. Jobs that do not wait are a group each, and the queued ones of an environment
// one.
func (t Scheduler) send(ctx context.Context, job Job, dedup string) error {
	body, err := json.Marshal(Message{Env: job.Env, Job: job.ID})
	if err != nil {
		return fmt.Errorf("write message: %w", err)
	}
	group := job.ID
	if job.Options.Queue {
		group = job.Env
	}
	return t.Messages.Send(ctx, group, dedup, body)
}

// Abandon ends a job that was tried as often as the queue tries, takes back what it staged, and lets the next one run
// (V85).
func (w *Worker) Abandon(ctx context.Context, env, id string) error {
	job, found, err := w.claim(ctx, env, id)
	if err != nil || !found {
		return err
	}
	if !job.State.Ended() {
		w.Log.ErrorContext(ctx, "job given up", "job", id, "kind", job.Kind, "state", job.State)
		job.Problem = &Problem{Code: "givenUp",
			Detail: "This was tried several times and could not be carried out, for a reason that lies on our side. " +
				"Nothing was changed. Try again later; if it happens again, tell whoever runs the system the number of this job."}
		if job.Kind == Export {
			job.State, job.Ended = Failed, w.now()
			err = w.Jobs.Save(ctx, job)
		} else {
			job.FinalState, job.State = Failed, w.rollbackState(job)
			job, err = w.importFile(ctx, job)
		}
		if err != nil {
			return err
		}
	}
	return w.afterEnd(ctx, job)
}
