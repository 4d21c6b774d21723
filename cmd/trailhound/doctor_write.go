package main

import "fmt"

// checkPaths says of each place whether the user may write there.
func checkPaths(places []written, who runner) (all []finding) {
	for _, w := range places {
		all = append(all, checkWritten(w, who))
	}
	return all
}

func checkWritten(w written, who runner) finding {
	f := finding{Check: w.check, Status: statusOK}
	if w.err != nil || len(w.above) == 0 {
		f.Status, f.Action = statusFail, giveDirectory(w.dir, who)
		f.Detail = fmt.Sprintf("cannot look at %q: %v", w.dir, bare(w.err))
		return f
	}
	nearest := w.above[len(w.above)-1]
	as := "checked as user " + who.name
	if !who.self {
		as = fmt.Sprintf("checked for user %s by owner and mode", who.name)
	}
	if err := w.refused(who, nearest); err != nil {
		f.Status, f.Action = statusFail, giveDirectory(w.dir, who)
		switch {
		case nearest.readOnly:
			f.Action = "mount it writable, or choose another path"
		case w.is != nil && who.denied(*w.is, mayWrite) != nil:
			f.Action = fmt.Sprintf("chown %s %s", who.name, w.file)
		}
		what := w.dir
		if !w.made {
			what += " (to be made)"
		}
		f.Detail = fmt.Sprintf("%s is not writable: %v; %s", what, err, as)
		return f
	}
	if f.Detail = w.dir + " is writable"; !w.made {
		f.Detail = fmt.Sprintf("%s does not exist and can be made", w.dir)
	}
	f.Detail += fmt.Sprintf(", %s; %s", freeText(nearest.free), as)
	if nearest.free < leastFree {
		f.Status, f.Action = statusWarn, "make room, or choose another path"
	}
	return f
}

// refused says why the user cannot write there; nil: it can.
func (w written) refused(who runner, nearest place) error {
	for _, p := range w.above {
		if err := who.denied(p, mayEnter); err != nil {
			return err
		}
	}
	if err := who.denied(nearest, mayWrite|mayEnter); err != nil {
		return err
	}
	if w.is != nil {
		if err := who.denied(*w.is, mayWrite); err != nil {
			return fmt.Errorf("%s: %w", w.file, err)
		}
	}
	return nil
}

func giveDirectory(dir string, who runner) string {
	return fmt.Sprintf("install -d -o %s -m 0750 %s", who.name, dir)
}
