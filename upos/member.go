package upos

//go:generate go run ./internal/gen -dir .

import "slices"

// Code is one constant of the standard.
type Code struct {
	Class string // a Class, or "Common"
	Group string // what it is a value of: "ErrorCode", "DepositStatus"
	Name  string // "E_CLOSED"
	Value int32
	Since string // release that introduced it
}

// Codes lists the constants of the common model and of the six cash classes.
func Codes() []Code { return slices.Clone(codes) }

// Access is what must have been done before a member may be used.
type Access int

// The accesses of the members file. The last two are of the CashDrawer, which needs no claim.
const (
	Always         Access = iota
	AfterOpen             // open
	AfterClaim            // open, and claimed by this instance
	AfterEnable           // open, claimed and enabled
	WhileEnabled          // open and enabled
	WhileUnclaimed        // open, enabled, and not claimed by another instance
)

// Param is a parameter of a method: Dir is "in", "out" or "inout", Type "int32", "string" or "boolean".
type Param struct{ Name, Type, Dir string }

// Member is a property or a method of a class.
type Member struct {
	Name        string
	Method      bool
	Type        string // of a property: "int32", "string", "boolean"
	Since       string
	Access      Access // to read or to call
	Writable    bool
	WriteAccess Access
	Common      bool   // of the common model
	OPOSOnly    bool   // exists in the OPOS binding alone
	OPOSName    string // where OPOS names it otherwise
	DispID      int    // on the OPOS control
	Params      []Param
}

// Members lists the properties and then the methods of a class; nil for an unknown class.
func Members(c Class) []Member { return slices.Clone(members[c]) }

// find returns the member of the class.
func find(c Class, name string, method bool) (Member, bool) {
	for _, m := range members[c] {
		if m.Name == name && m.Method == method {
			return m, true
		}
	}
	return Member{}, false
}

// nameOf returns the name that a value has in a group of the common model, or "".
func nameOf(group string, value int32) string {
	for _, c := range codes {
		if c.Class == "Common" && c.Group == group && c.Value == value {
			return c.Name
		}
	}
	return ""
}
