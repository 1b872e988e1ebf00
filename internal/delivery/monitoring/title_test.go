package monitoring

import "testing"

// The expected values are those of Python 3.11's str.title.
func TestTitleCase(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"full": "Full", "incremental": "Incremental", "FULL": "Full", "fULL": "Full", "": "", " ": " ", "f": "F",
		"drift_testing_incremental": "Drift_Testing_Incremental",
		"DRIFT_TESTING_INCREMENTAL": "Drift_Testing_Incremental",
		"full load":                 "Full Load", "full  load ": "Full  Load ", "full-load": "Full-Load",
		"full.load/x": "Full.Load/X",
		"_full__x":    "_Full__X",
		"3full":       "3Full", "x2y": "X2Y", "full 2nd": "Full 2Nd", "v1a_b2": "V1A_B2",
		"they're": "They'Re", "o'neill": "O'Neill", "they’re": "They’Re", "full\tload\nx": "Full\tLoad\nX",
		"état": "État", "ÉTAT_ÉTÉ": "État_Été", "ελ αθ": "Ελ Αθ", "ǆa": "ǅa", "漢a": "漢A", "a漢b": "A漢B", "ªb": "ªb",
		"ⓐb": "Ⓐb", "a\u0301b": "A\u0301B", "İ": "İ",
	} {
		if got := titleCase(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
