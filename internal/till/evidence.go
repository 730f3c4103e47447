package till

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"

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
	told  bool // it was published
}

// toldSuffix marks the type name of an event that was published.
const toldSuffix = " told"

// encodeEvent turns an event into what is kept on disk; false for one that says nothing about money.
func encodeEvent(dev cash.DeviceID, ev cash.Event, told bool) (cash.Evidence, bool) {
	name := reflect.TypeOf(ev).Name()
	if _, keep := evidenceTypes[name]; !keep {
		return cash.Evidence{}, false
	}
	if told {
		name += toldSuffix
	}
	data, err := json.Marshal(ev)
	return cash.Evidence{Device: dev, Type: name, Data: data}, err == nil
}

// decodeEvent is the opposite of encodeEvent; false for a type that this program does not know.
func decodeEvent(e cash.Evidence) (kept, bool) {
	name, told := strings.CutSuffix(e.Type, toldSuffix)
	t, known := evidenceTypes[name]
	if !known {
		return kept{}, false
	}
	v := reflect.New(t)
	if err := json.Unmarshal(e.Data, v.Interface()); err != nil {
		return kept{}, false
	}
	ev, ok := v.Elem().Interface().(cash.Event)
	return kept{ev, told}, ok
}

// repeats says whether events are the same as the last ones of before: an answer that a machine repeats, because its
// acknowledgement was lost with the connection.
func repeats(before []kept, events []cash.Event) bool {
	if len(events) == 0 || len(events) > len(before) {
		return false
	}
	return slices.EqualFunc(before[len(before)-len(events):], events, func(a kept, b cash.Event) bool {
		x, _ := encodeEvent("", a.event, false)
		y, _ := encodeEvent("", b, false)
		return x.Type == y.Type && string(x.Data) == string(y.Data)
	})
}
