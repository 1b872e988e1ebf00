package show_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"snapshot-status-checker/operator/show"
)

// odd are control characters, characters that change the direction of text, and invisible ones.
var odd = map[string]rune{
	"Escape": 0x1B, "Delete": 0x7F, "NextLine": 0x85, "CSI": 0x9B, "OSC": 0x9D, "NoBreakSpace": 0xA0,
	"SoftHyphen":     0xAD,
	"GraphemeJoiner": 0x34F, "ArabicLetterMark": 0x61C, "HangulFiller": 0x3164, "MongolianSeparator": 0x180E,
	"ZeroWidthSpace": 0x200B, "ZeroWidthJoiner": 0x200D, "LeftToRightMark": 0x200E, "LineSeparator": 0x2028,
	"ParagraphSeparator": 0x2029, "RightToLeftOverride": 0x202E, "WordJoiner": 0x2060, "RightToLeftIsolate": 0x2067,
	"VariationSelector": 0xFE0F, "ByteOrderMark": 0xFEFF, "InterlinearAnchor": 0xFFF9, "TagSpace": 0xE0020,
	"VariationSelector17": 0xE0100, "PrivateUse": 0xE000, "Noncharacter": 0xFFFE,
}

// What is odd is escaped, and JSON says the same afterwards.
func TestOddCharacters(t *testing.T) {
	t.Parallel()
	for name, r := range odd {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := "a" + string(r) + "b"
			if got := show.Clean(text); strings.ContainsRune(got, r) || !strings.HasPrefix(got, `a\`) ||
				!strings.HasSuffix(got, "b") {
				t.Errorf("as text %q", got)
			}
			if got := show.Quote(text); strings.ContainsRune(got, r) || !strings.HasPrefix(got, `"a\`) {
				t.Errorf("quoted %q", got)
			}
			document, err := json.Marshal(text)
			if err != nil {
				t.Fatal(err)
			}
			got := show.JSON(document)
			var back string
			if err := json.Unmarshal(got, &back); err != nil || back != text || bytes.ContainsRune(got, r) {
				t.Errorf("as JSON %s, which is %q (%v)", got, back, err)
			}
		})
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                     "",
		"db.core.a b":          "db.core.a b",
		"café 日本 🎉":            "café 日本 🎉",
		"a\tb\r\nc":            `a\tb\r\nc`,
		"\u202e\x9b\U000E0020": `\u202e\x9b\U000e0020`,
		"caf\xe9":              `caf\xe9`,
		"\ufffd":               "\ufffd",
	} {
		if got := show.Clean(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	if got := show.Lines("a\tb\nc\u2028"); got != "a\\tb\nc\\u2028" {
		t.Errorf("lines: %q", got)
	}
	if got := show.Quote(`Sent "` + "\u3164"); got != `"Sent \"\u3164"` {
		t.Errorf("quoted: %s", got)
	}
}

// Whatever a document holds, it holds the same afterwards, and nothing that is not show.
func TestJSONKeepsItsValues(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.MapOf(rapid.String(), rapid.SliceOf(rapid.String())).Draw(t, "value")
		var document bytes.Buffer
		encoder := json.NewEncoder(&document)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(value); err != nil {
			t.Fatal(err)
		}
		want := document.String()
		got := show.JSON([]byte(want))
		for _, r := range string(got) {
			if r != '\n' && !show.Visible(r) {
				t.Fatalf("%U is left in %q", r, got)
			}
		}
		var before, after map[string][]string
		if json.Unmarshal([]byte(want), &before) != nil || json.Unmarshal(got, &after) != nil {
			t.Fatalf("%q is no JSON", got)
		}
		is, was := mustMarshal(t, after), mustMarshal(t, before)
		if is != was {
			t.Fatalf("%s, was %s", is, was)
		}
	})
}

func mustMarshal(t *rapid.T, value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Every character is either shown, and then takes part in what is read, or escaped in ASCII.
func TestEscapesAreASCII(t *testing.T) {
	t.Parallel()
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if r >= 0xD800 && r <= 0xDFFF || show.Visible(r) {
			continue
		}
		for _, c := range show.Clean(string(r)) {
			if c < ' ' || c > '~' {
				t.Fatalf("%U: %q", r, show.Clean(string(r)))
			}
		}
	}
}

func TestWriter(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	line := []byte("level=ERROR run=\u3164x\x1b\n")
	if n, err := show.Writer(&out).Write(line); n != len(line) || err != nil ||
		out.String() != "level=ERROR run=\\u3164x\\u001b\n" {
		t.Errorf("%d, %v: %q", n, err, &out)
	}
}
