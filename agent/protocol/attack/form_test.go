package attack

import (
	"bytes"
	"testing"
)

// TestMatchForm holds what a text is whose pluses stand for blanks: attacks are
// what they are, searches are not.
func TestMatchForm(t *testing.T) {
	m := NewMatcher()
	for text, want := range map[string]Category{
		"?id=1+union+select+a":                            SQLInjection,
		"?id=1+union+all+select+a,b":                      SQLInjection,
		"?id=1+or+1=1":                                    SQLInjection,
		"?id=1+and+1=1--+-":                               SQLInjection,
		"?id=1+order+by+10":                               SQLInjection,
		"?id=1+order+by+10--+-":                           SQLInjection,
		"?id=1+order+by+1,2":                              SQLInjection,
		"?id=1'+order+by+4+%23&x=y":                       SQLInjection,
		"?id=1;select+password+from+users":                SQLInjection,
		"?id=(+select+password+from+users+)":              SQLInjection,
		"?id=1+and+select+a,b+from+users+where+c":         SQLInjection,
		"?id=1+select+*+from+users+where+a=b":             SQLInjection,
		"?id=if+select+concat(a)+from+b+order+by+c":       SQLInjection,
		"?id=1+and+(case+when+1=1+then+1+end)":            SQLInjection,
		"?id=1+into+outfile+x":                            SQLInjection,
		"?cmd=cat+/etc/passwd":                            RCE,
		"?cmd=wget+http://x":                              RCE,
		"?cmd=wget+https://x":                             RCE,
		"?cmd=net+view":                                   RCE,
		"?cmd=chmod+777+x":                                RCE,
		"?q=select+a+card+from+the+deck+in+order":         None,
		"?q=select+one+from+many":                         None,
		"?q=selected,+from+here+in+order":                 None,
		"?jql=project=a+order+by+1st":                     None,
		"?q=in+order+by+1+march":                          None,
		"?q=just+in+case+when+it+rains+then":              None,
		"?q=wget+http+error":                              None,
		"?q=asp.net+view+state":                           None,
		"?q=dotnet+config":                                None,
		"?id=union+station&select=all+from+here+in+order": None,
	} {
		if got := m.MatchForm(bytes.ReplaceAll([]byte(text), []byte("+"), []byte(" "))); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
}
