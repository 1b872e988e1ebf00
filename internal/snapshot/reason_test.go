package snapshot_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
)

// A new reason must also be in the runbook, the alarms and the dashboard.
func TestReasonsListsAll(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "reason.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []snapshot.Reason
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, named := spec.Type.(*ast.Ident); named && kind.Name == "Reason" {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			declared = append(declared, snapshot.Reason(value))
		}
		return true
	})
	if diff := cmp.Diff(declared, snapshot.Reasons); diff != "" || len(declared) == 0 {
		t.Error(diff)
	}
}
