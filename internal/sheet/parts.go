package sheet

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"

	"useraccounts/internal/fault"
)

// sourceError is a failure of the io.ReaderAt, which is not the fault of the file.
type sourceError struct{ err error }

func (e *sourceError) Error() string { return "read the workbook: " + e.err.Error() }
func (e *sourceError) Unwrap() error { return e.err }

// source is an io.ReaderAt that wraps the errors of another one as sourceError.
type source struct{ r io.ReaderAt }

// ReadAt implements io.ReaderAt.
func (s source) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, zip.ErrFormat // a directory can make archive/zip ask for that
	}
	n, err := s.r.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &sourceError{err}
	}
	return n, err
}

// archive is the zip of a workbook.
type archive struct {
	parts    map[string]*zip.File // by name in lower case, as names are equal without regard to case (part 2, 6.2.2.3)
	size     int64
	limits   Limits
	unpacked int64 // bytes unpacked so far from all parts but the worksheet
}

// openArchive reads the directory of the zip, and refuses one that does not look like a workbook.
func openArchive(r io.ReaderAt, size int64, limits Limits) (*archive, error) {
	z, err := zip.NewReader(source{r}, size)
	if err != nil {
		return nil, partFault("zip", err)
	}
	if len(z.File) > limits.Parts {
		return nil, tooManyParts("parts", limits.Parts)
	}
	a := &archive{parts: make(map[string]*zip.File, len(z.File)), size: size, limits: limits}
	var claimed uint64
	for _, f := range z.File {
		name := strings.ReplaceAll(f.Name, `\`, "/") // as some old programs write them
		if strings.HasSuffix(name, "/") {
			continue // a folder, which some programs add
		}
		if why := nameProblem(name); why != "" {
			return nil, unsafeFile("part %q: %s", f.Name, why)
		}
		key := strings.ToLower(name)
		if a.parts[key] != nil {
			return nil, unsafeFile("part %q is there twice", f.Name)
		}
		if f.Flags&1 != 0 {
			return nil, encrypted()
		}
		// Each size is bounded before it is added, so the sum cannot overflow.
		claimed += min(f.UncompressedSize64, 1<<40)
		if claimed > uint64(limits.UnpackedBytes) { //nolint:gosec // a limit is not negative
			return nil, unpacksTooLarge("the parts claim to unpack to %d bytes or more", claimed)
		}
		a.parts[key] = f
	}
	return a, nil
}

// encrypted is the fault for a file that needs a password.
func encrypted() error {
	return fault.New(fault.Unsupported, CodeEncrypted,
		"The file is protected with a password and cannot be read. Open it in Excel, remove the password under File, "+
			"Info, Protect Workbook, and upload it again.")
}

// nameProblem returns what is wrong with a part's name; "" for nothing. Nothing is ever written to a path, but a tricky
// name could hide which part is read.
func nameProblem(name string) string {
	switch {
	case name == "", len(name) > 255:
		return "no name, or one that is too long"
	case strings.Contains(name, ":"):
		return "a drive or an address"
	case strings.ContainsFunc(name, func(r rune) bool { return r < 0x20 || r == 0x7F }):
		return "a control character"
	}
	for segment := range strings.SplitSeq(name, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return "a path that does not go straight down"
		}
	}
	return ""
}

// has reports whether there is a part of that name.
func (a *archive) has(name string) bool { return a.parts[strings.ToLower(name)] != nil }

// open returns a reader of a part that unpacks it while it is read, and adds the unpacked bytes to unpacked.
func (a *archive) open(name string, unpacked *int64) (*partReader, error) {
	f := a.parts[strings.ToLower(name)]
	if f == nil {
		return nil, corrupt("part %q is missing", name)
	}
	r, err := f.Open()
	if err != nil {
		return nil, partFault(name, err)
	}
	packed := min(int64(min(f.CompressedSize64, 1<<40)), a.size)
	return &partReader{r: r, name: name, packed: packed, archive: a, unpacked: unpacked}, nil
}

// scan returns a scanner of a part other than the worksheet.
func (a *archive) scan(name string) (*scanner, *partReader, error) {
	r, err := a.open(name, &a.unpacked)
	if err != nil {
		return nil, nil, err
	}
	s, err := newScanner(r, a.limits.Depth)
	return s, r, err
}

// partReader unpacks a part. At its end archive/zip checks the checksum and the size.
type partReader struct {
	r        io.ReadCloser
	name     string
	packed   int64 // bytes in the zip
	read     int64 // bytes unpacked so far
	unpacked *int64
	archive  *archive
}

// Read implements io.Reader. Its errors are io.EOF and faults.
func (p *partReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.read += int64(n)
	*p.unpacked += int64(n)
	total := *p.unpacked
	if p.unpacked != &p.archive.unpacked {
		total += p.archive.unpacked
	}
	limits := &p.archive.limits
	if total > limits.UnpackedBytes {
		return 0, unpacksTooLarge("%s: more than %d bytes", p.name, limits.UnpackedBytes)
	}
	if p.read > ratioFrom && p.read/limits.Ratio > p.packed {
		return 0, unpacksTooLarge("%s: %d bytes from %d", p.name, p.read, p.packed)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = partFault(p.name, fmt.Errorf("unpack: %w", err))
	}
	return n, err
}

// drain reads the part to its end, so that its checksum is checked.
func (p *partReader) drain() error {
	_, err := io.Copy(io.Discard, p)
	return err
}
