// Package proto holds the protocol files and makes the code beside them.
package proto

//go:generate go run -C ../.ci/tools ./protogen generate
