package ssp

// Describe says in one line for people what a message means: data as it is when not encrypted, from the host or to it,
// at the protocol version in force, from a coin machine or not. An answer that is not OK or an event list is shown in hex
// after its code, since it does not say which command it answers: DescribeReply knows.
func Describe(data []byte, hostToDevice bool, version int, coins bool) string {
	return ""
}
