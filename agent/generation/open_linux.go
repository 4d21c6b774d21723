package generation

import (
	"os"
	"syscall"
)

// openFile opens a file for reading without waiting: a FIFO under its name must
// not stop the sensor.
func openFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}
