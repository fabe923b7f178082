package settings

import "time"

// frequencies are how often something is delivered, by AWS Config's words.
var frequencies = map[string]time.Duration{
	"One_Hour": time.Hour, "Three_Hours": 3 * time.Hour, "Six_Hours": 6 * time.Hour,
	"Twelve_Hours": 12 * time.Hour, "TwentyFour_Hours": 24 * time.Hour,
}

// Every is how often the channel delivers a snapshot by itself; zero: never.
func (c *Channel) Every() time.Duration { return frequencies[c.Frequency] }
