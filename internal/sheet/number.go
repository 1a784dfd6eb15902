package sheet

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// parseNumber returns the number stored as b (XML schema, double), and whether it is one. INF and NaN are not numbers:
// no cell can hold them.
func parseNumber(b []byte) (float64, bool) {
	if len(b) == 0 || len(b) > 64 {
		return 0, false
	}
	for _, c := range b {
		if (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return 0, false
		}
	}
	x, err := strconv.ParseFloat(string(b), 64)
	return x, err == nil && !math.IsInf(x, 0)
}

// numberText returns the number as Excel shows it in a wide cell with the format General: 15 significant digits, and no
// exponent for anything that a person may have meant as text. A format of zeros, such as 00000, keeps its leading
// zeros.
func numberText(x float64, format cellFormat) string {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 15, 64), 64)
	if err != nil || rounded == 0 {
		rounded = 0 // no "-0"
	}
	if size := math.Abs(rounded); size >= 1e21 || size > 0 && size < 1e-9 {
		return strconv.FormatFloat(rounded, 'E', -1, 64)
	}
	text := strconv.FormatFloat(rounded, 'f', -1, 64)
	if short := int(format.zeros) - len(text); short > 0 && rounded >= 0 && rounded == math.Trunc(rounded) {
		text = strings.Repeat("0", short) + text
	}
	return text
}

const (
	secondsOfDay = 24 * 60 * 60
	// maxSerial is 31 December 9999, the last day of Excel, when day 1 is 1 January 1900.
	maxSerial = 2958465
	// daysTo1904 is the number of days by which the 1904 date system counts less.
	daysTo1904 = 1462
	// leapBug is 29 February 1900, which Excel counts although there was no such day (18.17.4.1).
	leapBug = 60
)

// serialDay returns the day that a serial number stands for (18.17.4.1), whether it has a time of day beside, and
// whether it is a day. Seconds are rounded first, as spreadsheets show them: a sum of times is often a hair before
// midnight.
func serialDay(x float64, epoch1904 bool) (day time.Time, timed, ok bool) {
	seconds := math.Round(x * secondsOfDay)
	serial := math.Floor(seconds / secondsOfDay)
	timed = seconds != serial*secondsOfDay
	if epoch1904 {
		serial += daysTo1904
		if serial < daysTo1904 {
			return time.Time{}, false, false
		}
	}
	if !(serial >= 1 && serial <= maxSerial) || serial == leapBug {
		return time.Time{}, false, false
	}
	if serial < leapBug {
		serial++
	}
	return time.Date(1899, time.December, 30+int(serial), 0, 0, 0, 0, time.UTC), timed, true
}

// daySerial returns the number of a day in the 1900 system, and whether it has one.
func daySerial(t time.Time) (int, bool) {
	// In seconds, as a time.Duration ends after 292 years.
	serial := int((t.Unix() - time.Date(1899, time.December, 30, 0, 0, 0, 0, time.UTC).Unix()) / secondsOfDay)
	if serial <= leapBug {
		serial--
	}
	return serial, serial >= 1 && serial <= maxSerial
}

// isoDay returns the day of a cell of type d, which holds a date of ISO 8601, with or without a time (18.18.11),
// whether it has a time of day other than midnight, and whether it is a day.
func isoDay(text string) (date time.Time, timed, ok bool) {
	day, rest, _ := strings.Cut(text, "T")
	t, err := time.Parse(time.DateOnly, day)
	if err != nil || t.Year() < 1900 {
		return time.Time{}, false, false
	}
	if rest == "" {
		return t, false, !strings.HasSuffix(text, "T")
	}
	clock, err := time.Parse("15:04:05.999999999", strings.TrimSuffix(rest, "Z"))
	if err != nil {
		clock, err = time.Parse("15:04", strings.TrimSuffix(rest, "Z"))
	}
	// The second before midnight that rounding ends in is the next day, as in serialDay.
	seconds := clock.Round(time.Second)
	return t.AddDate(0, 0, seconds.Day()-1), !seconds.Equal(seconds.Truncate(24 * time.Hour)), err == nil
}
