package ssp

import "fmt"

// Reply is the generic response code, the first DATA byte of every answer (section 5).
type Reply byte

const (
	OK              Reply = 0xF0 // done or started
	UnknownCommand  Reply = 0xF2 // not supported by this machine
	WrongParameters Reply = 0xF3 // wrong number of parameters
	OutOfRange      Reply = 0xF4 // a parameter's value is not allowed
	CannotProcess   Reply = 0xF5 // understood, not possible now; an error byte may follow (section 5.1)
	SoftwareError   Reply = 0xF6 // error inside the machine
	ChecksumError   Reply = 0xF7 // only in code lists, not seen in answers
	Fail            Reply = 0xF8 // failed; to 0x06: version not supported; to 0x4C: generator or modulus missing
	HeaderFail      Reply = 0xF9 // download header refused
	KeyNotSet       Reply = 0xFA // the machine has no key, or wants this command encrypted; always plain
)

var replyNames = map[Reply]string{
	OK: "OK", UnknownCommand: "UNKNOWN COMMAND", WrongParameters: "WRONG NUMBER OF PARAMETERS",
	OutOfRange: "PARAMETER OUT OF RANGE", CannotProcess: "CANNOT BE PROCESSED", SoftwareError: "SOFTWARE ERROR",
	ChecksumError: "CHECKSUM ERROR", Fail: "FAIL", HeaderFail: "HEADER FAIL", KeyNotSet: "KEY NOT SET",
}

// String returns the name of section 5, or the number of an unknown code.
func (r Reply) String() string {
	if n, ok := replyNames[r]; ok {
		return n
	}
	return fmt.Sprintf("0x%02X", byte(r))
}

// Data returns the answer that is this code alone. Do not change its bytes.
func (r Reply) Data() []byte { return oneByte(byte(r)) }

// StatusError is an answer other than OK.
type StatusError struct {
	Reply  Reply
	Detail []byte // what followed the code; the error byte after CannotProcess
}

func (e *StatusError) Error() string {
	if len(e.Detail) == 0 {
		return fmt.Sprintf("machine answers %v", e.Reply)
	}
	return fmt.Sprintf("machine answers %v % X", e.Reply, e.Detail)
}

// Code returns the error byte of CANNOT BE PROCESSED (section 5.1), 0 if there was none.
func (e *StatusError) Code() byte {
	if e.Reply != CannotProcess || len(e.Detail) == 0 {
		return 0
	}
	return e.Detail[0]
}

// CheckReply splits the data of an answer: the bytes after OK, or a *StatusError with a copy of what followed another
// code. ErrEmpty for no data.
func CheckReply(data []byte) (rest []byte, err error) {
	if len(data) == 0 {
		return nil, ErrEmpty
	}
	if Reply(data[0]) == OK {
		return data[1:], nil
	}
	return nil, &StatusError{Reply: Reply(data[0]), Detail: append([]byte(nil), data[1:]...)}
}

// singles holds every byte once, so that one-byte messages need no memory of their own.
var singles = func() (s [256]byte) {
	for i := range s {
		s[i] = byte(i)
	}
	return s
}()

// oneByte returns b as a slice without room, so that append copies it.
func oneByte(b byte) []byte { return singles[b : int(b)+1 : int(b)+1] }
