// Command starter chooses the trails that are embedded in the program from the
// merged CSV of the reference's static tree:
//
//	go -C tools run ./starter -csv "$PWD/trails-static.csv" > trails/starter/trails.csv
//
// The choice depends on the input alone; trails/starter/README.md says what it
// is. Run it in the root of the repository as above (-C makes the tools' module
// the working directory), or name the root with -root.
package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	file := flag.String("csv", "", "merged CSV of the static tree")
	root := flag.String("root", "..", "root of the repository")
	flag.Parse()
	if *file == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(64)
	}
	if err := run(os.Stdout, *file, filepath.Join(*root, "trails", "starter")); err != nil {
		fmt.Fprintln(os.Stderr, "starter:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, file, starter string) error {
	rows, err := readRows(file)
	if err != nil {
		return err
	}
	white, err := readNames(filepath.Join(starter, "whitelist.txt"))
	if err != nil {
		return err
	}
	popular, err := readNames(filepath.Join(starter, "testdata", "popular.txt"))
	if err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	out.Write([]string{"trail", "info", "reference"})
	for _, r := range choose(rows, white, popular) {
		out.Write([]string{r.trail, r.info, r.reference})
	}
	out.Flush()
	return out.Error()
}

// row is one trail of the CSV.
type row struct {
	trail, info, reference string
	kind                   kind
	at                     int // place in the file
}

func readRows(file string) ([]row, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(bufio.NewReaderSize(f, 1<<20))
	r.FieldsPerRecord, r.ReuseRecord = 3, true
	var rows []row
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		rows = append(rows, row{fields[0], fields[1], fields[2], kindOf(fields[0]), len(rows)})
	}
}

// readNames reads the first word of every line.
func readNames(file string) (map[string]bool, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for line := range bytes.Lines(data) {
		if fields := strings.Fields(string(line)); len(fields) > 0 && fields[0][0] != '#' {
			names[strings.ToLower(strings.Trim(fields[0], "."))] = true
		}
	}
	return names, nil
}
