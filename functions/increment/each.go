package increment

import "sync"

// Each calls do for every number from 0 to n-1, in any order or concurrently, and returns when all are done.
type Each func(n int, do func(i int))

// InOrder is an Each that makes the calls one after the other.
func InOrder(n int, do func(i int)) {
	for i := range n {
		do(i)
	}
}

const maxConcurrent = 16

// Concurrently is an Each that makes up to maxConcurrent calls at a time.
func Concurrently(n int, do func(i int)) {
	if n == 1 {
		do(0)
		return
	}
	var group sync.WaitGroup
	slots := make(chan struct{}, maxConcurrent)
	for i := range n {
		slots <- struct{}{}
		group.Go(func() {
			do(i)
			<-slots
		})
	}
	group.Wait()
}
