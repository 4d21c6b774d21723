package attack

// fileRules are those of configuration files and of ways up the folders.
var fileRules = append(plain(ConfigFile, ".htaccess", ".htpasswd"), []rule{
	{word: "wp-config.php", category: ConfigFile, check: wordStart},
	{word: "../.", category: Traversal, check: climb},
	{word: "..//", category: Traversal, check: climb},
	{word: "../\\", category: Traversal, check: climb},
	{word: "..\\.", category: Traversal, check: climb},
	{word: "..\\/", category: Traversal, check: climb},
	{word: "..\\\\", category: Traversal, check: climb},
	{word: "/etc/", category: Traversal, check: account},
	{word: "boot.ini", category: Traversal, check: inFolder},
	{word: "system.ini", category: Traversal, check: inFolder},
	{word: "win.ini", category: Traversal, check: inFolder},
	{word: "system32", category: Traversal, check: systemFolder},
	{word: "%systemroot%", category: Traversal},
}...)

// climb goes through the whole text, once: three groups of dots and slashes,
// one behind the other.
func climb(s *scan, _, _ int) bool {
	if s.climbed {
		return false
	}
	s.climbed = true
	s.steps += len(s.text)
	for i, groups := 0, 0; i < len(s.text); {
		dots := i
		for s.byteIs(i, '.') {
			i++
		}
		slashes := i
		for s.byteIs(i, '/') || s.byteIs(i, '\\') {
			i++
		}
		switch {
		case slashes-dots < 2 || i == slashes:
			groups = 0
			if i == dots {
				i++
			}
		case groups == 2:
			return true
		default:
			groups++
		}
	}
	return false
}

func account(s *scan, _, end int) bool {
	_, ok := s.oneOf(end, "group", "passwd", "shadow", "issue", "hostname", "hosts", "sudoers")
	return ok
}

func inFolder(s *scan, start, _ int) bool {
	return s.byteIs(start-1, '/') || s.byteIs(start-1, '\\')
}

func systemFolder(s *scan, start, end int) bool {
	return inFolder(s, start, end) && wordEnd(s, start, end)
}
