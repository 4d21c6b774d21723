package pattern

import (
	"regexp"
	"testing"
)

func TestRepair(t *testing.T) {
	tests := []struct {
		in, want string
		ok       bool
	}{
		{`dga[0-9]+\.com`, `dga[0-9]+\.com`, true},
		{`(dhl|ups|nzpost|b`, `(dhl|ups|nzpost)`, true},
		{`x(a|b)(c|d`, `x(a|b)(c)`, true},
		{`((a|b)|c(d|e`, `((a|b)|c(d))`, true},
		{`(a|(b|c)`, `(a)`, true},
		{`(a|(bc`, ``, false},
		{`(abc`, ``, false},
		{`(?:a|b`, `(?:a)`, true},
		{`(a|[b|`, `(a)`, true},
		{`(a|[]|)`, `(a)`, true},
		{`(a|b\`, `(a)`, true},
		{`\(a|b`, `\(a|b`, true},
		{`[(|]a`, `[(|]a`, true},
		{`[^](|]a`, `[^](|]a`, true},
		{`(a|b(?#x(|y`, `(a)`, true},
		{`a)b`, `a)b`, true},
		{``, ``, true},
	}
	for _, test := range tests {
		if got, ok := Repair(test.in); got != test.want || ok != test.ok {
			t.Errorf("%q: %q %v, want %q %v", test.in, got, ok, test.want, test.ok)
		}
	}
}

// TestRepairAtEveryLength cuts a pattern everywhere: what Repair gives must
// compile unless the cut is outside of groups.
func TestRepairAtEveryLength(t *testing.T) {
	const whole = `^(?:dhl|ups|(?P<n>post|mail[|x]{1,3})\.(com|net)|x)$`
	for n := range len(whole) {
		got, ok := Repair(whole[:n])
		if !ok || got == whole[:n] {
			continue
		}
		if _, problems := Compile([]string{got}, Options{}); len(problems) != 0 {
			t.Errorf("%q became %q: %v", whole[:n], got, problems[0].Err)
		}
	}
}

func FuzzRepair(f *testing.F) {
	for _, p := range []string{`(a|b`, `((a|b)|c(d|e`, `[(|]`, `(a|[]|)`, `\(a|b`, `(a|b\`, `(?#(`, `(a|(?#`} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p string) {
		got, ok := Repair(p)
		if !ok {
			if got != "" {
				t.Fatalf("%q gives %q", p, got)
			}
			return
		}
		if again, ok := Repair(got); !ok || again != got {
			t.Fatalf("%q became %q and then %q", p, got, again)
		}
		if _, _, err := translate(p); err != nil {
			return
		}
		if _, err := regexp.Compile(p); err == nil && got != p {
			t.Fatalf("%q was whole and became %q", p, got)
		}
	})
}
