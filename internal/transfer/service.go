package transfer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"useraccounts/internal/access"
	"useraccounts/internal/directory"
	"useraccounts/internal/fault"
)

// JobLists lists jobs, those of everybody and those of one person.
type JobLists interface {
	// Jobs returns up to limit jobs after the given id, newest first, and the id to continue after.
	Jobs(ctx context.Context, env, after string, limit int) ([]Job, string, error)
	// OwnJobs is Jobs for those of one person. It costs the same whatever others have stored. A page can have fewer jobs.
	OwnJobs(ctx context.Context, env, owner, after string, limit int) ([]Job, string, error)
}

// JobStore is the store of jobs as requests need it.
type JobStore interface {
	Create(ctx context.Context, j Job) error
	// Job returns a job; NotFound.
	Job(ctx context.Context, env, id string) (Job, error)
	JobLists
	// Transition writes the job's body and state if its stored state is still from; ErrSuperseded.
	Transition(ctx context.Context, j Job, from State) error
	// SetFlag sets a flag of a job that has not ended; ErrSuperseded.
	SetFlag(ctx context.Context, j Job, flag Flag) error
}

// Flag is a part of a job that is set while a worker may be running the job.
type Flag string

// The flags: the message was sent, a person asked to cancel.
const (
	FlagMessageSent     Flag = "queued"
	FlagCancelRequested Flag = "cancel"
)

// Uploads is the store of files as requests need it.
type Uploads interface {
	// UploadForm returns the address and the form fields by which a client posts a file of at most maxBytes, until
	// expires.
	UploadForm(ctx context.Context, key string, maxBytes int64, expires time.Duration) (url string,
		fields map[string]string,
		err error)
	// Head returns the newest version of a file; NotFound.
	Head(ctx context.Context, key string) (File, error)
	Get(ctx context.Context, f File) ([]byte, error)
	// DownloadURL returns an address that downloads the file under a name, until expires.
	DownloadURL(ctx context.Context, key, name string, expires time.Duration) (string, error)
}

// MessageQueue sends messages to the worker, in order within a group.
type MessageQueue interface {
	Send(ctx context.Context, group, dedupID string, body []byte) error
}

// Message names the job to run.
type Message struct {
	Env string `json:"env"`
	Job string `json:"job"`
}

// UploadFormLifetime and DownloadLinkLifetime are how long an upload form and a download link can be used (V68).
const (
	UploadFormLifetime   = 5 * time.Minute
	DownloadLinkLifetime = 5 * time.Minute
)

// maxOptionLength is the most characters of a code or a username among the options.
const maxOptionLength = 50

// Service starts, follows, cancels and undoes jobs. A job and its files belong to the person who started it. Holders of
// account.admin also see the jobs of others, but not their rows and files.
type Service struct {
	Jobs     JobStore
	Uploads  Uploads
	UndoJobs UndoJobStore
	// Accounts finds the account whose roles an import copies.
	Accounts  AccountFinder
	Scheduler Scheduler
	Now       func() time.Time
	NewID     func() string
}

// UploadForm is the form to which the workbook of an import is posted.
type UploadForm struct {
	URL     string
	Fields  map[string]string
	Expires time.Time
}

// BeginImport creates an import and the form to which its workbook is posted.
func (s *Service) BeginImport(ctx context.Context, sc access.Scope, o Options) (Job, UploadForm, error) {
	for name, text := range map[string]string{"resourceGroup": o.ResourceGroup, "copyRolesFrom": o.CopyRolesFrom} {
		if len([]rune(text)) > maxOptionLength {
			message := fmt.Sprintf("This can have at most %d characters.", maxOptionLength)
			return Job{}, UploadForm{}, fault.InvalidFields([]fault.Field{{Field: name, Code: "length", Message: message}})
		}
	}
	if err := s.checkOptions(ctx, sc, &o); err != nil {
		return Job{}, UploadForm{}, err
	}
	if err := s.checkQuota(ctx, sc, Import); err != nil {
		return Job{}, UploadForm{}, err
	}
	job := s.newJob(sc, Import, o)
	url, fields, err := s.Uploads.UploadForm(ctx, job.UploadKey(), MaxFileBytes, UploadFormLifetime)
	if err != nil {
		return Job{}, UploadForm{}, err
	}
	return job, UploadForm{URL: url, Fields: fields, Expires: s.Now().Add(UploadFormLifetime)}, s.Jobs.Create(ctx, job)
}

// What one person may have at a time (V97).
const (
	MaxUnsubmitted = 20
	MaxExports     = 5
	// quotaPageSize is how many of the person's newest jobs are looked at.
	quotaPageSize = 100
)

// checkQuota refuses another import while the person has too many that were not submitted, and another export while too
// many are under way.
func (s *Service) checkQuota(ctx context.Context, sc access.Scope, kind Kind) error {
	jobs, _, err := s.Jobs.OwnJobs(ctx, sc.Env.ID, sc.Caller.AccountID, "", quotaPageSize)
	if err != nil {
		return err
	}
	open := 0
	for _, j := range jobs {
		if j.Kind == kind && (kind == Import && j.State == Created || kind == Export && !j.State.Ended()) {
			open++
		}
	}
	switch {
	case kind == Import && open >= MaxUnsubmitted:
		return fault.New(fault.Conflict, "tooManyUnsubmitted",
			"You have %d imports that were begun and not submitted, the most that one person may have. Submit or cancel some "+
				"of them, then begin the new one.", open)
	case kind == Export && open >= MaxExports:
		return fault.New(fault.TooManyRequests, "tooManyExports",
			"%d of your exports are waiting or running, the most that one person may have. Wait until one has ended, or "+
				"cancel one.", open).WithRetryAfter(10 * time.Second)
	}
	return nil
}

func (s *Service) newJob(sc access.Scope, kind Kind, o Options) Job {
	return Job{
		ID: s.NewID(), Env: sc.Env.ID, Kind: kind, State: Created, Options: o,
		By: sc.Caller.Username, ByID: sc.Caller.AccountID, ByKey: sc.Caller.KeyID, Created: s.now(),
		ProvedAt:      sc.Caller.AuthenticatedAt,
		RetentionDays: sc.Env.Settings.LogRetentionDays,
	}
}

// Submit sends an import to the worker. It imports the version of the file that is there now, whatever is posted later.
func (s *Service) Submit(ctx context.Context, sc access.Scope, id string) (Job, error) {
	job, err := s.ownJob(ctx, sc, id)
	if err != nil {
		return Job{}, err
	}
	if job.Kind != Import {
		return Job{}, fault.New(fault.Conflict, "notImport", "Only an import can be submitted. An export starts by itself.")
	}
	if job.State == Submitted && !job.MessageSent {
		return s.send(ctx, job) // an earlier submit stopped before its message was sent
	}
	if job.State != Created {
		return alreadySubmitted(job)
	}
	file, err := s.Uploads.Head(ctx, job.UploadKey())
	if fault.Is(err, fault.NotFound) {
		return Job{}, fault.New(fault.Conflict, "noUpload",
			"No file has been uploaded for this import yet. Post the workbook to the import's form, then submit.")
	}
	if err != nil {
		return Job{}, err
	}
	if file.Size > MaxFileBytes {
		return Job{}, fault.New(fault.TooLarge, "fileTooLarge",
			"The file is larger than 10 MB and cannot be processed; split it into smaller files.")
	}
	job.File, job.State, job.Submitted, job.ProvedAt = file, Submitted, s.now(), sc.Caller.AuthenticatedAt
	if err := s.Jobs.Transition(ctx, job, Created); err != nil {
		if !errors.Is(err, ErrSuperseded) {
			return Job{}, err
		}
		if job, err = s.ownJob(ctx, sc, id); err != nil {
			return Job{}, err
		}
		return alreadySubmitted(job) // another submit was faster
	}
	return s.send(ctx, job)
}

// alreadySubmitted answers a repeated submit like the first one, with the job as it is now.
func alreadySubmitted(job Job) (Job, error) {
	if job.State == Cancelled {
		return Job{}, fault.New(fault.Conflict, "cancelled",
			"This import was cancelled. Start a new import and upload the file again.")
	}
	return job, nil
}

// send sends the job's message and notes that. A repeated message does no harm: within five minutes the queue drops it,
// and the worker does nothing for a job that has ended.
func (s *Service) send(ctx context.Context, job Job) (Job, error) {
	if err := s.Scheduler.send(ctx, job, job.ID); err != nil {
		return Job{}, fault.New(fault.Unavailable, "queue",
			"The job could not be queued. Submit it again in a moment.").WithRetryAfter(time.Second).WithCause(err)
	}
	job.MessageSent = true
	if err := s.Jobs.SetFlag(ctx, job, FlagMessageSent); err != nil && !errors.Is(err, ErrSuperseded) {
		return Job{}, err // after ErrSuperseded the job has ended already
	}
	return job, nil
}

// BeginExport creates an export and sends it to the worker.
func (s *Service) BeginExport(ctx context.Context, sc access.Scope, o Options) (Job, error) {
	if err := fault.InvalidFields(selectionErrors(o)); err != nil {
		return Job{}, err
	}
	if err := s.checkQuota(ctx, sc, Export); err != nil {
		return Job{}, err
	}
	job := s.newJob(sc, Export, o)
	job.State, job.Submitted = Submitted, job.Created
	if err := s.Jobs.Create(ctx, job); err != nil {
		return Job{}, err
	}
	return s.send(ctx, job)
}

// selectionErrors checks how the accounts of an export are selected.
func selectionErrors(o Options) []fault.Field {
	switch {
	case o.Filters != nil && o.IDs != nil:
		return []fault.Field{{Field: "ids", Code: "one",
			Message: "Select accounts by a Set, by filters or by ids, not by two of them."}}
	case o.IDs != nil && (len(o.IDs) == 0 || len(o.IDs) > MaxExportIDs):
		message := fmt.Sprintf("List 1 to %d accounts, or select them by filters.", MaxExportIDs)
		return []fault.Field{{Field: "ids", Code: "count", Message: message}}
	case slices.ContainsFunc(o.IDs, func(id string) bool { return id == "" || len(id) > 64 }):
		return []fault.Field{{Field: "ids", Code: "id", Message: "One of these is not an account id."}}
	}
	_, invalid := directory.ParseFilter(o.Filters)
	for i := range invalid {
		invalid[i].Field = "filters." + invalid[i].Field
	}
	return invalid
}

// Get returns a job of the caller; a holder of account.admin gets any job.
func (s *Service) Get(ctx context.Context, sc access.Scope, id string) (Job, error) {
	job, err := s.Jobs.Job(ctx, sc.Env.ID, id)
	if err != nil {
		return Job{}, err
	}
	if job.ByID != sc.Caller.AccountID && !sc.Caller.May(access.AccountAdmin) {
		return Job{}, jobNotFound()
	}
	s.resendLostMessage(ctx, job)
	return job, nil
}

// resendLostMessage sends the message of a job whose submit stopped before it was sent. A failure is ignored: the next
// request for the job tries again, and so does the end of any other job.
func (s *Service) resendLostMessage(ctx context.Context, job Job) {
	if s.Scheduler.messageLost(job) {
		_, _ = s.send(ctx, job)
	}
}

// ownJob returns one of the caller's own jobs.
func (s *Service) ownJob(ctx context.Context, sc access.Scope, id string) (Job, error) {
	job, err := s.Get(ctx, sc, id)
	if err == nil && job.ByID != sc.Caller.AccountID {
		return Job{}, fault.New(fault.Forbidden, "notYours", "Only the person who started this job can do this.")
	}
	return job, err
}

func jobNotFound() error { return fault.New(fault.NotFound, "notFound", "There is no such job.") }

// List returns up to limit of the jobs that the caller may see, after the given id, newest first, and the id to
// continue after.
func (s *Service) List(ctx context.Context, sc access.Scope, after string, limit int) ([]Job, string, error) {
	var (
		jobs []Job
		next string
		err  error
	)
	if sc.Caller.May(access.AccountAdmin) {
		jobs, next, err = s.Jobs.Jobs(ctx, sc.Env.ID, after, limit)
	} else {
		jobs, next, err = s.Jobs.OwnJobs(ctx, sc.Env.ID, sc.Caller.AccountID, after, limit)
	}
	for _, job := range jobs {
		s.resendLostMessage(ctx, job)
	}
	return jobs, next, err
}

// Cancel ends a job that no worker has started. A worker that has started stops before the commit; such a job ends a
// moment after the answer.
func (s *Service) Cancel(ctx context.Context, sc access.Scope, id string) (Job, error) {
	const tries = 4
	for range tries {
		job, err := s.Get(ctx, sc, id)
		if err != nil {
			return Job{}, err
		}
		switch {
		case job.State == Cancelled:
			return job, s.Scheduler.startNext(ctx, job.Env, job.ID)
		case job.State.Ended():
			return Job{}, fault.New(fault.Conflict, "ended",
				"The job has ended (%s) and can no longer be cancelled.", job.State)
		case job.State == Created || job.State == Submitted:
			cancelled := job
			cancelled.State, cancelled.Ended = Cancelled, s.now()
			err = s.Jobs.Transition(ctx, cancelled, job.State)
			if err == nil {
				err = s.Scheduler.startNext(ctx, job.Env, job.ID)
			}
			job = cancelled
		default:
			job.CancelRequested = true
			err = s.Jobs.SetFlag(ctx, job, FlagCancelRequested)
		}
		if !errors.Is(err, ErrSuperseded) {
			return job, err
		}
	}
	return Job{}, jobBusy()
}

// jobBusy refuses a request because the job's state changed each time it was tried.
func jobBusy() error {
	return fault.New(fault.Conflict, "busy",
		"The state of the job is just changing. Try again.").WithRetryAfter(time.Second)
}

// Rows returns the result of each row of an import or undo that has ended.
func (s *Service) Rows(ctx context.Context, sc access.Scope, id string) ([]Row, error) {
	job, err := s.ownJob(ctx, sc, id)
	if err != nil {
		return nil, err
	}
	if !job.State.Ended() {
		return nil, fault.New(fault.Conflict, "notEnded",
			"The job has not ended yet. Its rows are listed once it has.").WithRetryAfter(2 * time.Second)
	}
	if !job.HasReport {
		return nil, nil // the job ended before its rows were checked
	}
	body, err := s.Uploads.Get(ctx, File{Key: job.ReportKey()})
	if fault.Is(err, fault.NotFound) {
		return nil, fault.New(fault.NotFound, "expired",
			"The results of the rows are kept for some days only, and have been deleted.")
	}
	if err != nil {
		return nil, err
	}
	var rows []Row
	return rows, json.Unmarshal(body, &rows)
}

// DownloadLink is an address from which one file is downloaded.
type DownloadLink struct {
	Name    string
	URL     string
	Expires time.Time
}

// Download returns links to an export's files.
func (s *Service) Download(ctx context.Context, sc access.Scope, id string) ([]DownloadLink, error) {
	job, err := s.ownJob(ctx, sc, id)
	if err != nil {
		return nil, err
	}
	if job.Kind != Export {
		return nil, fault.New(fault.Conflict, "notExport", "Only an export has files to download.")
	}
	if job.State != Done {
		return nil, fault.New(fault.Conflict, "notDone", "The export has no files (%s). They are available once it is done.",
			job.State)
	}
	links := make([]DownloadLink, job.Files)
	for i := range links {
		if links[i], err = s.downloadLink(ctx, job.ExportKey(i+1), job.FileName(i+1)); err != nil {
			return nil, err
		}
	}
	return links, nil
}

// ResultSheet returns a link to the uploaded sheet with the result of each row in it.
func (s *Service) ResultSheet(ctx context.Context, sc access.Scope, id string) (DownloadLink, error) {
	job, err := s.ownJob(ctx, sc, id)
	if err != nil {
		return DownloadLink{}, err
	}
	switch {
	case job.Kind != Import:
		return DownloadLink{}, fault.New(fault.Conflict, "notImport", "Only an import has a result sheet.")
	case !job.State.Ended():
		return DownloadLink{}, fault.New(fault.Conflict, "notEnded",
			"The job has not ended yet. The result sheet is available once it has.").WithRetryAfter(2 * time.Second)
	case !job.HasResultSheet:
		return DownloadLink{}, fault.New(fault.Conflict, "noSheet", "There is no result sheet: the file was refused, or the "+
			"job ended, before the rows were checked. The job says why.")
	}
	if _, err := s.Uploads.Head(ctx, job.ResultSheetKey()); fault.Is(err, fault.NotFound) {
		return DownloadLink{}, fault.New(fault.NotFound, "expired",
			"The result sheet was kept for some days only, and has been deleted.")
	} else if err != nil {
		return DownloadLink{}, err
	}
	return s.downloadLink(ctx, job.ResultSheetKey(),
		"user-accounts-import-"+job.Created.Format(time.DateOnly)+"-result.xlsx")
}

func (s *Service) downloadLink(ctx context.Context, key, name string) (DownloadLink, error) {
	url, err := s.Uploads.DownloadURL(ctx, key, name, DownloadLinkLifetime)
	return DownloadLink{Name: name, URL: url, Expires: s.Now().Add(DownloadLinkLifetime)}, err
}

func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }
