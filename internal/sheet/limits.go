package sheet

// Limits bounds what reading a workbook may cost.
type Limits struct {
	// FileBytes bounds the file as it was uploaded.
	FileBytes int64
	// Parts bounds the entries of the zip.
	Parts int
	// UnpackedBytes bounds the sum of what the entries claim to unpack to, and what one pass over the sheet, and the
	// rest of the parts together, really unpack to.
	UnpackedBytes int64
	// Ratio bounds how many bytes one packed byte may give, for a part that gives more than ratioFrom.
	Ratio int64
	// Strings bounds the entries of the shared strings part.
	Strings int
	// Columns bounds the columns that may hold a value.
	Columns int
	// CellChars bounds the text of one cell, in UTF-16 code units as Excel counts.
	CellChars int
	// Depth bounds how deep XML elements nest.
	Depth int
}

// DefaultLimits returns the limits of this product's imports.
//
// The widest sheet that is right is 5,000 rows of 36 cells. Its fields add up to some 1,600 characters a row, to which
// the XML adds 36 x 50: 17 MB in English, 33 MB where every character takes three bytes. 64 MiB leaves room for lists
// of codes and for formatted blank rows. Excel adds about 10 parts to a workbook and 3 to each worksheet, so 256 parts
// hold some 80 worksheets. Text that repeats packs 30 to 1, long runs of like rows 100 to 1; deflate ends at 1,032 to
// 1.
func DefaultLimits() Limits {
	return Limits{
		FileBytes:     10 << 20,
		Parts:         256,
		UnpackedBytes: 64 << 20,
		Ratio:         250,
		Strings:       1 << 20,
		Columns:       64,
		CellChars:     maxCellChars,
		Depth:         64,
	}
}

const (
	// maxCellChars is what a cell of Excel holds, in UTF-16 code units.
	maxCellChars = 32767
	// maxSheetRows and maxSheetColumns are the size of Excel's grid.
	maxSheetRows    = 1 << 20
	maxSheetColumns = 1 << 14
	// ratioFrom is the size from which Limits.Ratio applies: a small part does no harm, however well it packs.
	ratioFrom = 8 << 20
)
