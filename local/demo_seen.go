package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// seen is what has come out of the stack for the run so far. Safe for concurrent use.
type seen struct {
	run      *run
	mutex    sync.Mutex
	rows     []row
	requests []fields
	news     []string // titles
	rejected []rejected
	expected []reject // what must be rejected of what was sent
}

// rejected is a message as it was found in the rejected-messages queue.
type rejected struct {
	reject
	detail, text string
}

func (s *seen) locked(do func()) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	do()
}

func (s *seen) setRows(rows []row) { s.locked(func() { s.rows = rows }) }
func (s *seen) addRequest(request fields) {
	s.locked(func() { s.requests = append(s.requests, request) })
}
func (s *seen) addNews(title string) { s.locked(func() { s.news = append(s.news, title) }) }
func (s *seen) addRejected(found rejected) {
	s.locked(func() { s.rejected = append(s.rejected, found) })
}
func (s *seen) expect(rejects []reject) {
	s.locked(func() { s.expected = append(s.expected, rejects...) })
}

// succeeded is the number of collections in status Success.
func (s *seen) succeeded() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.inStatus("Success")
}

// arrived is the number of collections in status Exported whose files have all arrived.
func (s *seen) arrived() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	count := 0
	for _, row := range s.rows {
		if row.status == "Exported" && row.received >= row.sent {
			count++
		}
	}
	return count
}

func (s *seen) inStatus(statuses ...string) int {
	count := 0
	for _, row := range s.rows {
		if slices.ContainsFunc(statuses, func(status string) bool { return strings.EqualFold(status, row.status) }) {
			count++
		}
	}
	return count
}

// complete tells whether everything that must come has come, at least.
func (s *seen) complete() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.inStatus("Success") == len(s.run.collections) && len(s.requests) >= len(s.run.collections) &&
		len(s.news) >= 2 && len(s.rejected) >= len(s.expected)
}

// String is the line that is shown while the run goes on.
func (s *seen) String() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	received, sent := 0, 0
	for _, row := range s.rows {
		received, sent = received+row.received, sent+row.sent
	}
	const width = 24
	filled := min(width, width*received/max(sent, 1))
	return fmt.Sprintf("%s%s  files %d/%d  received %d/%d  success %d/%d  requests %d  news %d  rejected %d/%d",
		strings.Repeat("█", filled), strings.Repeat("░", width-filled), received, sent,
		s.inStatus("Received", "Success"), len(s.rows), s.inStatus("Success"), len(s.rows),
		len(s.requests), len(s.news), len(s.rejected), len(s.expected))
}
