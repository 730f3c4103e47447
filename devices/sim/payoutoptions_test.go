package sim

import (
	"fmt"
	"testing"
	"time"
)

// TestPayoutOptions: what the option byte of 5C changes (ssp.md 10.8).
func TestPayoutOptions(t *testing.T) {
	t.Run("pay-in speed", bubble(func(t *testing.T) {
		m, h := startRecycler(t, Options{})
		h.talk("5C 02", "F0")
		m.Insert(Insert{Value: 500, Currency: "EUR"})
		pause(noteReadTime)
		h.talk("56", "F0 EF 01", "56", "F0 CC")
		pause(noteStackTime/2 + time.Millisecond)
		h.talk("56", "F0 CC EE 01", "57", "F0")
		pause(notePlaceTime/2 + time.Millisecond)
		h.talk("56", "F0 DB")
	}))
	for option, paid := range map[string]string{"": "500 500 500 500", " 04": "2000", " 00": "500 500 500 500"} {
		t.Run("highest value split"+option, bubble(func(t *testing.T) {
			m, h := startNV22(t, Options{Levels: map[int64]int{500: 8, 2000: 2}})
			h.talk("5C"+option, "F0", "33 D0 07 00 00 "+eur+" 58", "F0")
			pause(10 * time.Second)
			got := ""
			for _, r := range m.Truth().Dispensed {
				for range r.Count {
					got += fmt.Sprintf(" %d", r.Value)
				}
			}
			if got != " "+paid {
				t.Errorf("paid%s, want %s", got, paid)
			}
		}))
	}
}

// TestPayoutCapacity: 6F says what still goes into the store, by our own coding.
func TestPayoutCapacity(t *testing.T) {
	bubble(func(t *testing.T) {
		_, h := startRecycler(t, Options{Dataset: []int64{500, 1000, 2000}})
		free := func(five, ten, twenty string) string {
			return "F0 03 " + five + " 00 " + u32(500) + " " + eur + " " + ten + " 00 " + u32(1000) + " " + eur + " " + twenty + " 00 " + u32(2000) + " " + eur
		}
		h.talk("6F", free("44", "44", "44"), "6F 00", "F3",
			"3B 01 "+u32(1000)+" "+eur, "F0", "4E 01 06 00 "+u32(2000)+" "+eur, "F0", "6F", free("44", "00", "02"))
	})(t)
}
