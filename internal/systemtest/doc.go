// Package systemtest holds the product's own binaries, run as the template says, against what it promises: over HTTP,
// with the local services behind. It has no code of its own besides its tests.
package systemtest
