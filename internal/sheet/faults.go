package sheet

import (
	"errors"
	"fmt"

	"useraccounts/internal/fault"
)

// The codes of the faults that a whole file can have. Those of single cells and headings are with their code.
const (
	CodeFileTooLarge    = "fileTooLarge"      // more bytes than an upload may have
	CodeNotWorkbook     = "notWorkbook"       // a CSV file, a PDF, an .ods, ...
	CodeOldWorkbook     = "oldWorkbook"       // an .xls of Excel 97-2003, or an .xlsb
	CodeEncrypted       = "encryptedWorkbook" // needs a password
	CodeMacros          = "macroWorkbook"     // contains macros
	CodeUnpacksTooLarge = "unpacksTooLarge"   // a zip bomb, or a sheet with far too much in it
	CodeTooManyParts    = "tooManyParts"      // too many parts, sheets or strings
	CodeCorrupt         = "corruptWorkbook"   // cannot be read
	CodeUnsafe          = "unsafeWorkbook"    // something that no spreadsheet program writes: DTD, entities, path tricks
	CodeNoWorksheet     = "noWorksheet"       // chart sheets only
	CodeNoHeader        = "noHeader"          // not one cell with a value
	CodeTooManyRows     = "tooManyRows"       // more data rows than an import takes
	CodeTooManyColumns  = "tooManyColumns"    // values right of the last column that is read
	CodeCellTooLong     = "cellTooLong"       // a text longer than a cell of Excel holds
)

const (
	adviceSaveAs   = "Open it in Excel, choose Save As, Excel workbook (.xlsx), and upload that file."
	adviceCopyRows = "Copy the rows into a new workbook, save it as an Excel workbook (.xlsx) and upload that file."
)

// notWorkbook is the fault for a file that was recognised as something else.
func notWorkbook(what string) error {
	return fault.New(fault.Unsupported, CodeNotWorkbook, "The file is %s, not an Excel workbook (.xlsx). %s", what,
		adviceSaveAs)
}

// corrupt is the fault for a part, or the file, that cannot be read; why is for the log.
func corrupt(why string, args ...any) error {
	return corruptBecause(fmt.Errorf(why, args...))
}

// corruptBecause is corrupt with an error for the log.
func corruptBecause(cause error) error {
	return fault.New(fault.Invalid, CodeCorrupt, "The file is damaged, or was not uploaded completely. %s",
		adviceSaveAs).WithCause(cause)
}

// unsafeFile is the fault for what no spreadsheet program writes.
func unsafeFile(why string, args ...any) error {
	return fault.New(fault.Invalid, CodeUnsafe,
		"The file contains something that no spreadsheet program writes, so it was not read. %s", adviceCopyRows).
		WithCause(fmt.Errorf(why, args...))
}

// unpacksTooLarge is the fault for a file that unpacks to more than it may.
func unpacksTooLarge(why string, args ...any) error {
	return fault.New(fault.TooLarge, CodeUnpacksTooLarge,
		"The unpacked file is too large. Usually there is formatting far below the data or far to the right of it, or a "+
			"very large second sheet. %s", adviceCopyRows).WithCause(fmt.Errorf(why, args...))
}

// tooManyParts is the fault for a file with too many parts, sheets or strings.
func tooManyParts(what string, limit int) error {
	return fault.New(fault.TooLarge, CodeTooManyParts,
		"The file has more than %d %s, which is too many. %s", limit, what, adviceCopyRows)
}

// tooManyRows is the fault for a sheet with more data rows than limit.
func tooManyRows(limit int) error {
	return fault.New(fault.TooLarge, CodeTooManyRows,
		"The file cannot be processed: it has more than %s rows below the headings. Nothing was changed; "+
			"split it into smaller files.", thousands(limit))
}

// tooManyColumns is the fault for a value right of the last column that is read.
func tooManyColumns(at string, limit int) error {
	return fault.New(fault.TooLarge, CodeTooManyColumns,
		"Cell %s contains a value, but only the columns A to %s are read. Move or delete everything to the right of them.",
		at, ColumnName(limit))
}

// cellTooLong is the fault for a text with more characters than limit; at is the cell's address, or "" when not known.
func cellTooLong(at string, limit int) error {
	if at == "" {
		at = "A cell"
	} else {
		at = "Cell " + at
	}
	return fault.New(fault.TooLarge, CodeCellTooLong,
		"%s contains more than %s characters, which is more than a cell can hold. Shorten it.", at, thousands(limit))
}

// thousands returns n as "5,000".
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

// partFault returns the fault for an error while a part was read. A fault stays as it is, an error of the scanner
// becomes a fault, and a failure to read the file itself stays a plain error.
func partFault(part string, err error) error {
	var broken *sourceError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &broken), fault.As(err) != nil:
		return err
	case errors.Is(err, errDTD), errors.Is(err, errDeep):
		return unsafeFile("%s: %w", part, err)
	}
	return corrupt("%s: %w", part, err)
}
