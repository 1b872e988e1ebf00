package command

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"snapshot-status-checker/operator/show"
)

// typed returns the result of reading the standard input or, if the context ends first, an error. The read itself
// cannot be interrupted.
func typed[T any](ctx context.Context, in io.Reader, read func(io.Reader) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := read(in)
		done <- result{value, err}
	}()
	select {
	case <-ctx.Done():
		var nothing T
		return nothing, fmt.Errorf("reading standard input: %w", context.Cause(ctx))
	case read := <-done:
		return read.value, read.err
	}
}

// inputFile is a file that the user names, - for the standard input.
type inputFile string

// read reads all of it as text (see decode). An error says which file it is about.
func (f inputFile) read(a *app) (string, error) {
	var raw []byte
	var err error
	if f == "-" {
		raw, err = typed(a, a.in, io.ReadAll)
	} else {
		raw, err = os.ReadFile(string(f))
	}
	if err != nil {
		return "", err
	}
	text, err := decode(raw)
	if err != nil {
		return "", fmt.Errorf("%s: %w", f.name(), err)
	}
	return text, nil
}

// name is what an error calls it.
func (f inputFile) name() string {
	if f == "-" {
		return "standard input"
	}
	return show.Clean(string(f))
}

const utf8Mark = "\xef\xbb\xbf"

// decode reads UTF-8 or UTF-16, with or without a byte order mark. The result is valid UTF-8 without the mark; line
// ends stay. The error names the line that is neither, or has a NUL.
func decode(raw []byte) (string, error) {
	return encodingOf(raw).decode(raw, 1)
}

// textEncoding is how a text is encoded.
type textEncoding struct {
	utf16 bool
	order unicode.Endianness
}

// encodingOf recognises the encoding of a text by its first bytes.
func encodingOf(raw []byte) textEncoding {
	order, is := utf16Order(raw)
	return textEncoding{is, order}
}

// decode reads whole lines, of which the first has this number.
func (e textEncoding) decode(raw []byte, first int) (text string, err error) {
	if e.utf16 {
		text, err = decodeUTF16(raw, e.order, first)
	} else {
		text, err = decodeUTF8(bytes.TrimPrefix(raw, []byte(utf8Mark)), first)
	}
	if err != nil {
		return "", err
	}
	if at := strings.IndexByte(text, 0); at >= 0 {
		return "", fmt.Errorf("line %d has a NUL byte; save it as text in UTF-8", first+lineOf(text, at)-1)
	}
	return text, nil
}

// utf16Order recognises UTF-16 by its mark or, since the texts begin with ASCII characters, by the zeros beside the
// first two of them (RFC 4627, section 3).
func utf16Order(raw []byte) (order unicode.Endianness, is bool) {
	zero := func(i int) bool { return i < len(raw) && raw[i] == 0 }
	other := func(i int) bool { return i >= len(raw) || raw[i] != 0 }
	switch {
	case bytes.HasPrefix(raw, []byte{0xFF, 0xFE}):
		return unicode.LittleEndian, true
	case bytes.HasPrefix(raw, []byte{0xFE, 0xFF}):
		return unicode.BigEndian, true
	case len(raw)%2 == 0 && zero(1) && other(0) && (len(raw) == 2 || zero(3) && other(2)):
		return unicode.LittleEndian, true
	case len(raw)%2 == 0 && zero(0) && other(1) && (len(raw) == 2 || zero(2) && other(3)):
		return unicode.BigEndian, true
	}
	return unicode.LittleEndian, false
}

// decodeUTF16 finds what is not UTF-16 by encoding again: the decoder replaces it.
func decodeUTF16(raw []byte, order unicode.Endianness, first int) (string, error) {
	utf16 := unicode.UTF16(order, unicode.IgnoreBOM)
	text, err := utf16.NewDecoder().Bytes(raw)
	if err != nil {
		return "", err
	}
	again, err := utf16.NewEncoder().Bytes(text)
	if err != nil {
		return "", err
	}
	if same := commonPrefix(raw, again); same < len(raw) {
		before, err := utf16.NewDecoder().Bytes(raw[:same-same%2])
		if err != nil {
			return "", err
		}
		return "", fmt.Errorf("line %d is not UTF-16; save it as text in UTF-8",
			first+lineOf(string(before), len(before))-1)
	}
	return strings.TrimPrefix(string(text), "\ufeff"), nil
}

func decodeUTF8(raw []byte, first int) (string, error) {
	if _, at, err := transform.Bytes(encoding.UTF8Validator, raw); err != nil {
		return "", fmt.Errorf("line %d is not UTF-8 (byte %#x); save it as text in UTF-8",
			first+lineOf(string(raw), at)-1, raw[at])
	}
	return string(raw), nil
}

func commonPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// lineOf is the number of the line, from 1, in which the byte stands.
func lineOf(text string, at int) int { return 1 + strings.Count(text[:at], "\n") }
