package paths

// Beginnings and ends that paths share.
var (
	counted     = []string{"Increment Files Received", "Reconcile Each Collection"}
	reconciled  = join(counted, "Check Collection", "Request Pending?")
	requested   = join(reconciled, "Notify Sender", "Check All Collections", "Notification Pending?")
	runChecked  = join(reconciled, "Check All Collections", "Notification Pending?")
	notRejected = []string{"Increment Files Received", "Messages to Reject?", "Counting Failed"}
)

func join(beginning []string, states ...string) []string {
	return append(append([]string{}, beginning...), states...)
}

// Table is every path. Between them they enter every state.
var Table = []Path{
	{
		Name:   "one file of several",
		Rows:   []Row{{Collection: "a", Status: "Sent", Sent: 2}},
		Event:  File("a", "1"),
		States: counted,
	},
	{
		Name:   "every file before the sender sets Sent",
		Rows:   []Row{{Collection: "a", Status: "Exported", Sent: 1}},
		Event:  File("a", "1"),
		States: counted,
	},
	{
		Name:   "the last file of a collection, another being incomplete",
		Rows:   []Row{{Collection: "a", Status: "Sent", Sent: 1}, {Collection: "b", Status: "Sent", Sent: 1}},
		Event:  File("a", "1"),
		States: join(requested, "Run Incomplete"),
	},
	{
		Name:   "the last file of the run",
		Rows:   []Row{{Collection: "a", Status: "Sent", Sent: 1}, {Collection: "b", Status: "Received"}},
		Event:  File("a", "1"),
		States: join(requested, "Notify Monitoring"),
	},
	{
		Name:    "the last success file of the run",
		Rows:    []Row{{Collection: "a", Status: "SENT", Sent: 1}},
		Earlier: []Event{File("a", "1")},
		Event:   SuccessFile("a", "2"),
		States:  join(runChecked, "Notify Monitoring"),
	},
	{
		Name:   "a success file that comes too early",
		Rows:   []Row{{Collection: "a", Status: "Sent", Sent: 1}},
		Event:  SuccessFile("a", "1"),
		States: join(reconciled, "Collection Incomplete"),
	},
	{
		Name:    "the last file after an early success file",
		Rows:    []Row{{Collection: "a", Status: "Sent", Sent: 1}},
		Earlier: []Event{SuccessFile("a", "1")},
		Event:   File("a", "2"),
		States:  join(requested, "Notify Monitoring"),
	},
	{
		Name:    "a duplicate of one file of several",
		Rows:    []Row{{Collection: "a", Status: "Sent", Sent: 2}},
		Earlier: []Event{File("a", "1")},
		Event:   File("a", "1"),
		States:  counted,
	},
	{
		Name:    "a duplicate of the last file is reconciled like the first",
		Rows:    []Row{{Collection: "a", Status: "Sent", Sent: 1}},
		Earlier: []Event{File("a", "1")},
		Event:   File("a", "1"),
		States:  join(runChecked, "Run Incomplete"),
	},
	{
		Name:   "a message that is not JSON",
		Event:  NotJSON,
		States: counted,
	},
	{
		Name:   "a message for a collection without a row",
		Event:  File("a", "1"),
		States: counted,
	},
	{
		Name:   "a plain message by hand",
		Rows:   []Row{{Collection: "a", Status: "Sent", Sent: 2}},
		Event:  FileByHand("a"),
		States: counted,
	},
	{
		Name:   "an envelope by hand that completes the run",
		Rows:   []Row{{Collection: "a", Status: "Sent", Sent: 2}},
		Event:  EnvelopeByHand("a"),
		States: join(requested, "Notify Monitoring"),
	},
	{
		Name:   "a request to reconcile that finds nothing to do",
		Rows:   []Row{{Collection: "a", Status: "Sent", Sent: 1}},
		Event:  Reconcile("a"),
		States: join(reconciled, "Collection Incomplete"),
	},
	{
		Name:      "Sent written after the last file",
		Rows:      []Row{{Collection: "a", Status: "Exported", Sent: 1}},
		Earlier:   []Event{File("a", "1")},
		Meanwhile: []Row{{Collection: "a", Status: "Sent"}},
		Event:     StatusChanged("a"),
		States: join(reconciled, "Notify Sender", "Check All Collections", "Notification Pending?",
			"Notify Monitoring"),
	},
	{
		Name:      "Sent written over Received is moved again without a new request or notification",
		Rows:      []Row{{Collection: "a", Status: "Sent", Sent: 1}},
		Earlier:   []Event{File("a", "1")},
		Meanwhile: []Row{{Collection: "a", Status: "Sent"}},
		Event:     StatusChanged("a"),
		States:    join(reconciled, "Check All Collections", "Notification Pending?", "Run Incomplete"),
	},
	{
		Name:   "a message for a malformed row",
		Rows:   []Row{{Collection: "a", Status: "Sent", Malformed: true}},
		Event:  File("a", "1"),
		States: counted,
	},
	{
		Name:   "counting that cannot succeed",
		Rows:   []Row{{Collection: "a", Status: "Sent", Sent: 2}},
		Event:  File("a", "1"),
		Broken: IncrementMissing,
		States: []string{"Increment Files Received", "Messages to Reject?", "Reject Uncounted Messages",
			"Reject Message", "Counting Failed"},
		Fails: true,
	},
	{
		Name:   "a malformed collection",
		Rows:   []Row{{Collection: "a", Status: "Sent", Malformed: true}},
		Event:  Reconcile("a"),
		States: join(counted, "Check Collection", "Left to the Sweep"),
	},
	{
		Name:   "a check of the run that cannot succeed",
		Rows:   []Row{{Collection: "a", Status: "Sent", Sent: 1}, {Collection: "b", Status: "Sent", Malformed: true}},
		Event:  File("a", "1"),
		States: join(reconciled, "Notify Sender", "Check All Collections", "Left to the Sweep"),
	},
	{
		Name:   "messages that cannot be delivered",
		Rows:   []Row{{Collection: "a", Status: "Sent", Sent: 1}},
		Event:  File("a", "1"),
		Broken: NotifyMissing,
		States: join(reconciled, "Notify Sender", "Request Left to the Sweep", "Check All Collections",
			"Notification Pending?", "Notify Monitoring", "Left to the Sweep"),
	},
	{
		Name:   "a function of another version",
		Rows:   []Row{{Collection: "a", Status: "Sent", Sent: 1}},
		Event:  Reconcile("a"),
		Broken: NoOutcome,
		States: join(reconciled, "Unknown Outcome"),
		Fails:  true,
	},
	{
		Name:   "counting that cannot succeed, of a change in the stream",
		Rows:   []Row{{Collection: "a", Status: "Sent", Sent: 1}},
		Event:  StatusChanged("a"),
		Broken: IncrementMissing,
		States: notRejected,
		Fails:  true,
	},
	{
		Name:   "counting that cannot succeed, of a request to reconcile",
		Rows:   []Row{{Collection: "a", Status: "Sent", Sent: 1}},
		Event:  Reconcile("a"),
		Broken: IncrementMissing,
		States: notRejected,
		Fails:  true,
	},
	{
		Name:   "a request to reconcile that names no collection",
		Event:  func(run string) string { return `{"reconcile":[{"correlation_id":"` + run + `"}]}` },
		States: notRejected,
		Fails:  true,
	},
	{
		Name:   "an empty text by hand",
		Event:  func(string) string { return `""` },
		States: counted,
	},
	{
		Name:   "a row that is gone",
		Event:  StatusChanged("a"),
		States: join(reconciled, "Collection Incomplete"),
	},
	{
		Name:      "the row of the run's blocker is gone",
		Rows:      []Row{{Collection: "a", Status: "Sent", Sent: 1}, {Collection: "b", Status: "Sent", Sent: 1}},
		Earlier:   []Event{File("a", "1")},
		Meanwhile: []Row{{Collection: "b", Gone: true}},
		Event:     StatusChanged("b"),
		States:    join(runChecked, "Notify Monitoring"),
	},
	{
		Name:      "another system writes Received for a collection without files",
		Rows:      []Row{{Collection: "a", Status: "Sent", Sent: 1}, {Collection: "b", Status: "Sent"}},
		Earlier:   []Event{File("a", "1")},
		Meanwhile: []Row{{Collection: "b", Status: "Received"}},
		Event:     StatusChanged("b"),
		States:    join(runChecked, "Notify Monitoring"),
	},
	{
		Name:      "another system writes Success",
		Rows:      []Row{{Collection: "a", Status: "Sent", Sent: 1}, {Collection: "b", Status: "Sent", Sent: 1}},
		Earlier:   []Event{File("a", "1"), SuccessFile("a", "2")},
		Meanwhile: []Row{{Collection: "b", Status: "Success"}},
		Event:     StatusChanged("b"),
		States:    join(runChecked, "Notify Monitoring"),
	},
	{
		Name:    "files after the success file of their export",
		Rows:    []Row{{Collection: "a", Status: "Sent", Sent: 2}},
		Earlier: []Event{File("a", "1"), SuccessFile("a", "2"), File("a", "3")},
		Event:   File("a", "4"),
		States:  join(runChecked, "Run Incomplete"),
	},
	{
		Name:   "counting that cannot succeed, of an empty text by hand",
		Event:  func(string) string { return `""` },
		Broken: IncrementMissing,
		States: []string{"Increment Files Received", "Messages to Reject?", "Reject Uncounted Messages",
			"Reject Message", "Counting Failed"},
		Fails: true,
	},
}
