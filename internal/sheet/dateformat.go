package sheet

import (
	"errors"
	"strings"
	"time"
)

// DateFormat is a way to write a day as text.
type DateFormat uint8

// The date formats. The zero value is none: it parses nothing, so that a forgotten choice is never a guess.
const (
	British  DateFormat = iota + 1 // dd/MM/yyyy
	European                       // dd.MM.yyyy
	American                       // MM/dd/yyyy
	ISO                            // yyyy-MM-dd
)

// ErrDate is returned for a text that is not a day in the format.
var ErrDate = errors.New("not a date in this format")

// dateFormatSpec is what is known of one DateFormat.
type dateFormatSpec struct {
	name, title, pattern string
	layout               string // of package time, for writing
	separator            string
	order                string // of day, month and year
	numberFormat         string // of Excel, with the separators fixed against the reader's region (18.8.31)
}

// spec returns what is known of f.
func (f DateFormat) spec() dateFormatSpec {
	switch f {
	case British:
		return dateFormatSpec{"british", "British", "dd/MM/yyyy", "02/01/2006", "/", "dmy", `dd\/mm\/yyyy`}
	case European:
		return dateFormatSpec{"european", "European", "dd.MM.yyyy", "02.01.2006", ".", "dmy", `dd\.mm\.yyyy`}
	case American:
		return dateFormatSpec{"american", "American", "MM/dd/yyyy", "01/02/2006", "/", "mdy", `mm\/dd\/yyyy`}
	case ISO:
		return dateFormatSpec{"iso", "ISO", "yyyy-MM-dd", time.DateOnly, "-", "ymd", `yyyy\-mm\-dd`}
	}
	return dateFormatSpec{"", "unknown", "?", "", "", "", ""}
}

// DateFormats returns all formats, in the order they are offered.
func DateFormats() []DateFormat { return []DateFormat{British, European, American, ISO} }

// DateFormatNamed returns the format called "british", "european", "american" or "iso", and whether there is one.
func DateFormatNamed(name string) (DateFormat, bool) {
	for _, f := range DateFormats() {
		if f.String() == name {
			return f, true
		}
	}
	return 0, false
}

// String returns the format's name in the API: "british".
func (f DateFormat) String() string { return f.spec().name }

// Title returns the format's name for a person: "British".
func (f DateFormat) Title() string { return f.spec().title }

// Pattern returns the format as the product shows it: "dd/MM/yyyy".
func (f DateFormat) Pattern() string { return f.spec().pattern }

// Example returns a day in the format that no other format can mean.
func (f DateFormat) Example() string {
	return f.Format(time.Date(2026, time.December, 31, 0, 0, 0, 0, time.UTC))
}

// Format returns the day in the format; "" for the zero time.
func (f DateFormat) Format(day time.Time) string {
	if day.IsZero() {
		return ""
	}
	return day.Format(f.spec().layout)
}

// Parse returns the day (midnight UTC) that text says in the format. Day and month have one or two digits, the year
// four, from 1900 on; nothing else is taken, so that 31/12/2026 is never read as a day of the American format. Any
// other text gives ErrDate.
func (f DateFormat) Parse(text string) (time.Time, error) {
	l := f.spec()
	parts := strings.Split(text, l.separator)
	if l.order == "" || len(parts) != 3 {
		return time.Time{}, ErrDate
	}
	var day, month, year int
	for i, what := range l.order {
		var ok bool
		switch what {
		case 'd':
			day, ok = parseDigits(parts[i], 1, 2)
		case 'm':
			month, ok = parseDigits(parts[i], 1, 2)
		case 'y':
			year, ok = parseDigits(parts[i], 4, 4)
		}
		if !ok {
			return time.Time{}, ErrDate
		}
	}
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if year < 1900 || int(t.Month()) != month { // time.Date carries a day that is none into another month
		return time.Time{}, ErrDate
	}
	return t, nil
}

// parseDigits returns the number s, which must consist of minDigits to maxDigits ASCII digits.
func parseDigits(s string, minDigits, maxDigits int) (int, bool) {
	if len(s) < minDigits || len(s) > maxDigits {
		return 0, false
	}
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}
