package main

import (
	"fmt"
	"sync"

	"snapshot-status-checker/test/scenario"
)

// seen is what has come out of the stack for the run so far. Safe for concurrent use.
type seen struct {
	run      *run
	mutex    sync.Mutex
	rows     []scenario.Row
	requests []scenario.Fields
	news     []string // titles
	rejected []rejected
	expected []scenario.Reject // what must be rejected of what was sent
}

// rejected is a message as it was found in the rejected-messages queue.
type rejected struct {
	scenario.Reject
	detail, text string
}

func (s *seen) locked(do func()) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	do()
}

func (s *seen) setRows(rows []scenario.Row) { s.locked(func() { s.rows = rows }) }
func (s *seen) addRequest(request scenario.Fields) {
	s.locked(func() { s.requests = append(s.requests, request) })
}
func (s *seen) addNews(title string) { s.locked(func() { s.news = append(s.news, title) }) }
func (s *seen) addRejected(found rejected) {
	s.locked(func() { s.rejected = append(s.rejected, found) })
}
func (s *seen) expect(rejects []scenario.Reject) {
	s.locked(func() { s.expected = append(s.expected, rejects...) })
}

// succeeded is the number of collections in status Success.
func (s *seen) succeeded() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return scenario.InStatus(s.rows, "Success")
}

// arrived is the number of collections in status Exported whose files have all arrived.
func (s *seen) arrived() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	count := 0
	for _, row := range s.rows {
		if row.Status == "Exported" && row.Received >= row.Sent {
			count++
		}
	}
	return count
}

// complete tells whether everything that must come has come, at least.
func (s *seen) complete() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return scenario.InStatus(s.rows, "Success") == len(s.run.Collections) &&
		len(s.requests) >= len(s.run.Collections) &&
		len(s.news) >= 2 && len(s.rejected) >= len(s.expected)
}

// String is the line that is shown while the run goes on.
func (s *seen) String() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return fmt.Sprintf("%s  requests %d  news %d  rejected %d/%d", scenario.Line(s.rows),
		len(s.requests), len(s.news), len(s.rejected), len(s.expected))
}
