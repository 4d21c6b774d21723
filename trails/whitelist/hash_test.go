package whitelist

import "testing"

func TestHash(t *testing.T) {
	list := func(entries ...string) *List {
		t.Helper()
		l, err := New(entries...)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	all := []string{"good.example", "192.0.2.1", "198.51.100.0/24", "2001:db8::/32"}
	whole := list(all...).Hash()
	if len(whole) != 16 || list(all[2], all[0], all[3], all[1], all[0]).Hash() != whole || Merge(list(all[:2]...), nil, list(all[1:]...)).Hash() != whole {
		t.Errorf("%q depends on order or repeats", whole)
	}
	seen := map[string][]string{whole: all}
	for i := range all {
		less := append(append([]string{}, all[:i]...), all[i+1:]...)
		h := list(less...).Hash()
		if seen[h] != nil {
			t.Errorf("%v and %v are both %s", less, seen[h], h)
		}
		seen[h] = less
	}
	var none *List
	if none.Hash() != list().Hash() || seen[none.Hash()] != nil {
		t.Error(none.Hash())
	}
}
