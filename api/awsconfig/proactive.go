package awsconfig

// proactiveHandlers answer about resources that are only proposed.
func (d *Door) proactiveHandlers() []handler {
	return nil
}
