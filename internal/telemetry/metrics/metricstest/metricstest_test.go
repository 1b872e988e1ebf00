package metricstest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/telemetry/metrics/metricstest"
)

// aws is a line with these directives and members.
func aws(directives, members string) string {
	return fmt.Sprintf(`{"_aws":{"Timestamp":1574109732004,"CloudWatchMetrics":[%s]},"d":"x",%s}`, directives, members)
}

const directive = `{"Namespace":"N","Dimensions":[["d"]],"Metrics":[{"Name":"m","Unit":"Count"}]}`

func TestExtract(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, line string
		want       []metricstest.Datum
	}{
		{"a number", aws(directive, `"m":3`), []metricstest.Datum{{Namespace: "N", Name: "m", Unit: "Count",
			Dimensions: "d=x", Value: 3}}},
		{"a list", aws(directive, `"m":[0,1.5]`), []metricstest.Datum{{Namespace: "N", Name: "m", Unit: "Count",
			Dimensions: "d=x"}, {Namespace: "N", Name: "m", Unit: "Count", Dimensions: "d=x", Value: 1.5}}},
		{"two sets", aws(strings.Replace(directive, `["d"]`, `[],["d"]`, 1), `"m":3`),
			[]metricstest.Datum{{Namespace: "N", Name: "m", Unit: "Count", Value: 3},
				{Namespace: "N", Name: "m", Unit: "Count", Dimensions: "d=x", Value: 3}}},
		{"another line of the log", `{"message":"counted"}`, nil},
		{"no JSON", `START RequestId: 1`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := metricstest.Extract([]byte(test.line))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Each breaks one rule of the format.
func TestExtractRefuses(t *testing.T) {
	t.Parallel()
	changed := func(old, new string) string { return aws(strings.Replace(directive, old, new, 1), `"m":3`) }
	many := func(n int, text string) string { return strings.TrimSuffix(strings.Repeat(text+",", n), ",") }
	for name, line := range map[string]string{
		"no timestamp":                `{"_aws":{"CloudWatchMetrics":[]}}`,
		"no metrics":                  `{"_aws":{"Timestamp":1574109732004}}`,
		"timestamp in seconds":        `{"_aws":{"Timestamp":1574109732,"CloudWatchMetrics":[]}}`,
		"fraction of a timestamp":     `{"_aws":{"Timestamp":1574109732004.5,"CloudWatchMetrics":[]}}`,
		"unknown member":              changed(`"Namespace"`, `"Resolution":1,"Namespace"`),
		"namespace of AWS":            changed(`"N"`, `"AWS/Lambda"`),
		"empty namespace":             changed(`"N"`, `""`),
		"no dimension set":            changed(`[["d"]]`, `[]`),
		"dimension without target":    changed(`["d"]`, `["e"]`),
		"dimension that is a number":  changed(`["d"]`, `["m"]`),
		"31 dimensions":               changed(`"d"`, many(31, `"d"`)),
		"no such unit":                changed(`"Count"`, `"Files"`),
		"metric without target":       changed(`"m"`, `"n"`),
		"101 metrics":                 changed(`{"Name":"m","Unit":"Count"}`, many(101, `{"Name":"m","Unit":"Count"}`)),
		"text as a value":             aws(directive, `"m":"3"`),
		"null as a value":             aws(directive, `"m":null`),
		"null in a list":              aws(directive, `"m":[1,null]`),
		"101 values":                  aws(directive, `"m":[`+many(101, "1")+`]`),
		"no value":                    aws(directive, `"m":[]`),
		"dimension with control char": strings.Replace(aws(directive, `"m":3`), `"d":"x"`, `"d":"\u0001"`, 1),
		"empty dimension":             strings.Replace(aws(directive, `"m":3`), `"d":"x"`, `"d":""`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if data, err := metricstest.Extract([]byte(line)); err == nil {
				t.Errorf("taken as %v: %s", data, line)
			}
		})
	}
}
