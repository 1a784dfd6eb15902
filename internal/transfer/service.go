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

// JobStore is the record of jobs as people's requests need it.
type JobStore interface {
	Create(ctx context.Context, j Job) error
	// Job returns a job; NotFound.
	Job(ctx context.Context, env, id string) (Job, error)
	// Jobs returns up to limit jobs, newest first, after the given id, and the id to go on from.
	Jobs(ctx context.Context, env, after string, limit int) ([]Job, string, error)
	// Transition writes the job's body and state if its stored state is still from; ErrSuperseded.
	Transition(ctx context.Context, j Job, from State) error
	// SetFlag notes on a job that has not ended that its message is sent, or that cancelling was asked for; ErrSuperseded.
	SetFlag(ctx context.Context, j Job, what Flag) error
}

// Flag is a note on a job that does not wait for its worker.
type Flag string

// The marks.
const (
	FlagMessageSent     Flag = "queued"
	FlagCancelRequested Flag = "cancel"
)

// Uploads is the store of files as people's requests need it.
type Uploads interface {
	// Form returns where and with which fields a browser or curl posts a file of at most most bytes, until expires.
	Form(ctx context.Context, key string, most int64, expires time.Duration) (url string, fields map[string]string,
		err error)
	// Head returns the newest version of a file; NotFound.
	Head(ctx context.Context, key string) (File, error)
	Get(ctx context.Context, f File) ([]byte, error)
	// DownloadURL returns an address that downloads the file under a name until expires.
	DownloadURL(ctx context.Context, key, name string, expires time.Duration) (string, error)
}

// MessageQueue hands jobs to the worker, in order within a group.
type MessageQueue interface {
	Send(ctx context.Context, group, dedup string, body []byte) error
}

// Message is what the queue carries: where to find the job, nothing of it.
type Message struct {
	Env string `json:"env"`
	Job string `json:"job"`
}

// UploadFormLifetime and DownloadLinkLifetime are how long an upload form and a download link are good for (V68).
const (
	UploadFormLifetime   = 5 * time.Minute
	DownloadLinkLifetime = 5 * time.Minute
)

// maxOptionLength is the most characters of an option that is a code or a username.
const maxOptionLength = 50

// Service takes people's orders for jobs. Jobs and their files belong to who submitted them; those who administer
// everybody's access also see that others' jobs exist and how they stand.
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

// UploadForm is where the workbook of an import is posted to.
type UploadForm struct {
	URL     string
	Fields  map[string]string
	Expires time.Time
}

// BeginImport makes an import and the form that takes its workbook.
func (s *Service) BeginImport(ctx context.Context, sc access.Scope, o Options) (Job, UploadForm, error) {
	for name, text := range map[string]string{"resourceGroup": o.ResourceGroup, "copyRolesFrom": o.CopyRolesFrom} {
		if len([]rune(text)) > maxOptionLength {
			return Job{}, UploadForm{},
				fault.InvalidFields(
					[]fault.Field{
						{Field: name, Code: "length", Message: fmt.Sprintf("This has at most %d characters.", maxOptionLength)}})
		}
	}
	if err := s.checkOptions(ctx, sc, &o); err != nil {
		return Job{}, UploadForm{}, err
	}
	job := s.newJob(sc, Import, o)
	url, fields, err := s.Uploads.Form(ctx, job.UploadKey(), MaxFileBytes, UploadFormLifetime)
	if err != nil {
		return Job{}, UploadForm{}, err
	}
	return job, UploadForm{URL: url, Fields: fields, Expires: s.Now().Add(UploadFormLifetime)}, s.Jobs.Create(ctx, job)
}

func (s *Service) newJob(sc access.Scope, kind Kind, o Options) Job {
	return Job{
		ID: s.NewID(), Env: sc.Env.ID, Kind: kind, State: Created, Options: o,
		By: sc.Caller.Username, ByID: sc.Caller.AccountID, ByKey: sc.Caller.KeyID, Created: s.now(),
		RetentionDays: sc.Env.Settings.LogRetentionDays,
	}
}

// Submit hands an import whose workbook is there to the worker. The version of the file that is there now is the one
// that is imported, whatever is posted later.
func (s *Service) Submit(ctx context.Context, sc access.Scope, id string) (Job, error) {
	job, err := s.ownJob(ctx, sc, id)
	if err != nil {
		return Job{}, err
	}
	if job.Kind != Import {
		return Job{}, fault.New(fault.Conflict, "notImport", "Only an import is submitted; an export starts by itself.")
	}
	if job.State == Submitted && !job.MessageSent {
		return s.send(ctx, job) // an earlier submit stopped between the record and the queue
	}
	if job.State != Created {
		return alreadySubmitted(job)
	}
	file, err := s.Uploads.Head(ctx, job.UploadKey())
	if fault.Is(err, fault.NotFound) {
		return Job{},
			fault.New(fault.Conflict, "noUpload",
				"No file has been uploaded for this import yet. Post the workbook to the form that the import began with, then "+
					"submit.")
	}
	if err != nil {
		return Job{}, err
	}
	if file.Size > MaxFileBytes {
		return Job{},
			fault.New(fault.TooLarge, "fileTooLarge",
				"The file is larger than 10 MB and cannot be processed; split it into smaller files.")
	}
	job.File, job.State, job.Submitted = file, Submitted, s.now()
	if err := s.Jobs.Transition(ctx, job, Created); err != nil {
		if !errors.Is(err, ErrSuperseded) {
			return Job{}, err
		}
		if job, err = s.ownJob(ctx, sc, id); err != nil {
			return Job{}, err
		}
		return alreadySubmitted(job) // the other click of two was first
	}
	return s.send(ctx, job)
}

// alreadySubmitted answers the second submit of a job: as the first, with the job as it stands.
func alreadySubmitted(job Job) (Job, error) {
	if job.State == Cancelled {
		return Job{}, fault.New(fault.Conflict, "cancelled", "This import was cancelled. Begin a new one to run the file.")
	}
	return job, nil
}

// send puts the job's message on the queue and notes that it is there. A message sent twice is one: the queue drops the
// second for five minutes, and the worker does nothing for a job that ended.
func (s *Service) send(ctx context.Context, job Job) (Job, error) {
	if err := s.Scheduler.send(ctx, job, job.ID); err != nil {
		return Job{},
			fault.New(fault.Unavailable, "queue",
				"The job could not be queued; submit it again in a moment.").WithRetryAfter(time.Second).WithCause(err)
	}
	job.MessageSent = true
	if err := s.Jobs.SetFlag(ctx, job, FlagMessageSent); err != nil && !errors.Is(err, ErrSuperseded) {
		return Job{}, err // ErrSuperseded: the worker has ended it already
	}
	return job, nil
}

// BeginExport makes an export and hands it to the worker.
func (s *Service) BeginExport(ctx context.Context, sc access.Scope, o Options) (Job, error) {
	if err := fault.InvalidFields(selectionErrors(o)); err != nil {
		return Job{}, err
	}
	job := s.newJob(sc, Export, o)
	job.State, job.Submitted = Submitted, job.Created
	if err := s.Jobs.Create(ctx, job); err != nil {
		return Job{}, err
	}
	return s.send(ctx, job)
}

// selectionErrors says what is wrong with how the accounts of an export were chosen.
func selectionErrors(o Options) []fault.Field {
	switch {
	case o.Filters != nil && o.IDs != nil:
		return []fault.Field{
			{Field: "ids", Code: "one", Message: "Choose by a Set, by filters or by ids, and leave the others out."}}
	case o.IDs != nil && (len(o.IDs) == 0 || len(o.IDs) > MaxExportIDs):
		return []fault.Field{
			{Field: "ids", Code: "count", Message: fmt.Sprintf("Name 1 to %d accounts, or choose by filters.", MaxExportIDs)}}
	case slices.ContainsFunc(o.IDs, func(id string) bool { return id == "" || len(id) > 64 }):
		return []fault.Field{{Field: "ids", Code: "id", Message: "One of these is not the id of an account."}}
	}
	_, bad := directory.ParseFilter(o.Filters)
	for i := range bad {
		bad[i].Field = "filters." + bad[i].Field
	}
	return bad
}

// Get returns one of the caller's jobs, or anybody's to an administrator.
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

// resendLostMessage sends the message of a job whose submit stopped before it was sent, so that whoever looks at the
// job sees it go on. To look at a job does not fail by that; it is tried again at the next look, and by whatever ends
// another job.
func (s *Service) resendLostMessage(ctx context.Context, job Job) {
	if s.Scheduler.messageLost(job) {
		_, _ = s.send(ctx, job)
	}
}

// ownJob returns one of the caller's own jobs.
func (s *Service) ownJob(ctx context.Context, sc access.Scope, id string) (Job, error) {
	job, err := s.Get(ctx, sc, id)
	if err == nil && job.ByID != sc.Caller.AccountID {
		return Job{}, fault.New(fault.Forbidden, "notYours", "Only the person who began this job can do this.")
	}
	return job, err
}

func jobNotFound() error { return fault.New(fault.NotFound, "notFound", "There is no such job.") }

// List returns up to limit of the jobs that the caller may see, newest first, after the given id, and the id to go on
// from.
func (s *Service) List(ctx context.Context, sc access.Scope, after string, limit int) ([]Job, string, error) {
	var out []Job
	for {
		jobs, next, err := s.Jobs.Jobs(ctx, sc.Env.ID, after, limit)
		if err != nil {
			return nil, "", err
		}
		for _, job := range jobs {
			s.resendLostMessage(ctx, job)
			if job.ByID == sc.Caller.AccountID || sc.Caller.May(access.AccountAdmin) {
				out = append(out, job)
				if len(out) == limit {
					if job.ID == jobs[len(jobs)-1].ID {
						return out, next, nil
					}
					return out, job.ID, nil
				}
			}
		}
		if next == "" {
			return out, "", nil
		}
		after = next
	}
}

// Cancel ends a job that the worker has not begun, and asks one that it has to stop before the commit. The answer is
// the job as it stands: an asked one ends a moment later.
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
			return Job{},
				fault.New(fault.Conflict, "ended", "The job has ended (%s); it cannot be cancelled any more.", job.State)
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
	return Job{},
		fault.New(fault.Conflict, "busy", "The job is moving on just now; try again.").WithRetryAfter(time.Second)
}

// Rows returns the result of each row of an import that ended.
func (s *Service) Rows(ctx context.Context, sc access.Scope, id string) ([]Row, error) {
	job, err := s.ownJob(ctx, sc, id)
	if err != nil {
		return nil, err
	}
	if !job.State.Ended() {
		return nil, fault.New(fault.Conflict, "notEnded",
			"The job has not ended yet; its rows are listed when it has.").WithRetryAfter(2 * time.Second)
	}
	if !job.HasReport {
		return nil, nil // refused or cancelled before any row was looked at
	}
	body, err := s.Uploads.Get(ctx, File{Key: job.ReportKey()})
	if fault.Is(err, fault.NotFound) {
		return nil, fault.New(fault.NotFound, "expired",
			"The result of each row is kept for some days only, and is not there any more.")
	}
	if err != nil {
		return nil, err
	}
	var rows []Row
	return rows, json.Unmarshal(body, &rows)
}

// DownloadLink is an address to download one file from.
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
		return nil, fault.New(fault.Conflict, "notDone", "The export has no files (%s); they are there once it is done.",
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
		return DownloadLink{}, fault.New(fault.Conflict, "notImport", "Only an import has a sheet that comes back.")
	case !job.State.Ended():
		return DownloadLink{},
			fault.New(fault.Conflict, "notEnded",
				"The job has not ended yet; the sheet comes back when it has.").WithRetryAfter(2 * time.Second)
	case !job.HasResultSheet:
		return DownloadLink{},
			fault.New(fault.Conflict, "noSheet",
				"There is no sheet to give back: the file was refused as a whole, or the job ended, before its rows were looked "+
					"at. The job tells why.")
	}
	if _, err := s.Uploads.Head(ctx, job.ResultSheetKey()); fault.Is(err, fault.NotFound) {
		return DownloadLink{},
			fault.New(fault.NotFound, "expired", "The sheet was kept for some days only, and is not there any more.")
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
