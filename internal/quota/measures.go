package quota

import "snapshot-status-checker/statemachine"

// Measures are times and sizes that AWS does not promise: assumptions, of the order of what its services usually take.
// They decide how many calls run at a time, not the rates that quotas set.
type Measures struct {
	Receive      float64 // s; one ReceiveMessage call of the pipe
	Start        float64 // s; starting an execution
	State        float64 // s; entering a state (STANDARD)
	ExpressState float64 // s; entering a state (EXPRESS)
	Cold         float64 // s; initialisation of an environment
	Call         float64 // s; a call besides its work on the tables
	Read         float64 // s; one batch read
	Update       float64 // s; an update of one item
	Look         float64 // s; the calls of one look at a collection, together
	Reply        float64 // s; from a request to the _success file's message
	// s; how long a throttled call on a table is tried again before the function ends with an error
	Patience float64

	Body          int     // bytes of a message
	Record        int     // bytes that the pipe adds to it
	Row           int     // bytes of a row
	Receipt       int     // bytes of one receipt
	Receipts      int     // bytes of an item of receipts besides them
	Collection    int     // bytes of a collection's item without digests
	Page          int     // bytes of a page without digests
	FileLog       float64 // bytes that increment's line grows by for each file
	GroupLog      float64 // bytes of that line without files: one for each collection of a batch
	CallLog       float64 // bytes of a call's other lines: Lambda's own and the metrics
	ExecutionLog  float64 // bytes of an execution's log besides its states
	StateLog      float64 // bytes of what a state adds to it
	MemoryMB      float64 // of increment
	LookMemoryMB  float64 // of the other functions
	LookCompute   float64 // s of computing in one look, all calls together
	Definition    int     // bytes of the state machine's definition
	SweepEvery    float64 // s
	ReceiptMonths float64 // that a receipt and its digest are kept
}

// Assumed are the measures that the tables of docs/scaling.md are made with.
var Assumed = Measures{
	Receive: 0.015, Start: 0.025, State: 0.025, ExpressState: 0.005,
	Cold: 0.15, Call: 0.003, Read: 0.006, Update: 0.005, Look: 0.15, Reply: 2, Patience: 15,
	Body: 400, Record: 1100, Row: 220, Receipt: 150, Receipts: 250, Collection: 350, Page: 130,
	FileLog: 110, GroupLog: 560, CallLog: 1300, ExecutionLog: 800, StateLog: 1500,
	MemoryMB: 512, LookMemoryMB: 256, LookCompute: 0.06, Definition: len(statemachine.Definition), SweepEvery: 120,
	ReceiptMonths: 2,
}

// What the definition and the functions set, and the model follows.
const (
	functionTimeout = 30.0    // s; infra/functions.go
	retries         = 9       // of increment: statemachine/status-checker.asl.json
	longestPause    = 60.0    // s; the same
	sideBySide      = 16      // groups of a batch: functions/increment
	pageSize        = 48      // digests after which a page is turned: internal/store/count.go
	digestBytes     = 12 + 1  // as an element of a set: internal/snapshot/group.go
	cachedPages     = 1 << 16 // that a process keeps: internal/store/store.go
	receives        = 5       // of a message, before it goes to the dead-letter queue: infra/queues.go
	// s, and the window, that a message of an EXPRESS execution stays received: infra/queues.go
	hidden   = 360.0
	mapLooks = 10 // collections reconciled concurrently: MaxConcurrency of the definition

	statesBefore = 1 // Increment Files Received
	statesAfter  = 1 // Reconcile Each Collection
)

// look is what one reconciliation costs besides the receipt that brought it about.
type look struct {
	states, calls              float64
	reads, runReads            float64 // units of the ledger and of the run's partition
	ledgerWrites, statusWrites float64
	fifo                       float64
}

var (
	// Check Collection, Request Pending?, Notify Sender, Check All Collections, Notification Pending?, Run Incomplete.
	// Reads: the collection and the row before each of three steps, the run twice and the entry, and of the run's rows
	// now and then those behind the hint. Writes: the entry, the move, delivered.
	received = look{states: 6, calls: 3, reads: 6, runReads: 4, ledgerWrites: 2, statusWrites: 1, fifo: 1}
	// Check Collection, Request Pending?, Check All Collections, Notification Pending?, Run Incomplete; one move.
	succeeded = look{states: 5, calls: 2, reads: 4, runReads: 3, statusWrites: 1}
	// The stream's reconciliation after the sender wrote Sent: an execution of its own for up to 10 records, here for
	// 1.
	statusChanged = look{states: 2 + 3, calls: 2, reads: 1, runReads: 1}
)
