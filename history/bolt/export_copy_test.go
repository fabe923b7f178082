package bolt

import "path/filepath"

// ThinSlices has copies read, and backups hand out, little at a time.
func ThinSlices(t interface{ Cleanup(func()) }) {
	slice, frame := copySlice, archiveFrame
	copySlice, archiveFrame = 500, 1000
	t.Cleanup(func() { copySlice, archiveFrame = slice, frame })
}

// HighWater is how many bytes of a store's file have ever been used.
func HighWater(dir string) (int64, error) {
	state, err := inspect(filepath.Join(dir, FileName))
	return state.needs, err
}
