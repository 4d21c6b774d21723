package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// build runs Maven on a folder and gives the directory with what it made. That
// is kept in cache, by default one of the user, under a name made of the
// folder's content, so it is done once.
func build(ctx context.Context, name string, folder fs.FS, cache string) (string, error) {
	for _, tool := range []string{"java", "javac", "mvn"} {
		if _, err := exec.LookPath(tool); err != nil {
			return "", fmt.Errorf("%s is needed to run a real node of %s: install openjdk-17-jdk-headless and maven, or leave TRAILHOUND_RECEIVERS unset", tool, name)
		}
	}
	sum, err := digest(folder)
	if err != nil {
		return "", err
	}
	if cache == "" {
		if cache, err = os.UserCacheDir(); err != nil {
			cache = os.TempDir()
		}
		cache = filepath.Join(cache, "trailhound", "receivers")
	}
	dist := filepath.Join(cache, name+"-"+sum)
	if _, err := os.Stat(dist); err == nil {
		return dist, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	work, err := os.MkdirTemp(cache, name+"-build-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	source, made := filepath.Join(work, "source"), filepath.Join(work, "dist")
	if err := os.CopyFS(source, folder); err != nil {
		return "", err
	}
	mvn := exec.CommandContext(ctx, "mvn", "-B", "-q", "-Ddist="+made, "package")
	mvn.Dir = source
	if out, err := mvn.CombinedOutput(); err != nil {
		return "", fmt.Errorf("mvn cannot build the node of %s: %w\n%s", name, err, out[max(0, len(out)-4096):])
	}
	if err := os.Rename(filepath.Join(source, "run.sh"), filepath.Join(made, "run.sh")); err != nil {
		return "", err
	}
	// Another process may have been faster: its result is as good.
	if err := os.Rename(made, dist); err != nil {
		if _, e := os.Stat(dist); e != nil {
			return "", err
		}
	}
	return dist, nil
}

// digest names the content of a folder.
func digest(folder fs.FS) (string, error) {
	h := sha256.New()
	err := fs.WalkDir(folder, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := folder.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		fmt.Fprintf(h, "%s\x00", path)
		_, err = io.Copy(h, f)
		return err
	})
	return hex.EncodeToString(h.Sum(nil)[:6]), err
}
