// Package sheet reads and writes Excel workbooks (.xlsx): parts, rows, cells and headings. It knows nothing of
// accounts.
//
// # Reading
//
// A workbook comes from a stranger. Open looks at its outside (size, kind of file, parts, macros) and refuses what is
// not to be read; Header, Count and Data then read the first worksheet as a forward-only stream, so that memory does
// not grow with the rows, and no more of the file is unpacked than the rows asked for. Every bound is counted on bytes
// that were really unpacked; nothing that the file says of its own size is believed. A second pass is a second call.
//
// The parts are read here and not through a library, because what an import needs is lost behind one: whether a number
// is a date, whether a formula has a stored value, and a bound on every step. The XML is read by a scanner of this
// package (scan.go): it is several times faster than encoding/xml, which matters since a hostile file is paid for until
// it is refused, and it bounds depth and the length of a tag. The tests hold it against encoding/xml.
//
// # Writing
//
// Write streams a worksheet to an io.Writer while the rows come in, and holds one row at a time. It writes the XML
// itself: excelize, which the tests read its files with, keeps the whole file in memory, cannot write control
// characters, and does not get back texts such as "_x0041_x0042_", which an export must (C49, V78).
//
// Chapters in comments are those of ECMA-376 part 1, 5th edition; part 2 is the package (OPC).
package sheet
