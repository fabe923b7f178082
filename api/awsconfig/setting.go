package awsconfig

import "slices"

// settingHandlers answer about what an owner has set up: recorders, delivery channels,
// retention, stored queries and tags.
func (d *Door) settingHandlers() []handler {
	return slices.Concat(d.recorderHandlers(), d.channelHandlers(), d.retentionHandlers(), d.queryHandlers(), d.tagHandlers())
}
