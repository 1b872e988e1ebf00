package metrics_test

import (
	"os"
	"strings"
	"testing"

	"snapshot-status-checker/internal/telemetry/metrics"
)

// Every metric is documented.
func TestDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	table, _, _ := strings.Cut(string(text), "### What the replaced system measured")
	for _, metric := range metrics.All {
		if !strings.Contains(table, "`"+metric.Name+"`") {
			t.Errorf("%s is not in docs/operations.md", metric.Name)
		}
	}
}
