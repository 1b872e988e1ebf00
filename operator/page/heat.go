package page

import (
	"cmp"
	"fmt"
	"slices"

	"snapshot-status-checker/operator/report"
)

// mostCells is how many cells a heat map has at most. A larger run has several collections in each.
const mostCells = 2000

// heat shows all collections of a run at a glance, in the order of their names, so that each keeps its place.
type heat struct {
	Cells  []cell
	Each   int // collections in a cell
	Legend []count
}

// cell is one or several collections that stand beside each other.
type cell struct {
	Class string
	Title string
	Link  string
}

// count is how many collections wait for something.
type count struct {
	WaitsFor report.WaitsFor
	Class    string
	N        int
}

// urgency lists the classes, the one that a cell of several shows first.
var urgency = []string{"bad", "due", "files", "sent", "export", "asked", "good"}

func classOf(what report.WaitsFor) string {
	switch what {
	case report.ForRepair, report.ForStatus, report.ForNothingEver:
		return "bad"
	case report.ForLook, report.ForDelivery:
		return "due"
	case report.ForFiles:
		return "files"
	case report.ForSent:
		return "sent"
	case report.ForSuccessFile:
		return "asked"
	case report.ForNothing:
		return "good"
	}
	return "export"
}

// newHeat draws up the heat map of a run.
func newHeat(run report.Run) heat {
	h := heat{Each: max(1, (len(run.Collections)+mostCells-1)/mostCells), Legend: newLegend(run.Collections)}
	byName := byName(run.Collections)
	for start := 0; start < len(byName); start += h.Each {
		h.Cells = append(h.Cells, newCell(run.Summary.Run, byName[start:min(start+h.Each, len(byName))], start))
	}
	return h
}

func newCell(run string, some []report.Collection, start int) cell {
	first := slices.MinFunc(some, func(a, b report.Collection) int {
		return cmp.Compare(slices.Index(urgency, classOf(a.WaitsFor)), slices.Index(urgency, classOf(b.WaitsFor)))
	})
	received, sent := int64(0), int64(0)
	for _, c := range some {
		received, sent = received+c.FilesReceived, sent+c.FilesSent
	}
	class := classOf(first.WaitsFor)
	if class == "files" || class == "export" { // how far: in quarters
		class += fmt.Sprintf(" q%d", percent(received, sent)/25)
	}
	if len(some) == 1 {
		return cell{class, fmt.Sprintf("%s: %s, %d of %d files, waits for %s", first.Collection,
			report.StatusName(first.Status), received, sent, first.WaitsFor),
			link("/collection", "run", run, "name", first.Collection)}
	}
	return cell{class, fmt.Sprintf("%s and %d more up to %s: %d of %d files, one waits for %s", some[0].Collection,
		len(some)-1,
		some[len(some)-1].Collection, received, sent, first.WaitsFor), link("/run", "id", run, "sort", "name", "page",
		start/pageSize+1) + "#collections"}
}

func byName(collections []report.Collection) []report.Collection {
	return slices.SortedFunc(slices.Values(collections),
		func(a, b report.Collection) int { return cmp.Compare(a.Collection, b.Collection) })
}
