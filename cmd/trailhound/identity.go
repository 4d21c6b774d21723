package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"trailhound/agent/event"
)

// identityFile holds the sensor's id and the machine id that it was made on.
const identityFile = "sensor-id"

// identity gives who speaks, with the id that outlives restarts. An image that
// is cloned with its state directory becomes a new sensor: its machine id
// differs. Without a state directory that can be written the id lasts as long
// as the process.
func (s *service) identity() *event.Identity {
	id := identity(s.config)
	path := filepath.Join(s.config.State, identityFile)
	known, err := sensorID(path, machineID())
	if err != nil {
		s.log.Warn("the sensor's id cannot be kept, it lasts as long as this process", "error", err)
	}
	id.ID = known
	return id
}

// sensorID reads the id from a file, or makes one and writes it there.
func sensorID(path, machine string) (string, error) {
	if text, err := os.ReadFile(path); err == nil {
		fields := strings.Fields(string(text))
		if len(fields) > 0 {
			if id, err := uuid.Parse(fields[0]); err == nil && (len(fields) == 1 || fields[1] == machine) {
				return id.String(), nil
			}
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return uuid.NewString(), fmt.Errorf("cannot read %q: %w", path, bare(err))
	}
	id := uuid.NewString()
	if err := writeWhole(path, id+" "+machine+"\n"); err != nil {
		return id, err
	}
	return id, nil
}

// machineID is the machine's id (machine-id(5)); empty when it has none.
func machineID() string {
	text, err := os.ReadFile("/etc/machine-id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// writeWhole writes a small file so that it is there whole or not at all.
func writeWhole(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return fmt.Errorf("cannot write %q: %w", path, bare(err))
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("cannot write %q: %w", path, bare(err))
	}
	_, err = f.WriteString(text)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("cannot write %q: %w", path, bare(err))
	}
	return nil
}
