package ssp

import (
	"fmt"
	"time"
)

// AppendClock appends the wall time of t as SET RTC and GET RTC carry it [proj] (section 16.1): year after 2000, month,
// day, hour, minute, second.
func AppendClock(dst []byte, t time.Time) []byte {
	return append(dst, byte(t.Year()-2000), byte(t.Month()), byte(t.Day()), byte(t.Hour()), byte(t.Minute()), byte(t.Second()))
}

// ParseClock reads it as a wall time in loc. ErrParamCount or ErrParamRange.
func ParseClock(b []byte, loc *time.Location) (time.Time, error) {
	if len(b) != 6 {
		return time.Time{}, ErrParamCount
	}
	t := time.Date(2000+int(b[0]), time.Month(b[1]), int(b[2]), int(b[3]), int(b[4]), int(b[5]), 0, loc)
	if b[0] > 99 || t.Month() != time.Month(b[1]) || t.Day() != int(b[2]) || b[3] > 23 || b[4] > 59 || b[5] > 59 {
		return time.Time{}, fmt.Errorf("%w: clock % X", ErrParamRange, b)
	}
	return t, nil
}
