package metricstest_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/telemetry/metrics/metricstest"
)

const good = `{"_aws":{"Timestamp":1574109732004,"CloudWatchMetrics":[` +
	`{"Namespace":"N","Dimensions":[["d"]],"Metrics":[{"Name":"m","Unit":"Count"}]}]},"d":"x","m":[0,1.5]}`

func TestExtract(t *testing.T) {
	t.Parallel()
	want := []metricstest.Datum{{Namespace: "N", Name: "m", Unit: "Count", Dimensions: "d=x"},
		{Namespace: "N", Name: "m", Unit: "Count", Dimensions: "d=x", Value: 1.5}}
	got, err := metricstest.Extract([]byte(good))
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	for name, change := range map[string][2]string{ // each breaks one rule
		"unknown member":             {`"Namespace"`, `"Resolution":1,"Namespace"`},
		"time in seconds":            {`732004`, `732`},
		"namespace of AWS":           {`"N"`, `"AWS/Lambda"`},
		"no dimension set":           {`[["d"]]`, `[]`},
		"dimension without a value":  {`["d"]`, `["e"]`},
		"empty dimension":            {`"x"`, `""`},
		"31 dimensions":              {`["d"]`, `["d"` + strings.Repeat(`,"d"`, 30) + `]`},
		"no such unit":               {`"Count"`, `"Files"`},
		"metric without a value":     {`"m":`, `"n":`},
		"null among a metric's list": {`1.5`, `null`},
	} {
		if data, err := metricstest.Extract([]byte(strings.Replace(good, change[0], change[1], 1))); err == nil {
			t.Errorf("%s is taken as %v", name, data)
		}
	}
}
