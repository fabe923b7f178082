package awsconfig

// packHandlers answer about conformance packs.
func (d *Door) packHandlers() []handler {
	return nil
}
