package csv

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/gzip"
)

// compress replaces a file by its gzip form. The steps are in an order that a
// crash at any point leaves at least one whole copy: write under another name,
// bring it to the disk, rename, and only then remove the original.
func (o *Output) compress(ctx context.Context, path string) (err error) {
	tmp := path + ".gz.tmp"
	defer func() {
		if err != nil {
			os.Remove(tmp)
		}
	}()
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, o.opt.Mode)
	if err != nil {
		return err
	}
	err = errors.Join(pack(ctx, out, in), out.Chmod(o.opt.Mode), out.Sync())
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	if err = os.Rename(tmp, path+".gz"); err != nil {
		return err
	}
	if err = syncDir(filepath.Dir(path)); err != nil {
		return err
	}
	return os.Remove(path)
}

// pack copies in compressed to out, in pieces so that it can be cancelled.
func pack(ctx context.Context, out io.Writer, in io.Reader) error {
	z, err := gzip.NewWriterLevel(out, gzip.DefaultCompression)
	if err != nil {
		return err
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := io.CopyN(z, in, 1<<20); errors.Is(err, io.EOF) {
			return z.Close()
		} else if err != nil {
			return err
		}
	}
}

// syncDir brings a directory's entries to the disk.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
