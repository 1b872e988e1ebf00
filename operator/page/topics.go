package page

import (
	"context"
	"net/url"
	"strings"
	"time"
)

// topic is what a page follows: the list of runs, or something of a run.
type topic struct{ Of, Run, Collection string }

// What topics are of. The others of a run are made from its tables.
const (
	ofRuns       = "runs"
	ofTables     = "tables"     // what is stored of a run
	ofRun        = "run"        // that, and what stands around it
	ofCollection = "collection" // of a run: the collection alone, and its messages
	ofExecutions = "executions" // of a run
)

// String is how a browser asks for it.
func (t topic) String() string {
	return strings.TrimPrefix(link("", "of", t.Of, "run", t.Run, "collection", t.Collection), "?")
}

func topicOf(query url.Values) topic {
	return topic{query.Get("of"), query.Get("run"), query.Get("collection")}
}

// oftenest is how often it is read at most, however many ask and however little there is to read.
func (t topic) oftenest() time.Duration {
	if t.Of == ofExecutions {
		return besideEvery
	}
	return oftenest
}

// read reads a topic for the hub.
func (s *Server) read(ctx context.Context, of topic) (reading, error) {
	switch {
	case of.Of == ofRuns:
		list, err := s.newest(ctx)
		return reading{Value: list}, err
	case of.Run == "":
		return reading{}, notFound{"No run is named."}
	case of.Of == ofTables:
		run, err := s.readRun(ctx, of.Run)
		return reading{Value: run}, err
	case of.Of == ofRun:
		return s.readWatched(ctx, of.Run)
	case of.Of == ofCollection:
		return s.readCollection(ctx, of)
	case of.Of == ofExecutions:
		return s.readExecutions(ctx, of.Run)
	}
	return reading{}, notFound{"There is nothing of that kind to follow: " + of.Of + "."}
}
