// Package sheet reads and writes Excel workbooks (.xlsx): parts, rows, cells and headings. It knows nothing of
// accounts.
//
// # Reading
// A workbook comes from a stranger. Open checks its outside (size, kind of file, parts, macros) and refuses what must
// not be read. Header, Count and Data then read the first worksheet as a forward-only stream. So memory does not grow
// with the rows, and no more of the file is unpacked than necessary. Every limit counts bytes that were really
// unpacked; the sizes that the file states are not trusted. A second pass is a second call.
//
// The package reads the parts itself, because a library hides what an import needs: whether a number is a date, whether
// a formula has a stored value, and a limit on every step. Its XML scanner (scan.go) is several times faster than
// encoding/xml, which matters for hostile files, and bounds the depth and the length of tags. The tests compare it with
// encoding/xml.
//
// # Writing
//
// Write streams a worksheet to an io.Writer while the rows come in, and holds one row at a time. It writes the XML
// itself: excelize, with which the tests read its files, keeps the whole file in memory, cannot write control
// characters, and does not read texts such as "_x0041_x0042_" back unchanged, as an export must (C49, V78).
//
// Chapters in comments are those of ECMA-376 part 1, 5th edition; part 2 is the package (OPC).
package sheet
