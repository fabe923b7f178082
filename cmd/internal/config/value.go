package config

import (
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// Duration is written with its unit: 1s, 500ms, 5m.
type Duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return errors.New("a duration with its unit is expected, such as 500ms, 1s or 5m")
	}
	*d = Duration(v)
	return nil
}

func (d Duration) String() string { return time.Duration(d).String() }

// Level is how grave a line of the log must be: debug, info, warn or error.
type Level slog.Level

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *Level) UnmarshalText(text []byte) error {
	switch string(text) {
	case "debug", "info", "warn", "error":
		return (*slog.Level)(l).UnmarshalText(text)
	}
	return errors.New("a level is expected: debug, info, warn or error")
}

func (l Level) String() string { return strings.ToLower(slog.Level(l).String()) }

// Size is a number of bytes, written with or without a unit: 64MiB, 65536.
type Size int64

var units = []struct {
	name string
	size Size
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Size) UnmarshalText(text []byte) error {
	number, unit := string(text), Size(1)
	for _, u := range units {
		if n, ok := strings.CutSuffix(number, u.name); ok {
			number, unit = strings.TrimSpace(n), u.size
			break
		}
	}
	v, err := strconv.ParseInt(number, 10, 32)
	if err != nil && unit == 1 {
		v, err = strconv.ParseInt(number, 10, 64)
	}
	if err != nil || v < 0 {
		return errors.New("a size is expected, such as 65536, 512KiB or 64MiB")
	}
	*s = Size(v) * unit
	return nil
}

func (s Size) String() string {
	for _, u := range units {
		if s >= u.size && s%u.size == 0 {
			return strconv.FormatInt(int64(s/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}
