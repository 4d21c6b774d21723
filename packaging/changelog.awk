# Makes a Debian changelog of CHANGELOG.md (Keep a Changelog).
#
#   awk -v version=0.1.0-1 -v date='Mon, 02 Feb 2026 03:04:05 +0000' -v maintainer='NAME <ADDRESS>' -f changelog.awk CHANGELOG.md
#
# The topmost section is what is packaged, so it gets the version and date given.
# The sections below it have their own: "## [0.1.0] - 2026-02-02".

function flush(    words, count, i, line) {
	if (item == "") return
	gsub(/`|\*\*/, "", item)
	while (match(item, /\[[^]]*\]\([^)]*\)/)) { # links: their text
		words = substr(item, RSTART + 1, RLENGTH - 1)
		sub(/\].*/, "", words)
		item = substr(item, 1, RSTART - 1) words substr(item, RSTART + RLENGTH)
	}
	count = split(item, part, " ")
	line = "  *"
	for (i = 1; i <= count; i++) {
		if (length(line) + 1 + length(part[i]) > 78) {
			print line
			line = "   "
		}
		line = line " " part[i]
	}
	print line
	item = ""
	items++
}

function finish() {
	flush()
	if (!open) return
	if (!items) print "  * No change that a user would notice."
	printf "\n -- %s  %s\n", maintainer, when
	open = 0
}

# weekday of a date, 0 is Sunday (Sakamoto)
function weekday(y, m, d) {
	split("0 3 2 5 0 3 5 1 4 6 2 4", shift, " ")
	if (m < 3) y--
	return (y + int(y / 4) - int(y / 100) + int(y / 400) + shift[m] + d) % 7
}

function rfc2822(text,    f) {
	if (split(text, f, "-") != 3) return date
	return sprintf("%s, %02d %s %04d 00:00:00 +0000", substr("SunMonTueWedThuFriSat", 3 * weekday(f[1] + 0, f[2] + 0, f[3] + 0) + 1, 3),
		f[3], substr("JanFebMarAprMayJunJulAugSepOctNovDec", 3 * f[2] - 2, 3), f[1])
}

/^## \[/ {
	finish()
	name = $2
	gsub(/[][]/, "", name)
	when = rfc2822($4)
	if (!sections++) {
		name = version
		when = date
	} else {
		sub(/-/, "~", name)
		name = name "-1"
		print ""
	}
	printf "trailhound (%s) stable; urgency=medium\n\n", name
	open = 1
	items = 0
	next
}
/^- / { flush(); item = substr($0, 3); next }
/^  [^ ]/ && item != "" { item = item " " substr($0, 3); next }
{ flush() }
END { finish() }
