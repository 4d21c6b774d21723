package pattern

import (
	"strings"
	"testing"
)

// TestTimeoutsSwitchOff shows a text to an expression that backtracks on it
// without end: after a number of time-outs it is not tried any more, and
// others go on.
func TestTimeoutsSwitchOff(t *testing.T) {
	set, problems := Compile([]string{`(?=a)(a+)+b\.zz$`, `good\.example`}, Options{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	slow := []byte(strings.Repeat("a", 60) + "c.b.zz")
	for range maxTimeouts + 5 {
		if _, _, _, ok := set.Find(slow); ok {
			t.Fatal("matched")
		}
	}
	var counted int32
	for _, e := range set.entries {
		if e.expr != nil {
			counted = max(counted, e.expr.timeouts.Load())
		}
	}
	if counted != maxTimeouts {
		t.Errorf("%d time-outs", counted)
	}
	if i, _, _, ok := set.Find([]byte("a.good.example")); !ok || i != 1 {
		t.Error("the other expression is lost")
	}
}
