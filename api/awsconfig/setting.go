package awsconfig

// settingHandlers answer about recorders, retention, stored queries and tags.
func (d *Door) settingHandlers() []handler {
	return nil
}
