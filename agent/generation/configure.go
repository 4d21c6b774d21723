package generation

// Configure says where new tables are looked for from now on, and how small
// they may be (Options.Path, Options.MinRatio). It returns at once. The table in
// use stays in use until Watch has found another at the path, has checked it and
// holds it for fit; what is wrong with it is told to Options.Event, and so is
// that nothing is there. What was refused before is judged anew.
func (k *Keeper) Configure(path string, minRatio float64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if path == k.path && minRatio == k.ratio {
		return
	}
	k.path, k.ratio, k.anew = path, minRatio, true
	select {
	case k.asked <- struct{}{}:
	default: // Watch has not come to it yet
	}
}

// Path is where new tables are looked for.
func (k *Keeper) Path() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.path
}

// target gives the path for Watch. After Configure nothing counts that was
// found before it.
func (k *Keeper) target() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.anew {
		k.anew = false
		k.owed = k.owed || k.path != k.at
		k.at, k.seen, k.judged, k.gone = k.path, nil, nil, 0
	}
	return k.at
}
