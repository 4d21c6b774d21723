# Makes a table of the packet path's benchmarks: one line a mix and kind of
# packet, warm and cold side by side, the best of the runs: what shares the
# machine can only add to a time. Other lines pass as they are.
#   BenchmarkPacket/office/warm/syn-2   1000   12.3 ns/op   0 B/op   0 allocs/op

/^BenchmarkPacket\// {
	name = $1
	sub(/-[0-9]+$/, "", name)
	n = split(name, part, "/")
	row = part[2] (n > 3 ? " " part[4] : "")
	if (!(row in seen)) {
		seen[row] = 1
		order[++rows] = row
	}
	for (i = 3; i < NF; i++) {
		if ($(i + 1) == "ns/op" && (ns[row, part[3]] == "" || $i < ns[row, part[3]])) ns[row, part[3]] = $i
		if ($(i + 1) == "allocs/op") allocs[row, part[3]] = $i
	}
	next
}
/^(goos|goarch|pkg|PASS|ok)/ { next }
{ print }
END {
	if (!rows) exit
	printf "\n%-22s %12s %12s %14s %14s\n", "packet path", "warm ns", "cold ns", "warm allocs", "cold allocs"
	for (i = 1; i <= rows; i++) {
		r = order[i]
		printf "%-22s %12s %12s %14s %14s\n", r, ns[r, "warm"], ns[r, "cold"], allocs[r, "warm"], allocs[r, "cold"]
	}
	print ""
}
