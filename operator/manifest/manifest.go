package manifest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// Manifest holds the lines of a list by collection: their text in memory up to a bound, and beyond that in a temporary
// file. So a list may be in any order, and its size does not decide how much memory it takes; the number of its
// collections does. Names may be read concurrently once all lines are added.
type Manifest struct {
	bound       int // bytes of names in memory
	held        int
	collections map[string]*lines
	spill       *os.File // nil while all names are in memory
	written     int64
}

// lines are the names of a collection, each after its length, the spilled ones first.
type lines struct {
	spilled []extent
	held    []byte
	count   int
}

type extent struct {
	offset int64
	length int
}

// New makes an empty manifest that keeps about so many bytes of names in memory.
func New(bound int) *Manifest { return &Manifest{bound: bound, collections: map[string]*lines{}} }

// Close gives the temporary file back.
func (m *Manifest) Close() error {
	if m.spill == nil {
		return nil
	}
	err := m.spill.Close()
	if gone := os.Remove(m.spill.Name()); gone != nil && !errors.Is(gone, os.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// Add adds a line.
func (m *Manifest) Add(collection, name string) error {
	of := m.collections[collection]
	if of == nil {
		of = &lines{}
		m.collections[strings.Clone(collection)] = of
	}
	before := len(of.held)
	of.held = append(binary.AppendUvarint(of.held, uint64(len(name))), name...)
	of.count++
	if m.held += len(of.held) - before; m.held <= m.bound {
		return nil
	}
	return m.flush()
}

// flush moves the names in memory to the temporary file.
func (m *Manifest) flush() error {
	if m.spill == nil {
		file, err := os.CreateTemp("", "snapshot-status-manifest-")
		if err != nil {
			return notStored(err)
		}
		m.spill = file
		_ = os.Remove(file.Name()) // most systems keep an open file; a process that is killed leaves nothing behind
	}
	for _, of := range m.collections {
		if len(of.held) == 0 {
			continue
		}
		if _, err := m.spill.WriteAt(of.held, m.written); err != nil {
			return notStored(err)
		}
		of.spilled = append(of.spilled, extent{m.written, len(of.held)})
		m.written += int64(len(of.held))
		of.held = nil
	}
	m.held = 0
	return nil
}

func notStored(err error) error {
	return fmt.Errorf("storing the list in a temporary file: %w; set TMPDIR to a folder with as much space as the list",
		err)
}

// Collections are the names of the list's collections, sorted.
func (m *Manifest) Collections() []string { return slices.Sorted(maps.Keys(m.collections)) }

// Has reports whether the list has lines of the collection.
func (m *Manifest) Has(collection string) bool { return m.collections[collection] != nil }

// Names are the names of a collection in the order of the list.
func (m *Manifest) Names(collection string) ([]string, error) {
	of := m.collections[collection]
	if of == nil {
		return nil, nil
	}
	names := make([]string, 0, of.count)
	for _, extent := range of.spilled {
		spilled := make([]byte, extent.length)
		if _, err := m.spill.ReadAt(spilled, extent.offset); err != nil {
			return nil, fmt.Errorf("reading the stored list: %w", err)
		}
		names = appendNames(names, spilled)
	}
	return appendNames(names, of.held), nil
}

func appendNames(names []string, held []byte) []string {
	for len(held) > 0 {
		length, size := binary.Uvarint(held)
		end := size + int(length)
		names = append(names, string(held[size:end]))
		held = held[end:]
	}
	return names
}
