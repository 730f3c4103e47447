package ssp

import (
	"fmt"
	"strings"
	"time"
)

// Describe says in one line for people what a message means: data as it is when not encrypted, from the host or to it,
// at the protocol version in force, from a coin machine or not. Values are minor units. An answer does not tell which
// command it answers: what follows OK is shown as events if it reads as such to the last byte, else in hex.
// DescribeReply, which is told the command, says more. A new fixed key is not shown.
func Describe(data []byte, hostToDevice bool, version int, coins bool) string {
	if len(data) > 0 && data[0] == STEX {
		return fmt.Sprintf("encrypted, %d bytes", len(data)-1)
	}
	if hostToDevice {
		return describeRequest(data, version)
	}
	if text, done := describeStatus(data); done {
		return text
	}
	if events, err := ParsePoll(data[1:], version, coins, nil); err == nil {
		return "OK " + describeEvents(events)
	}
	return "OK " + dump(data[1:])
}

// DescribeReply is Describe for the answer to cmd.
func DescribeReply(cmd Command, data []byte, version int, coins bool) string {
	if len(data) > 0 && data[0] == STEX {
		return fmt.Sprintf("encrypted, %d bytes", len(data)-1)
	}
	if text, done := describeStatus(data); done {
		return text
	}
	rest := data[1:]
	if cmd == CmdPoll || cmd == CmdPollWithAck {
		events, err := ParsePoll(rest, version, coins, nil)
		text := "OK " + describeEvents(events)
		if err != nil {
			text += " then " + err.Error() + ": " + dump(rest)
		}
		return text
	}
	if f, ok := replyTexts[cmd]; ok {
		if text, err := f(rest); err == nil {
			return "OK " + text
		}
	}
	return "OK " + dump(rest)
}

// describeStatus handles answers that are done after their code.
func describeStatus(data []byte) (text string, done bool) {
	switch {
	case len(data) == 0:
		return "empty", true
	case Reply(data[0]) != OK:
		return strings.TrimSpace(fmt.Sprintf("%v % X", Reply(data[0]), data[1:])), true
	case len(data) == 1:
		return "OK", true
	}
	return "", false
}

func describeRequest(data []byte, version int) string {
	if len(data) == 0 {
		return "empty"
	}
	cmd, params := Command(data[0]), data[1:]
	if len(params) == 0 {
		return cmd.String()
	}
	if f, ok := requestTexts[cmd]; ok {
		if text, err := f(params, version); err == nil {
			if cmd == CmdExpansion {
				return text
			}
			return cmd.String() + " " + text
		}
	}
	return cmd.String() + " " + dump(params)
}

func describeEvents(events []Event) string {
	parts := make([]string, len(events))
	for i, e := range events {
		parts[i] = e.String()
	}
	return strings.Join(parts, ", ")
}

// String says the event in one line: its name and what of its fields is used. Values are minor units.
func (e Event) String() string {
	text := e.Code.String()
	switch l := eventTable[e.Code].lay.v4; {
	case e.Code == EvErrorDuringPayout, l == errb:
		text += fmt.Sprintf(" error %d", e.Error)
	case l == ch && len(e.Values) == 0:
		text += fmt.Sprintf(" channel %d", e.Channel)
	}
	for _, v := range e.Values {
		text += " " + money(v.Paid, v.Currency)
		if e.Code == EvIncompletePayout || e.Code == EvIncompleteFloat {
			text += fmt.Sprintf(" of %d", v.Requested)
		}
	}
	return text
}

func money(value uint32, cc string) string {
	if cc == "" {
		return fmt.Sprint(value)
	}
	return fmt.Sprintf("%s %d", cc, value)
}

// dump shows bytes in hex, with the text beside it if they are nothing else.
func dump(b []byte) string {
	text := fmt.Sprintf("% X", b)
	for _, c := range b {
		if c < ' ' || c > '~' {
			return text
		}
	}
	return fmt.Sprintf("%s %q", text, b)
}

func list(items []DenomCount) string {
	parts := make([]string, len(items))
	for i, d := range items {
		parts[i] = fmt.Sprintf("%d × %s", d.Count, money(d.Value, d.Currency))
	}
	return strings.Join(parts, ", ")
}

func levels(items []LevelEntry) string {
	parts := make([]string, len(items))
	for i, l := range items {
		parts[i] = fmt.Sprintf("%d × %s", l.Level, money(l.Value, l.Currency))
	}
	return strings.Join(parts, ", ")
}

func channelList(channels []bool) string {
	text := "channels"
	for i, on := range channels {
		if on {
			text += fmt.Sprintf(" %d", i+1)
		}
	}
	if text == "channels" {
		return "none"
	}
	return text
}

// choose returns a if cond, else b.
func choose(cond bool, a, b string) string {
	if cond {
		return a
	}
	return b
}

func option(commit bool) string   { return choose(commit, "commit", "test") }
func route(toCashbox bool) string { return choose(toCashbox, "to cashbox", "to payout") }
func clockText(b []byte) (string, error) {
	t, err := ParseClock(b, time.UTC)
	return t.Format("2006-01-02 15:04:05"), err
}
