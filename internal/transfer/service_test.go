package transfer_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/sheet"
	"useraccounts/internal/transfer"
)

// fakeStore is the jobs, the files and the queue in memory, as the service's interfaces describe them.
type fakeStore struct {
	jobs     map[string]transfer.Job
	order    []string // newest first
	uploads  map[string]transfer.File
	files    map[string][]byte
	messages []string // group, dedupID and body of each message
	errs     map[string]error
	ownReads int
	// onWrite runs before the next Transition or SetFlag, in the place of the worker or of another person.
	onWrite func()
}

func newFakeStore(jobs ...transfer.Job) *fakeStore {
	s := &fakeStore{jobs: map[string]transfer.Job{}, uploads: map[string]transfer.File{}, files: map[string][]byte{},
		errs: map[string]error{}}
	for _, j := range jobs {
		s.jobs[j.ID], s.order = j, append(s.order, j.ID)
	}
	return s
}

func (s *fakeStore) service() *transfer.Service {
	clock := func() time.Time { return now.Add(123456) }
	return &transfer.Service{Jobs: s, Uploads: s, Accounts: newFakeBackend(existingAccount("doej")),
		Scheduler: transfer.Scheduler{Jobs: s, Messages: s, Now: clock}, Now: clock, NewID: func() string { return "new" }}
}

// UnfinishedJobs returns all jobs that were submitted and have not ended, by the time of their submits.
func (s *fakeStore) UnfinishedJobs(_ context.Context, env string) ([]transfer.Job, error) {
	var out []transfer.Job
	for _, j := range s.jobs {
		if j.Env == env && j.State != transfer.Created && !j.State.Ended() {
			out = append(out, j)
		}
	}
	slices.SortFunc(out, func(a, b transfer.Job) int {
		return cmp.Or(a.Submitted.Compare(b.Submitted), cmp.Compare(a.ID, b.ID))
	})
	return out, s.errs["UnfinishedJobs"]
}

func (s *fakeStore) runOnWrite() {
	if s.onWrite != nil {
		s.onWrite()
	}
}

func (s *fakeStore) Create(_ context.Context, j transfer.Job) error {
	s.jobs[j.ID] = j
	return s.errs["Create"]
}

func (s *fakeStore) Job(_ context.Context, env, id string) (transfer.Job, error) {
	j, ok := s.jobs[id]
	if !ok || j.Env != env {
		return transfer.Job{}, fault.New(fault.NotFound, "notFound", "There is no such job.")
	}
	return j, s.errs["Job"]
}

func (s *fakeStore) Jobs(_ context.Context, _, after string, limit int) ([]transfer.Job, string, error) {
	from := 0
	for i, id := range s.order {
		if id == after {
			from = i + 1
		}
	}
	var out []transfer.Job
	for _, id := range s.order[from:min(from+limit, len(s.order))] {
		out = append(out, s.jobs[id])
	}
	if from+limit >= len(s.order) {
		return out, "", s.errs["Jobs"]
	}
	return out, out[len(out)-1].ID, s.errs["Jobs"]
}

func (s *fakeStore) OwnJobs(ctx context.Context, env, owner, after string, limit int) ([]transfer.Job, string, error) {
	s.ownReads++
	all, _, err := s.Jobs(ctx, env, after, len(s.order))
	own := slices.DeleteFunc(all, func(j transfer.Job) bool { return j.ByID != owner })
	if len(own) > limit {
		return own[:limit], own[limit-1].ID, err
	}
	return own, "", err
}

func (s *fakeStore) Transition(_ context.Context, j transfer.Job, from transfer.State) error {
	s.runOnWrite()
	if s.jobs[j.ID].State != from {
		return transfer.ErrSuperseded
	}
	s.jobs[j.ID] = j
	return s.errs["Transition"]
}

func (s *fakeStore) SetFlag(_ context.Context, j transfer.Job, flag transfer.Flag) error {
	s.runOnWrite()
	stored := s.jobs[j.ID]
	if stored.State.Ended() || (flag == transfer.FlagCancelRequested && stored.State == transfer.RollingBack) {
		return transfer.ErrSuperseded
	}
	if flag == transfer.FlagCancelRequested {
		stored.CancelRequested = true
	} else {
		stored.MessageSent = true
	}
	s.jobs[j.ID] = stored
	return s.errs["SetFlag"]
}

func (s *fakeStore) UploadForm(_ context.Context, key string, maxBytes int64, expires time.Duration) (
	string, map[string]string, error,
) {
	return "https://files", map[string]string{"key": key, "maxBytes": fmt.Sprint(maxBytes), "for": fmt.Sprint(expires)},
		s.errs["UploadForm"]
}

func (s *fakeStore) Head(_ context.Context, key string) (transfer.File, error) {
	f, ok := s.uploads[key]
	if !ok {
		return transfer.File{}, fault.New(fault.NotFound, "notFound", "There is no such file.")
	}
	return f, s.errs["Head"]
}

func (s *fakeStore) Get(_ context.Context, f transfer.File) ([]byte, error) {
	body, ok := s.files[f.Key]
	if !ok {
		return nil, fault.New(fault.NotFound, "notFound", "There is no such file.")
	}
	return body, s.errs["Get"]
}

func (s *fakeStore) DownloadURL(_ context.Context, key, name string, expires time.Duration) (string, error) {
	return fmt.Sprintf("https://files/%s?as=%s&for=%s", key, name, expires), s.errs["DownloadURL"]
}

func (s *fakeStore) Send(_ context.Context, group, dedupID string, body []byte) error {
	if err := s.errs["Send"]; err != nil {
		return err
	}
	s.messages = append(s.messages, group+" "+dedupID+" "+string(body))
	return nil
}

func caller(id string, permissions ...access.Permission) access.Scope {
	set := access.Set{}
	for _, p := range permissions {
		set[p] = struct{}{}
	}
	return access.Scope{Env: environment.Environment{ID: "test"},
		Caller: access.Caller{AccountID: id, Username: "u" + id, Permissions: set}}
}

func job(id string, kind transfer.Kind, state transfer.State, by string) transfer.Job {
	return transfer.Job{ID: id, Env: "test", Kind: kind, State: state, ByID: by, By: "u" + by, Created: now}
}

func wantFault(t *testing.T, name string, err error, kind fault.Kind, code string) {
	t.Helper()
	if f := fault.As(err); f == nil || f.Kind != kind || f.Code != code {
		t.Errorf("%s: %v, want %s", name, err, code)
	}
}

// V68: the form is for one key, at most 10 MB, for five minutes.
func TestBeginImportGivesAFormForItsOwnKey(t *testing.T) {
	s := newFakeStore()
	got, form, err := s.service().BeginImport(t.Context(), caller("9"), transfer.Options{DateFormat: sheet.ISO})
	want := job("new", transfer.Import, transfer.Created, "9")
	want.Options.DateFormat = sheet.ISO
	if err != nil || !reflect.DeepEqual(got, want) || !reflect.DeepEqual(s.jobs["new"], want) || len(s.messages) > 0 {
		t.Errorf("%+v %v", got, err)
	}
	if form.Fields["key"] != "imports/test/new.xlsx" || form.Fields["maxBytes"] != "10485760" ||
		form.Fields["for"] != "5m0s" || !form.Expires.Equal(now.Add(123456+5*time.Minute)) {
		t.Errorf("%+v", form)
	}
	for _, method := range []string{"UploadForm", "Create"} {
		s := newFakeStore()
		s.errs[method] = errDown
		if _, _, err := s.service().BeginImport(t.Context(), caller("9"), transfer.Options{}); !errors.Is(err, errDown) {
			t.Errorf("%s: %v", method, err)
		}
	}
}

// The version that is there at the submit is the one that is imported.
func TestSubmitTakesTheVersionThatIsThere(t *testing.T) {
	for _, queue := range []bool{false, true} {
		j := job("j", transfer.Import, transfer.Created, "9")
		j.Options.Queue = queue
		s := newFakeStore(j)
		s.uploads[j.UploadKey()] = transfer.File{Key: j.UploadKey(), Version: "v7", ETag: "e", Size: transfer.MaxFileBytes}
		got, err := s.service().Submit(t.Context(), caller("9"), "j")
		if err != nil || got.State != transfer.Submitted || !got.MessageSent || got.File.Version != "v7" ||
			!got.Submitted.Equal(now) {
			t.Fatalf("%+v %v", got, err)
		}
		group := map[bool]string{false: "j", true: "test"}[queue]
		if want := []string{group + ` j {"env":"test","job":"j"}`}; !reflect.DeepEqual(s.messages, want) ||
			!s.jobs["j"].MessageSent {
			t.Errorf("sent %q", s.messages)
		}
		again, err := s.service().Submit(t.Context(), caller("9"), "j") // a double click
		if err != nil || again.ID != "j" || again.State != transfer.Submitted || len(s.messages) != 1 {
			t.Errorf("sent again: %q", s.messages)
		}
	}
}

// V67: a submit that stopped between the record and the queue is taken up by the next.
func TestSubmitIsTakenUpAgain(t *testing.T) {
	j := job("j", transfer.Import, transfer.Created, "9")
	s := newFakeStore(j)
	s.uploads[j.UploadKey()] = transfer.File{Version: "v7"}
	s.errs["Send"] = errDown
	_, err := s.service().Submit(t.Context(), caller("9"), "j")
	wantFault(t, "the queue is away", err, fault.Unavailable, "queue")
	if !errors.Is(err, errDown) || s.jobs["j"].State != transfer.Submitted || s.jobs["j"].MessageSent {
		t.Errorf("%v %+v", err, s.jobs["j"])
	}
	s.errs = map[string]error{}
	s.uploads[j.UploadKey()] = transfer.File{Version: "v8"} // posted later: not what was submitted
	if got, err := s.service().Submit(t.Context(), caller("9"), "j"); err != nil || !got.MessageSent ||
		len(s.messages) != 1 || s.jobs["j"].File.Version != "v7" {
		t.Errorf("%v %+v", err, s.jobs["j"])
	}
}

func TestSubmitRefuses(t *testing.T) {
	j, export := job("j", transfer.Import, transfer.Created, "9"), job("x", transfer.Export, transfer.Submitted, "9")
	s := newFakeStore(j, export)
	_, err := s.service().Submit(t.Context(), caller("9"), "j")
	wantFault(t, "no file", err, fault.Conflict, "noUpload")
	s.uploads[j.UploadKey()] = transfer.File{Size: transfer.MaxFileBytes + 1}
	_, err = s.service().Submit(t.Context(), caller("9"), "j")
	wantFault(t, "one byte too many", err, fault.TooLarge, "fileTooLarge")
	_, err = s.service().Submit(t.Context(), caller("9"), "x")
	wantFault(t, "an export", err, fault.Conflict, "notImport")
	_, err = s.service().Submit(t.Context(), caller("9"), "none")
	wantFault(t, "none", err, fault.NotFound, "notFound")
	_, err = s.service().Submit(t.Context(), caller("8"), "j")
	wantFault(t, "another's", err, fault.NotFound, "notFound") // V58
	_, err = s.service().Submit(t.Context(), caller("8", access.AccountAdmin), "j")
	wantFault(t, "another's, to an administrator", err, fault.Forbidden, "notYours")
	s.uploads[j.UploadKey()] = transfer.File{}
	s.onWrite = func() { s.onWrite = nil; other := j; other.State = transfer.Submitted; s.jobs["j"] = other }
	if got, err := s.service().Submit(t.Context(), caller("9"), "j"); err != nil || got.State != transfer.Submitted {
		t.Errorf("another click was faster: %+v %v", got, err)
	}
	for _, method := range []string{"Job", "Head", "Transition", "SetFlag"} {
		s := newFakeStore(j)
		s.uploads[j.UploadKey()] = transfer.File{}
		s.errs[method] = errDown
		if _, err := s.service().Submit(t.Context(), caller("9"), "j"); !errors.Is(err, errDown) {
			t.Errorf("%s: %v", method, err)
		}
	}
}

// A worker that was faster than the note that its message is sent is no fault.
func TestSubmitOfAJobThatHasEndedMeanwhile(t *testing.T) {
	s := newFakeStore()
	s.onWrite = func() { j := s.jobs["new"]; j.State = transfer.Done; s.jobs["new"] = j }
	got, err := s.service().BeginExport(t.Context(), caller("9"), transfer.Options{DateFormat: sheet.ISO})
	if err != nil || got.Kind != transfer.Export || len(s.messages) != 1 {
		t.Errorf("%+v %v", got, err)
	}
	s = newFakeStore()
	s.errs["Create"] = errDown
	if _, err := s.service().BeginExport(t.Context(), caller("9"), transfer.Options{}); !errors.Is(err, errDown) ||
		len(s.messages) > 0 {
		t.Errorf("%v, sent %v", err, s.messages)
	}
}

func TestCancel(t *testing.T) {
	for state, want := range map[transfer.State]string{
		transfer.Created: "cancelled", transfer.Submitted: "cancelled", transfer.Checking: "asked", transfer.Writing: "asked",
		transfer.RollingBack: "busy", transfer.Done: "ended", transfer.Refused: "ended", transfer.Failed: "ended",
		transfer.Cancelled: "cancelled",
	} {
		s := newFakeStore(job("j", transfer.Import, state, "9"))
		got, err := s.service().Cancel(t.Context(), caller("9"), "j")
		is := s.jobs["j"]
		switch want {
		case "cancelled":
			if err != nil || got.State != transfer.Cancelled || is.State != transfer.Cancelled ||
				(state != transfer.Cancelled && is.Ended.IsZero()) {
				t.Errorf("%s: %+v %v", state, is, err)
			}
		case "asked":
			if err != nil || !got.CancelRequested || !is.CancelRequested || is.State != state {
				t.Errorf("%s: %+v %v", state, is, err)
			}
		default:
			wantFault(t, string(state), err, fault.Conflict, want)
		}
	}
	// The worker begins just then: the cancel is asked for instead.
	s := newFakeStore(job("j", transfer.Import, transfer.Submitted, "9"))
	s.onWrite = func() { s.onWrite = nil; j := s.jobs["j"]; j.State = transfer.Checking; s.jobs["j"] = j }
	if got, err := s.service().Cancel(t.Context(), caller("9"), "j"); err != nil || !got.CancelRequested ||
		!s.jobs["j"].CancelRequested {
		t.Errorf("%+v %v", got, err)
	}
	_, err := s.service().Cancel(t.Context(), caller("8"), "j")
	wantFault(t, "another's", err, fault.NotFound, "notFound")
	if _, err := s.service().Cancel(t.Context(), caller("8", access.AccountAdmin), "j"); err != nil {
		t.Errorf("an administrator: %v", err)
	}
	s.errs["SetFlag"] = errDown
	if _, err := s.service().Cancel(t.Context(), caller("9"), "j"); !errors.Is(err, errDown) {
		t.Errorf("%v", err)
	}
}

// Each sees their own jobs, an administrator all; pages lose and double none, whatever their size.
func TestList(t *testing.T) {
	var jobs []transfer.Job
	for i := range 11 {
		jobs = append(jobs, job(fmt.Sprintf("j%02d", i), transfer.Export, transfer.Done, fmt.Sprint(i%3)))
	}
	s := newFakeStore(jobs...)
	for who, want := range map[string]string{"0": "[j00 j03 j06 j09]", "2": "[j02 j05 j08]", "7": "[]"} {
		for limit := 1; limit <= 12; limit++ {
			got := []string{}
			for after, pages := "", 0; ; pages++ {
				page, next, err := s.service().List(t.Context(), caller(who), after, limit)
				if err != nil || len(page) > limit || pages > 12 {
					t.Fatalf("%v, page of %d", err, len(page))
				}
				for _, j := range page {
					got = append(got, j.ID)
				}
				if after = next; next == "" {
					break
				}
			}
			if fmt.Sprint(got) != want {
				t.Errorf("%s, pages of %d: %v", who, limit, got)
			}
		}
	}
	if all, _, err := s.service().List(t.Context(), caller("7", access.AccountAdmin), "", 50); err != nil ||
		len(all) != 11 {
		t.Errorf("an administrator: %d, %v", len(all), err)
	}
	s.errs["Jobs"] = errDown
	if _, _, err := s.service().List(t.Context(), caller("0"), "", 5); !errors.Is(err, errDown) {
		t.Errorf("%v", err)
	}
}

func TestRows(t *testing.T) {
	j := job("j", transfer.Import, transfer.Refused, "9")
	j.HasReport = true
	running, early := job("r", transfer.Import, transfer.Writing, "9"), job("e", transfer.Import, transfer.Cancelled, "9")
	s := newFakeStore(j, running, early)
	s.files[j.ReportKey()] = []byte(
		`[{"row":2,"username":"doej","outcome":"failed","errors":[{"field":"Email","code":"taken","message":"m"}]}]`)
	got, err := s.service().Rows(t.Context(), caller("9"), "j")
	want := []transfer.Row{
		{Row: 2, Username: "doej", Outcome: transfer.RowFailed,
			Errors: []transfer.RowError{{Field: "Email", Code: "taken", Message: "m"}}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v %v", got, err)
	}
	_, err = s.service().Rows(t.Context(), caller("9"), "r")
	wantFault(t, "running", err, fault.Conflict, "notEnded")
	if got, err := s.service().Rows(t.Context(), caller("9"), "e"); err != nil || got != nil {
		t.Errorf("without a report: %v %v", got, err)
	}
	_, err = s.service().Rows(t.Context(), caller("8", access.AccountAdmin), "j")
	wantFault(t, "another's", err, fault.Forbidden, "notYours")
	delete(s.files, j.ReportKey())
	_, err = s.service().Rows(t.Context(), caller("9"), "j")
	wantFault(t, "swept", err, fault.NotFound, "expired")
	s.files[j.ReportKey()], s.errs["Get"] = nil, errDown
	if _, err := s.service().Rows(t.Context(), caller("9"), "j"); !errors.Is(err, errDown) {
		t.Errorf("%v", err)
	}
}

// V77: links are the owner's, short-lived, and under a name that says what the file is.
func TestDownload(t *testing.T) {
	j := job("j", transfer.Export, transfer.Done, "9")
	j.Files = 2
	running, imported := job("r", transfer.Export, transfer.Writing, "9"), job("i", transfer.Import, transfer.Done, "9")
	s := newFakeStore(j, running, imported)
	got, err := s.service().Download(t.Context(), caller("9"), "j")
	until := now.Add(123456 + 5*time.Minute)
	want := []transfer.DownloadLink{
		{Name: "user-accounts-2026-01-05-01.xlsx",
			URL: "https://files/exports/test/j/01.xlsx?as=user-accounts-2026-01-05-01.xlsx&for=5m0s", Expires: until},
		{Name: "user-accounts-2026-01-05-02.xlsx",
			URL: "https://files/exports/test/j/02.xlsx?as=user-accounts-2026-01-05-02.xlsx&for=5m0s", Expires: until},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v %v", got, err)
	}
	_, err = s.service().Download(t.Context(), caller("9"), "r")
	wantFault(t, "running", err, fault.Conflict, "notDone")
	_, err = s.service().Download(t.Context(), caller("9"), "i")
	wantFault(t, "an import", err, fault.Conflict, "notExport")
	_, err = s.service().Download(t.Context(), caller("8", access.AccountAdmin), "j")
	wantFault(t, "another's", err, fault.Forbidden, "notYours")
	_, err = s.service().Download(t.Context(), caller("8"), "j")
	wantFault(t, "another's, to nobody", err, fault.NotFound, "notFound")
	s.errs["DownloadURL"] = errDown
	if _, err := s.service().Download(t.Context(), caller("9"), "j"); !errors.Is(err, errDown) {
		t.Errorf("%v", err)
	}
}

func TestEnded(t *testing.T) {
	for state, want := range map[transfer.State]bool{
		transfer.Created: false, transfer.Submitted: false, transfer.Checking: false, transfer.Writing: false,
		transfer.RollingBack: false,
		transfer.Done:        true, transfer.Refused: true, transfer.Cancelled: true, transfer.Failed: true,
	} {
		if state.Ended() != want {
			t.Errorf("%s: %v", state, !want)
		}
	}
}

// V97: a person has at most so many imports that were begun and not submitted, and so many exports under way. At the
// limit one more is refused, says which, and creates nothing; others' jobs, and those that ended, do not count.
func TestJobsUnderWayAreLimitedForEachPerson(t *testing.T) {
	begin := map[transfer.Kind]func(*transfer.Service) error{
		transfer.Import: func(s *transfer.Service) error {
			_, _, err := s.BeginImport(context.Background(), caller("1", access.AccountImport), transfer.Options{})
			return err
		},
		transfer.Export: func(s *transfer.Service) error {
			_, err := s.BeginExport(context.Background(), caller("1", access.AccountExport), transfer.Options{})
			return err
		},
	}
	for _, c := range []struct {
		kind  transfer.Kind
		state transfer.State
		limit int
		code  string
	}{
		{transfer.Import, transfer.Created, transfer.MaxUnsubmitted, "tooManyUnsubmitted"},
		{transfer.Export, transfer.Submitted, transfer.MaxExports, "tooManyExports"},
		{transfer.Export, transfer.Writing, transfer.MaxExports, "tooManyExports"},
	} {
		for open, refused := range map[int]bool{c.limit - 1: false, c.limit: true} {
			var jobs []transfer.Job
			for i := range open {
				jobs = append(jobs, transfer.Job{ID: fmt.Sprintf("own%d", i), Env: "main", Kind: c.kind, State: c.state, ByID: "1"})
			}
			for i := range 30 {
				jobs = append(jobs,
					transfer.Job{ID: fmt.Sprintf("done%d", i), Env: "main", Kind: c.kind, State: transfer.Done, ByID: "1"},
					transfer.Job{ID: fmt.Sprintf("other%d", i), Env: "main", Kind: c.kind, State: c.state, ByID: "2"})
			}
			s := newFakeStore(jobs...)
			err := begin[c.kind](s.service())
			if _, created := s.jobs["new"]; refused && (!fault.HasCode(err, c.code) || created) || !refused && err != nil {
				t.Errorf("%s %s, %d open: %v, created %v", c.kind, c.state, open, err, created)
			}
		}
	}
}
