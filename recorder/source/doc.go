// Package source opens the files that observations are read from, tells their
// formats apart, and says how readers of all formats behave. The readers
// themselves are its sub-packages.
package source
