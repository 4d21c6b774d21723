package source

import (
	"cmp"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"trailhound/trails"
)

// The order of reading within a tree; what is read later wins a key.
const (
	rankHistory   = iota // names with "history": displace nothing
	rankCustom           // custom/*.txt
	rankSuspected        // static/suspicious, then static/malicious
	rankRoot             // static/*.txt: mass scanners
	rankGroup            // static/malware and groups yet unknown
)

// ReadTree reads a directory: the parent of static/ (then with custom/ beside
// it), static/ itself, known by its malware/, malicious/ or suspicious/, or
// else a folder of lists, all of them (custom). Of static/ exactly one level
// of directories is read; of all only *.txt, and of static/ also *.csv with
// the two columns trail and info. The order does not depend on the file
// system.
func ReadTree(root string, c trails.Collector, opt Options) (Report, error) {
	var report Report
	files, err := treeFiles(root)
	if err != nil {
		return report, err
	}
	in := intake{c: c, opt: opt, report: &report}
	var l lines
	for _, f := range files {
		if err := in.file(&l, root, f); err != nil {
			return report, err
		}
	}
	return report, report.result(root)
}

func (in *intake) file(l *lines, root string, t treeFile) error {
	full := filepath.Join(root, filepath.FromSlash(t.name))
	f, err := open(full)
	if err != nil {
		return err
	}
	defer f.Close()
	l.reset(f)
	if strings.HasSuffix(t.name, ".csv") {
		err = in.csv(l, t.name, strings.TrimSuffix(path.Base(t.name), ".csv")+" "+trails.ReferenceStatic)
	} else {
		err = in.list(l, t.name, t.info, t.reference)
	}
	if err != nil {
		return nameError(full, err)
	}
	return nil
}

// treeFile is one list of a tree.
type treeFile struct {
	name      string // below the root, with slashes
	rank      int
	info      string
	reference string
}

// treeFiles lists what a tree holds, in the order of reading.
func treeFiles(root string) ([]treeFile, error) {
	var files []treeFile
	static, kind := "", isTree(root)
	switch kind {
	case folder:
		files, err := listDir(nil, root, "", false)
		order(files)
		return files, err
	case parent:
		static = "static"
		if dir, err := isDir(filepath.Join(root, "custom")); err != nil {
			return nil, err
		} else if dir {
			if files, err = listDir(files, root, "custom", false); err != nil {
				return nil, err
			}
		}
	}
	files, err := listDir(files, root, static, true)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(filepath.Join(root, static))
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		name := path.Join(static, e.Name())
		if dir, err := isDir(filepath.Join(root, name)); err != nil || !dir {
			continue // a dangling link here is no list
		}
		if files, err = listDir(files, root, name, true); err != nil {
			return nil, err
		}
	}
	order(files)
	return files, nil
}

type treeKind int

const (
	folder treeKind = iota // of lists
	parent                 // of static/
	group                  // static/ itself
)

func isTree(root string) treeKind {
	if dir, _ := isDir(filepath.Join(root, "static")); dir {
		return parent
	}
	for _, name := range []string{"malware", "malicious", "suspicious"} {
		if dir, _ := isDir(filepath.Join(root, name)); dir {
			return group
		}
	}
	return folder
}

// isDir follows links; what does not exist is no directory.
func isDir(name string) (bool, error) {
	fi, err := os.Stat(name)
	if os.IsNotExist(err) {
		return false, nil
	}
	return err == nil && fi.IsDir(), err
}

// listDir appends the lists of one directory below root.
func listDir(files []treeFile, root, dir string, static bool) ([]treeFile, error) {
	entries, err := os.ReadDir(filepath.Join(root, dir))
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		name := e.Name()
		if ext := path.Ext(name); e.IsDir() || name[0] == '.' || ext != ".txt" && (ext != ".csv" || !static) {
			continue
		}
		f := treeFile{name: path.Join(dir, name), info: infoOf(name), reference: trails.ReferenceCustom, rank: rankCustom}
		if static {
			f.reference = trails.ReferenceStatic
			group := path.Base(dir)
			switch {
			case dir == "" || dir == "static":
				f.rank, group = rankRoot, ""
			case strings.Contains(group, "suspicious"), strings.Contains(group, "malicious"):
				f.rank = rankSuspected
			default:
				f.rank = rankGroup
			}
			if group != "" {
				f.info += " (" + clean(group) + ")"
			}
		}
		if strings.Contains(name, "history") {
			f.rank = rankHistory
		}
		files = append(files, f)
	}
	return files, nil
}

// order sorts for reading. Between groups of one rank the later in the
// alphabet comes first, so that malicious wins over suspicious.
func order(files []treeFile) {
	slices.SortFunc(files, func(a, b treeFile) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(path.Dir(b.name), path.Dir(a.name)), cmp.Compare(a.name, b.name))
	})
}
