package main

import (
	"cmp"
	"hash/fnv"
	"slices"
	"strings"
)

// maxBelow is how many trails may lie below a name that is itself taken: a
// name with many is a platform that other people use too.
const maxBelow = 5

// families are taken by info, this many trails of each.
var families = []struct {
	count int
	infos []string
}{
	{60, []string{"cobaltstrike (malware)", "cobaltstrike-2 (malware)", "njrat (malware)", "elf mirai (malware)", "agenttesla (malware)", "lummac2 (malware)",
		"asyncrat (malware)", "socgholish (malicious)", "ek clearfake (malicious)"}},
	{30, []string{"remcos (malware)", "redline (malware)", "vidar (malware)", "quasarrat (malware)", "xworm (malware)", "emotet (malware)", "qakbot (malware)",
		"icedid (malware)", "sliver (malicious)", "havoc (malicious)", "formbook (malware)", "lokibot (malware)", "dcrat (malware)", "elf gafgyt (malware)",
		"magentocore (malicious)", "latrodectus (malware)", "danabot (malware)", "rhadamanthys (malware)", "amadey (malware)", "smokeloader (malware)",
		"bazarloader (malware)", "trickbot (malware)", "netsupport (malware)", "guloader (malware)", "osx atomic (malware)", "android spynote (malware)",
		"android ermac (malware)", "android hydra (malware)", "interlock (malware)", "fakeapp (malware)", "wp inject (malicious)", "keitaro tds (malicious)"}},
	{25, []string{"apt kimsuky (malware)", "apt lazarus (malware)", "apt gamaredon (malware)", "apt muddywater (malware)", "apt sidewinder (malware)",
		"apt transparenttribe (malware)", "apt barium (malware)", "apt charmingkitten (malware)", "apt bluenoroff (malware)", "apt sofacy (malware)",
		"apt duke (malware)", "apt sandworm (malware)", "apt oceanlotus (malware)", "apt mustangpanda (malware)", "apt turla (malware)", "apt oilrig (malware)"}},
	{15, []string{"metasploit (malicious)", "mythic (malicious)", "crypto mining (suspicious)", "pua (suspicious)", "web shells (suspicious)", "gophish (malicious)"}},
}

// kinds are taken whatever the family, this many trails of each form.
var kinds = map[kind]int{
	path: 120, pathQuery: 60, hostSlash: 20, addressSlash: 80, addressPortSlash: 30, hostPath: 80, addressPath: 40, portPath: 15,
	address6: 40, addressPort6: 13, network: 60,
}

// singleLabels are taken: words that malware asks for and top-level domains
// outside the public root. Real top-level domains hold honest names, too.
var singleLabels = map[string]bool{"onion": true, "i2p": true, "bazar": true, "orted": true, "gettask": true, "gettasks": true, "gettasksize": true,
	"getupdates": true, "reporttask": true, "reportupdates": true, "confidentialdclick": true, "pnpcom": true}

// choose gives the chosen rows in the order of the file, which is the order of
// the expressions.
func choose(rows []row, white, popular map[string]bool) []row {
	below := map[string]int{}
	for _, r := range rows {
		if r.kind == name {
			for p := parent(r.trail); p != ""; p = parent(p) {
				below[p]++
			}
		}
	}
	for p := range popular {
		for q := parent(p); q != ""; q = parent(q) {
			below[q] = maxBelow + 1 // a name above a popular one
		}
	}
	byInfo, byKind := map[string][]row{}, map[kind][]row{}
	var chosen []row
	for _, r := range rows {
		sinkhole := strings.Contains(r.info, "sinkhole")
		switch {
		case r.kind == malformed || r.reference != "(static)":
		case r.kind == expression, r.kind == singleLabel && singleLabels[r.trail], sinkhole && (r.kind == address4 || r.kind == address6):
			chosen = append(chosen, r)
		case r.kind == singleLabel || !harmless(r, below, white, popular):
		case r.kind == address4 && strings.Contains(r.info, "parking"):
			byInfo["parking"] = append(byInfo["parking"], r)
		case r.kind == address4 && r.info == "mass scanner":
			byInfo[r.info] = append(byInfo[r.info], r)
		default:
			byInfo[r.info] = append(byInfo[r.info], r)
			byKind[r.kind] = append(byKind[r.kind], r)
		}
	}
	for _, f := range families {
		for _, info := range f.infos {
			chosen = append(chosen, sample(byInfo[info], f.count)...)
		}
	}
	chosen = append(chosen, sample(byInfo["parking"], 250)...)
	chosen = append(chosen, sample(byInfo["mass scanner"], 120)...)
	for k, n := range kinds {
		chosen = append(chosen, sample(byKind[k], n)...)
	}
	slices.SortFunc(chosen, func(a, b row) int { return cmp.Compare(a.at, b.at) })
	return slices.CompactFunc(chosen, func(a, b row) bool { return a.at == b.at })
}

// harmless says that a trail names neither a whitelisted or popular name nor a
// platform that others use.
func harmless(r row, below map[string]int, white, popular map[string]bool) bool {
	host, _, slash := strings.Cut(r.trail, "/")
	host, _, _ = strings.Cut(host, ":")
	if white[r.trail] || len(r.trail) > 120 || strings.Contains(r.info, "dynamic") || strings.Contains(r.info, "free web") || strings.Contains(r.info, "bad history") {
		return false
	}
	if r.kind != name && r.kind != hostSlash && r.kind != hostPath && r.kind != portPath {
		return true
	}
	whole := !slash || r.kind == hostSlash
	if whole && below[host] > maxBelow {
		return false
	}
	for p := host; p != ""; p = parent(p) {
		if white[p] || whole && p == host && popular[p] {
			return false
		}
	}
	return true
}

// sample takes n rows in the order of a hash of their trails: spread over the
// alphabet, and the same whatever else is in the file.
func sample(rows []row, n int) []row {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(hash(a.trail), hash(b.trail)), strings.Compare(a.trail, b.trail))
	})
	return rows[:min(n, len(rows))]
}

func hash(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	x := h.Sum64()
	x ^= x >> 32 // FNV alone keeps neighbours together
	x *= 0xd6e8feb86659fd93
	return x ^ x>>32
}

func parent(name string) string {
	_, p, _ := strings.Cut(name, ".")
	return p
}
