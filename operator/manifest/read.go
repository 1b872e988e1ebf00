package manifest

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"snapshot-status-checker/internal/snapshot"
)

// The two formats, for errors.
const (
	csvForm  = "two columns, separated by a comma: collection,file"
	jsonForm = `one object a line: {"collection": "…", "file": "…"}`
)

// Read adds the lines of a list to the manifest: CSV (RFC 4180, one record a line) of collection and file, or one JSON
// object a line, if the first character that is not white space is a brace. Blank lines, headers and other fields of
// objects are ignored. An error about the text names the line, says what is wrong and what is expected.
func (m *Manifest) Read(lines iter.Seq2[string, error]) error {
	number := 0
	var parse func(string) (collection, file string, err error)
	for line, err := range lines {
		number++
		if err != nil {
			return err
		}
		line = strings.TrimPrefix(line, "\ufeff") // joined lists have marks between them
		begin := strings.TrimSpace(line)
		if begin == "" {
			continue
		}
		if parse == nil {
			parse = parserOf(begin[0])
		}
		collection, file, err := parse(line)
		if err == nil && header(collection, file) {
			continue
		}
		collection = strings.TrimSpace(collection)
		if err == nil {
			err = check(collection, file)
		}
		if err != nil {
			return fmt.Errorf("line %d %w", number, err)
		}
		if err := m.Add(collection, file); err != nil {
			return err
		}
	}
	if len(m.collections) == 0 {
		return errors.New("the list is empty")
	}
	return nil
}

func parserOf(first byte) func(string) (string, string, error) {
	switch first {
	case '{':
		return parseJSON
	case '[':
		return func(string) (string, string, error) {
			return "", "", errors.New("begins a JSON array; expected " + jsonForm + " (jq -c '.[]' writes it)")
		}
	}
	return csvParser()
}

// csvParser returns a function that reads one line with encoding/csv's reader. A quoted field that the line does not
// end is an error, so no quote takes the rest of the list with it.
func csvParser() func(string) (string, string, error) {
	var line strings.Reader
	reader := csv.NewReader(&line)
	reader.FieldsPerRecord, reader.ReuseRecord = -1, true
	return func(text string) (string, string, error) {
		line.Reset(text)
		record, err := reader.Read()
		switch {
		case err != nil:
			return "", "", fmt.Errorf("has a quote that is not closed or not doubled; expected %s; write a name that "+
				`contains quotes or commas as "a ""name"", with both"`, csvForm)
		case len(record) != 2:
			return "", "", fmt.Errorf("has %s; expected %s; put a name that contains a comma in quotes",
				columns(len(record)), csvForm)
		case header(record[1], record[0]):
			return "", "", errors.New("has the columns in the other order; expected " + csvForm)
		}
		return record[0], record[1], nil
	}
}

func columns(n int) string {
	if n == 1 {
		return "1 column"
	}
	return fmt.Sprintf("%d columns", n)
}

// parseJSON accepts the names that messages use, too.
func parseJSON(text string) (string, string, error) {
	var line struct {
		Collection     string `json:"collection"`
		CollectionName string `json:"collection_name"`
		File           string `json:"file"`
		Filename       string `json:"filename"`
		FileName       string `json:"file_name"`
	}
	if err := json.Unmarshal([]byte(text), &line); err != nil {
		return "", "", fmt.Errorf("cannot be read (%w); expected %s", err, jsonForm)
	}
	return cmp.Or(line.Collection, line.CollectionName), cmp.Or(line.File, line.Filename, line.FileName), nil
}

func header(collection, file string) bool {
	is := func(text string, names ...string) bool {
		return slices.Contains(names, strings.ToLower(strings.TrimSpace(text)))
	}
	return is(collection, "collection", "collection_name") && is(file, "file", "filename", "file_name")
}

func check(collection, file string) error {
	switch {
	case collection == "":
		return errors.New("names no collection; expected a collection and a file")
	case len(collection) > snapshot.MaxCollectionName:
		return fmt.Errorf("has a collection name of %d bytes; the maximum is %d", len(collection),
			snapshot.MaxCollectionName)
	case strings.TrimSpace(file) == "":
		return errors.New("names no file; expected a collection and a file")
	}
	return nil
}
