package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/quota"
)

// The document holds what the model prints. If it does not: make model.
func TestDocumentHoldsTheTables(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../../docs/scaling.md")
	if err != nil {
		t.Fatal(err)
	}
	want, err := fill(string(document), quota.All())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(string(document), "\n")); diff != "" {
		t.Errorf("docs/scaling.md is not what the model prints: run make model (-model +document)\n%s", diff)
	}
}

func TestFill(t *testing.T) {
	t.Parallel()
	table := quota.Table{Name: "one", Head: []string{"a", "b"}, Rows: [][]string{{"1", "2"}}}
	got, err := fill("before\n<!-- model: one -->\nold\n<!-- end -->\nafter\n", []quota.Table{table})
	if err != nil {
		t.Fatal(err)
	}
	want := "before\n<!-- model: one -->\n| a | b |\n|:---|---:|\n| 1 | 2 |\n<!-- end -->\nafter\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if _, err := fill("no markers", []quota.Table{table}); err == nil {
		t.Error("a document without markers is filled")
	}
}
