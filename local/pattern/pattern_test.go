package pattern_test

import (
	"encoding/json"
	"testing"

	"snapshot-status-checker/local/pattern"
)

func TestMatchesAsEventBridgeDoes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		pattern, event string
		want           bool
	}{
		"Equals":               {`{"a":["x"]}`, `{"a":"x","b":1}`, true},
		"EqualsNot":            {`{"a":["x"]}`, `{"a":"X"}`, false},
		"EqualsNumber":         {`{"a":[1]}`, `{"a":1.0}`, true},
		"NumberIsNoText":       {`{"a":[1]}`, `{"a":"1"}`, false},
		"NullIsPresent":        {`{"a":[null]}`, `{"a":null}`, true},
		"NullIsNotAbsent":      {`{"a":[null]}`, `{}`, false},
		"OneOfSeveral":         {`{"a":["x","y"]}`, `{"a":"y"}`, true},
		"EveryField":           {`{"a":["x"],"b":["y"]}`, `{"a":"x","b":"y"}`, true},
		"NotEveryField":        {`{"a":["x"],"b":["y"]}`, `{"a":"x","b":"z"}`, false},
		"Nested":               {`{"a":{"b":["x"]}}`, `{"a":{"b":"x"}}`, true},
		"NestedInText":         {`{"a":{"b":["x"]}}`, `{"a":"x"}`, false},
		"IgnoreCase":           {`{"a":[{"equals-ignore-case":"Sent"}]}`, `{"a":"sENT"}`, true},
		"IgnoreCaseOther":      {`{"a":[{"equals-ignore-case":"Sent"}]}`, `{"a":"Lost"}`, false},
		"IgnoreCaseASCIIOnly":  {`{"a":[{"equals-ignore-case":"Sent"}]}`, `{"a":"ſent"}`, false},
		"IgnoreCaseNumber":     {`{"a":[{"equals-ignore-case":"1"}]}`, `{"a":1}`, false},
		"Exists":               {`{"a":[{"exists":true}]}`, `{"a":""}`, true},
		"Absent":               {`{"a":[{"exists":false}]}`, `{}`, true},
		"AbsentNot":            {`{"a":[{"exists":false}]}`, `{"a":"x"}`, false},
		"AbsentWithParent":     {`{"a":{"b":[{"exists":false}]}}`, `{}`, true},
		"AnythingBut":          {`{"a":[{"anything-but":["x","y"]}]}`, `{"a":"z"}`, true},
		"AnythingButNot":       {`{"a":[{"anything-but":["x","y"]}]}`, `{"a":"y"}`, false},
		"AnythingButAsSpelled": {`{"a":[{"anything-but":["x"]}]}`, `{"a":"X"}`, true},
		"AnythingButAbsent":    {`{"a":[{"anything-but":["x"]}]}`, `{}`, false},
		"AnythingButOrAbsent":  {`{"a":[{"anything-but":["x"]},{"exists":false}]}`, `{}`, true},
		"OrFirst":              {`{"$or":[{"a":["x"]},{"b":["y"]}]}`, `{"a":"x","b":"z"}`, true},
		"OrSecond":             {`{"$or":[{"a":["x"]},{"b":["y"]}]}`, `{"a":"z","b":"y"}`, true},
		"OrNone":               {`{"$or":[{"a":["x"]},{"b":["y"]}]}`, `{"a":"y","b":"x"}`, false},
		"OrBesideAField":       {`{"c":["z"],"$or":[{"a":["x"]},{"b":["y"]}]}`, `{"a":"x","c":"z"}`, true},
		"OrBesideAFieldNot":    {`{"c":["z"],"$or":[{"a":["x"]},{"b":["y"]}]}`, `{"a":"x","c":"y"}`, false},
		"OrNested":             {`{"d":{"$or":[{"a":["x"]},{"b":{"c":["y"]}}]}}`, `{"d":{"b":{"c":"y"}}}`, true},
		"NothingAsked":         {`{}`, `{"a":"x"}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := pattern.Parse(test.pattern)
			if err != nil {
				t.Fatal(err)
			}
			var event map[string]any
			if err := json.Unmarshal([]byte(test.event), &event); err != nil {
				t.Fatal(err)
			}
			if got := p.Matches(event); got != test.want {
				t.Errorf("%s matches %s: %v", test.pattern, test.event, got)
			}
		})
	}
}

func TestParseRefusesUnsupportedPatterns(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"NotJSON":              `{"a":`,
		"NoObject":             `["a"]`,
		"ValueWithoutArray":    `{"a":"x"}`,
		"UnknownOperator":      `{"a":[{"prefix":"x"}]}`,
		"UnknownNested":        `{"a":{"b":["x",{"suffix":"y"}]}}`,
		"OperandOfIgnoreCase":  `{"a":[{"equals-ignore-case":["x"]}]}`,
		"IgnoreCaseNotASCII":   `{"a":[{"equals-ignore-case":"é"}]}`,
		"OperandOfExists":      `{"a":[{"exists":"true"}]}`,
		"NullPattern":          `null`,
		"ArrayAmongValues":     `{"a":["x",["y"]]}`,
		"NoOperator":           `{"a":[{}]}`,
		"TwoOperators":         `{"a":[{"exists":true,"equals-ignore-case":"x"}]}`,
		"OperatorInsideBut":    `{"a":[{"anything-but":["x",{"exists":false}]}]}`,
		"NullInsideBut":        `{"a":[{"anything-but":[null]}]}`,
		"OrOfOne":              `{"$or":[{"a":["x"]}]}`,
		"OrOfNothing":          `{"$or":[{"a":["x"]},{}]}`,
		"UnknownInsideOr":      `{"$or":[{"a":["x"]},{"b":[{"prefix":"x"}]}]}`,
		"OperandOfAnythingBut": `{"a":[{"anything-but":{"equals-ignore-case":"x"}}]}`, // Pipes does not know it either
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := pattern.Parse(text); err == nil {
				t.Errorf("%s is accepted", text)
			}
		})
	}
}
