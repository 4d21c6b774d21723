package generation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// copyPart is how much of a table is copied at a time.
const copyPart = 1 << 20

// preserve makes the checked table of g the last good one, unless it is that
// already. When it cannot, an older one stays in its place.
func (k *Keeper) preserve(ctx context.Context, g *Generation) {
	if k.opt.Dir == "" || g.file == nil || g.Fallback {
		return
	}
	path := filepath.Join(k.opt.Dir, goodFile)
	if holds(path, g) || samePlace(path, g.Source) {
		return
	}
	if err := k.copy(ctx, g, path); err != nil && ctx.Err() == nil {
		k.opt.Log.Warn("cannot keep a copy of the trail table, the sensor goes on without", "path", path, "error", err)
	}
}

// holds says whether the file at path is a copy of g's. The head has the
// checksums of all the rest.
func holds(path string, g *Generation) bool {
	f, err := openFile(path)
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() != g.info.Size() || os.SameFile(info, g.info) {
		return false
	}
	head := make([]byte, len(g.head))
	_, err = f.ReadAt(head, 0)
	return err == nil && bytes.Equal(head, g.head)
}

// samePlace says whether two paths lead to one name: somebody has configured
// the copy as the table, and copying it would bring a new table for ever.
func samePlace(a, b string) bool {
	x, err := filepath.EvalSymlinks(a)
	if err != nil {
		return false
	}
	y, err := filepath.EvalSymlinks(b)
	return err == nil && x == y
}

// copy copies the file of g beside path and renames it into place.
func (k *Keeper) copy(ctx context.Context, g *Generation, path string) (err error) {
	temp := path + ".new" // one name: what a crash leaves is replaced, not collected
	if err := os.Remove(temp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	mode := os.FileMode(0o600)
	if g.info.Mode()&0o004 != 0 {
		mode = 0o644
	}
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(temp)
		}
	}()
	if err := f.Chmod(mode); err != nil { // whatever the umask
		return err
	}
	if err := k.copyBytes(ctx, f, g); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if g.changed() {
		return fmt.Errorf("trail table %q: %w", g.Source, errChanging)
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// copyBytes copies in parts. From file to file that is copy_file_range(2),
// which shares the blocks where the file system can.
func (k *Keeper) copyBytes(ctx context.Context, to *os.File, g *Generation) error {
	if _, err := g.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	pace := k.pace(ctx)
	for left := g.info.Size(); left > 0; {
		n, err := io.CopyN(to, g.file, min(left, copyPart))
		if err != nil {
			return err
		}
		left -= n
		if err := pace(); err != nil {
			return err
		}
	}
	return nil
}
