package till

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"time"

	"coffer/internal/cash"
)

// evidenceTypes are the events that say something about where money went, and so are worth keeping.
var evidenceTypes = func() map[string]reflect.Type {
	types := map[string]reflect.Type{}
	for _, e := range []cash.Event{
		cash.NoteHeld{}, cash.NoteCredited{}, cash.NotePlaced{}, cash.NoteReturned{}, cash.CoinCredited{},
		cash.NoteRejected{}, cash.Progress{}, cash.Ended{}, cash.MovedToCashbox{}, cash.ClearedAtPowerUp{},
	} {
		types[reflect.TypeOf(e).Name()] = reflect.TypeOf(e)
	}
	return types
}()

// kept is an event kept on disk until the machine's books are compared.
type kept struct {
	event cash.Event
	mark  mark
	at    time.Time // the same for all events of one answer
}

// mark is what else is known of an event that is kept. It stands behind the type's name.
type mark string

const (
	plain mark = ""
	told  mark = " told"  // it was published
	again mark = " again" // perhaps the one before: its acknowledgement may have been lost with the connection
)

// encodeEvent turns an event into what is kept on disk; false for one that says nothing about money.
func encodeEvent(dev cash.DeviceID, ev cash.Event, m mark) (cash.Evidence, bool) {
	name := reflect.TypeOf(ev).Name()
	if _, keep := evidenceTypes[name]; !keep {
		return cash.Evidence{}, false
	}
	data, err := json.Marshal(bare(ev))
	return cash.Evidence{Device: dev, Type: name + string(m), Data: data}, err == nil
}

// bare drops the books that came with an event: others are read when they are compared.
func bare(ev cash.Event) cash.Event {
	if e, ok := ev.(cash.Ended); ok {
		e.Account = nil
		return e
	}
	return ev
}

// decodeEvent is the opposite of encodeEvent; false for a type that this program does not know.
func decodeEvent(e cash.Evidence) (kept, bool) {
	name, m := e.Type, plain
	for _, known := range []mark{told, again} {
		if short, marked := strings.CutSuffix(name, string(known)); marked {
			name, m = short, known
		}
	}
	t, known := evidenceTypes[name]
	if !known {
		return kept{}, false
	}
	v := reflect.New(t)
	if err := json.Unmarshal(e.Data, v.Interface()); err != nil {
		return kept{}, false
	}
	ev, ok := v.Elem().Interface().(cash.Event)
	return kept{ev, m, e.At}, ok
}

// repeats says whether events are the same as those of the last answer in before: perhaps it is that answer, which the
// machine repeats because its acknowledgement was lost with the connection.
func repeats(before []kept, events []cash.Event) bool {
	first := len(before)
	for first > 0 && before[first-1].at.Equal(before[len(before)-1].at) {
		first--
	}
	return len(events) > 0 && slices.EqualFunc(before[first:], events, func(a kept, b cash.Event) bool {
		x, _ := encodeEvent("", a.event, plain)
		y, _ := encodeEvent("", b, plain)
		return x.Type == y.Type && string(x.Data) == string(y.Data)
	})
}
