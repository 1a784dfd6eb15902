package sheet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"unicode/utf16"
	"unicode/utf8"

	"useraccounts/internal/fault"
)

// sniffSize is the number of bytes by which a file is recognised.
const sniffSize = 4096

// sniff returns nil for a zip, and for any other file a fault that says what it seems to be.
func sniff(r io.ReaderAt, size int64) error {
	head := make([]byte, min(size, sniffSize))
	if n, err := (source{r}).ReadAt(head, 0); err != nil && n < len(head) {
		if errors.Is(err, io.EOF) {
			return corrupt("the file is shorter than it was said to be")
		}
		return err
	}
	switch {
	case len(head) == 0:
		return fault.New(fault.Invalid, CodeNotWorkbook, "The file is empty. %s", adviceSaveAs)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return nil
	case bytes.HasPrefix(head, []byte("PK")):
		return corrupt("a zip that does not begin with an entry")
	case bytes.HasPrefix(head, []byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")):
		return sniffOLE(r, size, head)
	case len(head) >= 4 && head[0] == 0x09 && head[1]&0xF1 == 0 && head[2] <= 0x10 && head[3] == 0:
		return oldWorkbook("an Excel workbook of before 1997 (.xls)")
	case bytes.HasPrefix(head, []byte("%PDF-")):
		return notWorkbook("a PDF document")
	}
	text := bytes.ToLower(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xEF\xBB\xBF")), " \t\r\n"))
	switch {
	case bytes.HasPrefix(text, []byte("<!doctype html")), bytes.HasPrefix(text, []byte("<html")):
		return notWorkbook("a web page (HTML)")
	case bytes.HasPrefix(text, []byte("<?xml")), bytes.HasPrefix(text, []byte("<")):
		return notWorkbook("an XML file")
	case bytes.HasPrefix(text, []byte("{\\rtf")):
		return notWorkbook("a text document (RTF)")
	case bytes.HasPrefix(head, []byte("\xFF\xFE")), bytes.HasPrefix(head, []byte("\xFE\xFF")), isText(head):
		return notWorkbook("a text or CSV file")
	}
	return notWorkbook("something else")
}

// isText reports whether the first bytes of a file are text in a code page or in UTF-8.
func isText(head []byte) bool {
	for _, c := range head {
		if c < 0x20 && c != '\t' && c != '\r' && c != '\n' && c != '\f' && c != 0x1B {
			return false
		}
	}
	return utf8.Valid(head[:max(0, len(head)-utf8.UTFMax)]) || bytes.IndexByte(head, '\n') >= 0
}

// oldWorkbook is the fault for a format of Excel that is not supported.
func oldWorkbook(what string) error {
	return fault.New(fault.Unsupported, CodeOldWorkbook, "The file is %s. %s", what, adviceSaveAs)
}

// sniffOLE tells apart an encrypted .xlsx, an .xls and other compound files of Office, by the name of a stream in the
// directory. It looks in the sector that the header names ([MS-CFB] 2.2, 2.6.1) and in the first megabyte, which is
// enough for choosing a message.
func sniffOLE(r io.ReaderAt, size int64, head []byte) error {
	found := make([]byte, min(size, 1<<20))
	n, _ := (source{r}).ReadAt(found, 0)
	found = found[:n]
	if len(head) >= 0x34 {
		sector := int64(binary.LittleEndian.Uint32(head[0x30:]))
		shift := min(binary.LittleEndian.Uint16(head[0x1E:]), 12)
		if at := (sector + 1) << shift; at < size {
			directory := make([]byte, min(size-at, sniffSize))
			n, _ := (source{r}).ReadAt(directory, at)
			found = append(found, directory[:n]...)
		}
	}
	switch {
	case bytes.Contains(found, utf16Bytes("EncryptedPackage")):
		return encrypted()
	case bytes.Contains(found, utf16Bytes("Workbook")), bytes.Contains(found, utf16Bytes("Book")):
		return oldWorkbook("an Excel 97-2003 workbook (.xls)")
	case bytes.Contains(found, utf16Bytes("WordDocument")):
		return notWorkbook("a Word document (.doc)")
	}
	return oldWorkbook("an Office file of an old format, such as .xls,")
}

// utf16Bytes returns s as UTF-16, as compound files store names.
func utf16Bytes(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}
