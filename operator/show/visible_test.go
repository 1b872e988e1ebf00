package show_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"snapshot-status-checker/operator/show"
)

// odd are control characters, characters that change the direction of text, and invisible ones.
const odd = "\x00\x1B\x7F\u0085\u009B\u009D\u00A0\u00AD\u034F\u061C\u180E\u200B\u200D\u200E\u2028\u2029\u202E\u2060" +
	"\u2067\u3164\uE000\uFE0F\uFEFF\uFFF9\uFFFE\U000E0020\U000E0100"

// Every character is either shown, and then takes part in what is read, or escaped in ASCII.
func TestCharacters(t *testing.T) {
	t.Parallel()
	for _, r := range odd {
		if show.Visible(r) {
			t.Errorf("%U is visible", r)
		}
	}
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
	if got := show.Quote(`Sent "` + "\u3164"); got != `"Sent \"\u3164"` {
		t.Errorf("quoted: %s", got)
	}
	var out bytes.Buffer
	lines := []byte("level=ERROR run=\u3164x\x1b\na\tb\n")
	if n, err := show.Writer(&out).Write(lines); n != len(lines) || err != nil ||
		out.String() != "level=ERROR run=\\u3164x\\u001b\na\\tb\n" {
		t.Errorf("written: %d, %v: %q", n, err, &out)
	}
}

// Whatever a document holds, it holds the same afterwards, and nothing that is not shown.
func TestJSONKeepsItsValues(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune(odd))))
		value := rapid.MapOf(text, rapid.SliceOf(text)).Draw(t, "value")
		document, err := json.MarshalIndent(value, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		got := show.JSON(document)
		for _, r := range string(got) {
			if r != '\n' && !show.Visible(r) {
				t.Fatalf("%U is left in %q", r, got)
			}
		}
		before, after := map[string][]string{}, map[string][]string{}
		if err := json.Unmarshal(document, &before); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(got, &after); err != nil || !cmp.Equal(before, after) {
			t.Fatalf("%q is %q (%v), was %q", got, after, err, before)
		}
	})
}
