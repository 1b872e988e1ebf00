package command

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"golang.org/x/text/encoding/unicode"
)

// What linesOf holds in memory, in bytes: a chunk, and the rest of its last line.
const (
	chunkBytes = 64 << 10
	maxLine    = 1 << 20
)

var errLongLine = fmt.Errorf("has more than %d bytes", maxLine)

// linesOf yields the lines of a text of any size without their ends, LF or CRLF. It decodes as decode does, a chunk of
// whole lines at a time. An error is the last and, if it is about the text, names the line.
func linesOf(in io.Reader) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		reader := bufio.NewReaderSize(in, chunkBytes)
		begin, _ := reader.Peek(4) // an error comes again
		encoding := encodingOf(begin)
		number := 1
		for {
			raw, end := encoding.chunk(reader)
			if errors.Is(end, errLongLine) {
				end = fmt.Errorf("line %d %w; end each line with LF or CRLF", number+bytes.Count(raw, []byte("\n")),
					end)
			}
			if end != nil && !errors.Is(end, io.EOF) {
				yield("", end)
				return
			}
			text, err := encoding.decode(raw, number)
			if err != nil {
				yield("", err)
				return
			}
			for line := range strings.Lines(text) {
				line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
				if strings.Contains(line, "\r") {
					yield("", fmt.Errorf("line %d contains a carriage return; end each line with LF or CRLF", number))
					return
				}
				if !yield(line, nil) {
					return
				}
				number++
			}
			if end != nil {
				return
			}
		}
	}
}

// chunk reads about chunkBytes up to the end of a line. The last chunk comes with io.EOF.
func (e textEncoding) chunk(in *bufio.Reader) ([]byte, error) {
	raw := make([]byte, chunkBytes)
	n, err := io.ReadFull(in, raw)
	raw = raw[:n]
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	for err == nil && !e.endsLine(raw) {
		if len(raw) > chunkBytes+maxLine {
			return raw, errLongLine
		}
		var more []byte
		more, err = in.ReadSlice('\n')
		if raw = append(raw, more...); errors.Is(err, bufio.ErrBufferFull) {
			err = nil
		}
		if err == nil && e.utf16 && len(raw)%2 == 1 { // between the bytes of a character
			var second byte
			if second, err = in.ReadByte(); err == nil {
				raw = append(raw, second)
			}
		}
	}
	return raw, err
}

// endsLine reports whether whole lines end with a line end.
func (e textEncoding) endsLine(raw []byte) bool {
	switch {
	case !e.utf16:
		return bytes.HasSuffix(raw, []byte("\n"))
	case len(raw)%2 == 1:
		return false
	case e.order == unicode.LittleEndian:
		return bytes.HasSuffix(raw, []byte("\n\x00"))
	}
	return bytes.HasSuffix(raw, []byte("\x00\n"))
}
