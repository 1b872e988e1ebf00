package price

import (
	"math"
	"time"
)

// Chunks is the number of requests that SQS and Pipes bill for a payload: one for each 64 KiB begun, at least 1.
func Chunks(bytes int) float64 { return steps(float64(bytes), 64*1024) }

// ReadUnits are consumed by a strongly consistent read of an item, or of a query's page as a whole: one for each 4 KiB
// begun, at least 1, also for a missing item.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
func ReadUnits(bytes int) float64 { return steps(float64(bytes), 4*1024) }

// RowsUnits are consumed by a strongly consistent page of rows of the export status table. A row has about 200 bytes:
// its names, its values, and our attributes. The local engine reports 1 for a page of any size.
func RowsUnits(rows int) float64 { return ReadUnits(rows * 200) }

// LambdaGBSeconds is the compute of one call: its duration, rounded up to 1 ms, times the function's memory.
// The initialisation of a cold start is part of the duration since August 2025.
func LambdaGBSeconds(d time.Duration, memoryMB float64) float64 {
	return up(d, time.Millisecond).Seconds() * memoryMB / 1024
}

// ExpressGBSeconds is the compute of one Express execution: its duration, rounded up to 100 ms, times its memory,
// rounded up to 64 MB.
func ExpressGBSeconds(d time.Duration, memoryMB float64) float64 {
	return up(d, 100*time.Millisecond).Seconds() * steps(memoryMB, 64) * 64 / 1024
}

// ExpressMemoryMB estimates the memory of an Express execution as AWS's pricing page does: 50 MB, the definition, and
// the payload for each branch of a Map or Parallel.
func ExpressMemoryMB(definitionBytes, payloadBytes, branches int) float64 {
	return 50 + float64(definitionBytes+payloadBytes*max(branches, 1))/1e6
}

// steps is the number of steps of a size begun, at least 1.
func steps(n, size float64) float64 { return max(1, math.Ceil(n/size)) }

func up(d, unit time.Duration) time.Duration { return (d + unit - 1) / unit * unit }
