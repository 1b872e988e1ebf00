package command

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"snapshot-status-checker/operator/show"
)

// inputFile is a file that the user names, - for the standard input.
type inputFile string

// readInput returns the result of reading a file. Reading the standard input ends with an error if the context does.
func readInput[T any](a *app, file inputFile, read func(io.Reader) (T, error)) (T, error) {
	if file == "-" {
		return typed(a, a.in, read)
	}
	opened, err := os.Open(string(file))
	if err != nil {
		var nothing T
		return nothing, err
	}
	defer func() { _ = opened.Close() }()
	return read(opened)
}

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

// read reads all of it as text (see decode). An error about the text says which file it is about.
func (f inputFile) read(a *app) (string, error) {
	return readInput(a, f, func(in io.Reader) (string, error) {
		raw, err := io.ReadAll(in)
		if err != nil {
			return "", err
		}
		text, err := decode(raw)
		if err != nil {
			return "", fmt.Errorf("%s: %w", f.name(), err)
		}
		return text, nil
	})
}

// name is what an error calls it.
func (f inputFile) name() string {
	if f == "-" {
		return "standard input"
	}
	return show.Clean(string(f))
}

// decode reads UTF-8 or UTF-16, with or without a byte order mark. The result is valid UTF-8 without the mark; line
// ends stay. The error names the first line that is neither, or has a NUL.
func decode(raw []byte) (string, error) {
	var decoded strings.Builder
	for text := newText(bytes.NewReader(raw)); ; {
		switch r, err := text.next(); {
		case errors.Is(err, io.EOF):
			return decoded.String(), nil
		case err != nil:
			return "", err
		default:
			decoded.WriteRune(r)
		}
	}
}

// maxLine bounds the bytes of a line.
const maxLine = 1 << 20

// linesOf yields the lines of a text of any size without their ends, LF or CRLF. It decodes as decode does. An error is
// the last and, if it is about the text, names the line.
func linesOf(in io.Reader) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		text, number, line := newText(in), 1, []byte(nil)
		for {
			r, end := text.next()
			if end == nil && r != '\n' && len(line) < maxLine {
				line = utf8.AppendRune(line, r)
				continue
			}
			whole := strings.TrimSuffix(string(line), "\r")
			switch {
			case errors.Is(end, io.EOF) && len(line) == 0:
				return
			case end != nil && !errors.Is(end, io.EOF):
				yield("", end)
				return
			case end == nil && r != '\n':
				yield("", fmt.Errorf("line %d has more than %d bytes; end each line with LF or CRLF", number, maxLine))
				return
			case strings.Contains(whole, "\r"):
				yield("", fmt.Errorf("line %d contains a carriage return; end each line with LF or CRLF", number))
				return
			}
			if !yield(whole, nil) {
				return
			}
			line, number = line[:0], number+1
		}
	}
}

// text is read a character at a time.
type text struct {
	*bufio.Reader
	order binary.ByteOrder // of UTF-16; nil for UTF-8
	line  int              // of the next character
}

// newText recognises the encoding of a text by its mark, which is not part of the text. Without a mark it recognises
// UTF-16 by the zeros beside its first two characters, which are ASCII in these texts (RFC 4627, section 3).
func newText(in io.Reader) *text {
	t := &text{bufio.NewReaderSize(in, 64<<10), nil, 1}
	begin, _ := t.Peek(4) // an error comes again
	zeros, mark := "", 0
	for _, b := range begin {
		zeros += map[bool]string{true: "0", false: "x"}[b == 0]
	}
	switch {
	case bytes.HasPrefix(begin, []byte("\xef\xbb\xbf")):
		mark = 3
	case bytes.HasPrefix(begin, []byte("\xff\xfe")):
		t.order, mark = binary.LittleEndian, 2
	case bytes.HasPrefix(begin, []byte("\xfe\xff")):
		t.order, mark = binary.BigEndian, 2
	case zeros == "x0" || zeros == "x0x0":
		t.order = binary.LittleEndian
	case zeros == "0x" || zeros == "0x0x":
		t.order = binary.BigEndian
	}
	_, _ = t.Discard(mark)
	return t
}

// next reads a character. At the end, the error is io.EOF.
func (t *text) next() (rune, error) {
	r, wrong, err := t.character()
	switch {
	case err != nil:
		return 0, err
	case wrong == "" && r == 0:
		wrong = "has a NUL byte"
	case r == '\n':
		t.line++
	}
	if wrong != "" {
		return 0, fmt.Errorf("line %d %s; save it as text in UTF-8", t.line, wrong)
	}
	return r, nil
}

// character reads a character, or says what is wrong with it.
func (t *text) character() (r rune, wrong string, err error) {
	if t.order == nil {
		r, size, err := t.ReadRune()
		if r == utf8.RuneError && size == 1 {
			_ = t.UnreadRune()
			rest, end := t.Peek(utf8.UTFMax)
			if !utf8.FullRune(rest) && !errors.Is(end, io.EOF) { // reading failed inside of it
				return 0, "", end
			}
			wrong = fmt.Sprintf("is not UTF-8 (byte %#x)", rest[0])
		}
		return r, wrong, err
	}
	r, err = t.unit()
	if err == nil && utf16.IsSurrogate(r) {
		var low rune
		if low, err = t.unit(); errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
			wrong = "is not UTF-16"
		}
	}
	if errors.Is(err, io.ErrUnexpectedEOF) { // half of two bytes, or of two units
		wrong, err = "is not UTF-16", nil
	}
	return r, wrong, err
}

// unit reads one or, of a surrogate pair, half a character of UTF-16.
func (t *text) unit() (rune, error) {
	var unit [2]byte
	_, err := io.ReadFull(t, unit[:])
	return rune(t.order.Uint16(unit[:])), err
}
