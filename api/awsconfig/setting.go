package awsconfig

import (
	"slices"

	"github.com/varvehq/varve/recorder/settings"
)

// settingHandlers answer about what an owner has set up: recorders, delivery channels,
// retention, stored queries and tags.
func (d *Door) settingHandlers() []handler {
	return slices.Concat(d.recorderHandlers(), d.channelHandlers(), d.retentionHandlers(), d.queryHandlers(), d.tagHandlers())
}

// owner is whose settings a caller sees and changes.
func (c Caller) owner() settings.Owner { return settings.Owner{Account: c.Account, Region: c.Region} }
