package snapshot

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// CountBy says what counts once: each message, or each file of an export.
type CountBy string

// ByMessage counts each message once. A file that is sent again, in another message, counts again (seed document,
// "Function flow"). ByFile counts each file name once in each epoch of its collection.
const (
	ByMessage CountBy = "message"
	ByFile    CountBy = "file"
)

// UnmarshalText accepts the values above, and no value for ByMessage.
func (by *CountBy) UnmarshalText(text []byte) error {
	switch *by = CountBy(text); *by {
	case "":
		*by = ByMessage
	case ByMessage, ByFile:
	default:
		return fmt.Errorf("%q is neither %s nor %s", text, ByMessage, ByFile)
	}
	return nil
}

// MaxDigests is the number of digests that a counted message adds to its collection at most.
func (by CountBy) MaxDigests() int {
	if by == ByFile {
		return 2
	}
	return 1
}

// Validate rejects the messages that cannot be counted this way: ByFile needs the name of each file. It does not change
// receipts.
func (by CountBy) Validate(receipts []Receipt) []Receipt {
	if by != ByFile {
		return receipts
	}
	valid := slices.Clone(receipts)
	for i, receipt := range valid {
		if receipt.Rejection == nil && !receipt.Message.IsSuccessFile {
			valid[i].Rejection = receipt.Unnamed
		}
	}
	return valid
}

// unnamed returns why a message does not name its file, nil if it does.
func (o object) unnamed() *Rejection {
	if rejection := o.repeated(fileNames[:]...); rejection != nil {
		return rejection
	}
	for _, name := range fileNames {
		if raw := o.get(name); !unset(raw) {
			value, ok := asString(raw)
			switch {
			case !ok:
				return reject(ReasonFieldNotString, "field %s is not a string", name)
			case strings.ContainsRune(value, utf8.RuneError):
				return reject(ReasonFieldNotString, "field %s contains U+FFFD or an invalid character that is read as "+
					"U+FFFD: other files may have the same name", name)
			case value != FilenameNotSet:
				return nil
			}
		}
	}
	return reject(ReasonFieldMissing,
		"field %s is missing; it is required because files are counted by name (countBy=file)", fileNames[0])
}

// FileDigest identifies the file of a message in an epoch of its collection. It equals no digest of a message.
func (r Receipt) FileDigest(epoch int64) string {
	return digestOf(append(binary.BigEndian.AppendUint64([]byte("file"), uint64(epoch)), r.Message.Filename...))
}

// RepeatDigest marks the message with this digest as one whose file another message had brought.
func RepeatDigest(message string) string { return digestOf([]byte("repeat" + message)) }

func digestOf(text []byte) string {
	sum := sha256.Sum256(text)
	return string(sum[:digestBytes])
}
