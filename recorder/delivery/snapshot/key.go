package snapshot

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/varvehq/varve/recorder/settings"
)

// keyTime is how moments stand in keys.
const keyTime = "20060102T150405Z"

// prefix is what all keys of an owner begin with.
func prefix(c *settings.Channel) string {
	before := strings.Trim(c.KeyPrefix, "/")
	if before != "" {
		before += "/"
	}
	return before + "AWSLogs/" + segment(c.Owner.Account) + "/Config/"
}

// writabilityKey is that of the empty object which shows that a bucket can be
// written to.
func writabilityKey(c *settings.Channel) string { return prefix(c) + "ConfigWritabilityCheckFile" }

func snapshotKey(c *settings.Channel, at time.Time, id string) string {
	return fmt.Sprintf("%s%s/ConfigSnapshot/%s_ConfigSnapshot_%s_%s.json.gz",
		prefix(c), day(c, at), front(c), at.UTC().Format(keyTime), segment(id))
}

func historyKey(c *settings.Channel, typ string, from, to time.Time, n int) string {
	return fmt.Sprintf("%s%s/ConfigHistory/%s_ConfigHistory_%s_%s_%s_%d.json.gz",
		prefix(c), day(c, to), front(c), segment(typ), from.UTC().Format(keyTime), to.UTC().Format(keyTime), n)
}

// day is the folder of a day: REGION/2026/7/4.
func day(c *settings.Channel, at time.Time) string {
	at = at.UTC()
	return segment(c.Owner.Region) + "/" + strconv.Itoa(at.Year()) + "/" + strconv.Itoa(int(at.Month())) + "/" + strconv.Itoa(at.Day())
}

func front(c *settings.Channel) string {
	return segment(c.Owner.Account) + "_Config_" + segment(c.Owner.Region)
}

// segment is a text as part of a key: what would split it, or lead elsewhere, is
// escaped with %. AWS's types and regions are as they are.
func segment(s string) string {
	s = strings.ReplaceAll(url.PathEscape(s), "%3A", ":")
	if strings.Trim(s, ".") == "" {
		s = strings.ReplaceAll(s, ".", "%2E")
	}
	return s
}
