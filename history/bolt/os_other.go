//go:build !linux

package bolt

import "os"

type metaPages struct{}

func (*metaPages) open(*os.File, *Store) error { return nil }
func (*metaPages) look() byte                  { return 0 }

func unlock(*os.File) error     { return nil }
func lockShared(*os.File) error { return nil }
func dropCache(*os.File) error  { return nil }
