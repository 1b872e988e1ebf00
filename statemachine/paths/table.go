package paths

// The beginnings and ends that paths share.
var (
	counted       = []string{"Route Event by Source", "Increment Files Received", "Look at Each Collection"}
	looked        = []string{"Route Event by Source", "Look at Each Collection", "Check Collection", "Decide Whether a Request Is Owed"}
	countedLooked = join(counted, "Check Collection", "Decide Whether a Request Is Owed")
	requested     = join(countedLooked, "Notify Sender", "Check All Collections", "Decide Whether News Is Owed")
	runChecked    = join(countedLooked, "Check All Collections", "Decide Whether News Is Owed")
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
		Name:   "every file before the sender says that it sent them all",
		Rows:   []Row{{Collection: "a", Status: "Exported", Sent: 1}},
		Event:  File("a", "1"),
		States: counted,
	},
	{
		Name:   "the last file of a collection, others being under way",
		Rows:   []Row{{Collection: "a", Status: "Sent", Sent: 1}, {Collection: "b", Status: "Sent", Sent: 1}},
		Event:  File("a", "1"),
		States: join(requested, "Leave Run Waiting"),
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
		States: join(countedLooked, "Leave Collection Waiting"),
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
		Name:    "a duplicate of the last file is looked at like the first",
		Rows:    []Row{{Collection: "a", Status: "Sent", Sent: 1}},
		Earlier: []Event{File("a", "1")},
		Event:   File("a", "1"),
		States:  join(runChecked, "Leave Run Waiting"),
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
		Name:   "a look that finds nothing to do",
		Rows:   []Row{{Collection: "a", Status: "Sent", Sent: 1}},
		Event:  Look("a"),
		States: join(looked, "Leave Collection Waiting"),
	},
	{
		Name:      "Sent written after the last file",
		Rows:      []Row{{Collection: "a", Status: "Exported", Sent: 1}},
		Earlier:   []Event{File("a", "1")},
		Meanwhile: []Row{{Collection: "a", Status: "Sent"}},
		Event:     StatusChanged("a"),
		States:    join(looked, "Notify Sender", "Check All Collections", "Decide Whether News Is Owed", "Notify Monitoring"),
	},
	{
		Name:      "Sent written over Received is moved again without a new request or news",
		Rows:      []Row{{Collection: "a", Status: "Sent", Sent: 1}},
		Earlier:   []Event{File("a", "1")},
		Meanwhile: []Row{{Collection: "a", Status: "Sent"}},
		Event:     StatusChanged("a"),
		States:    join(looked, "Check All Collections", "Decide Whether News Is Owed", "Leave Run Waiting"),
	},
	{
		Name:   "a message for a row that nobody can read",
		Rows:   []Row{{Collection: "a", Status: "Sent", Malformed: true}},
		Event:  File("a", "1"),
		States: counted,
	},
	{
		Name:   "counting that cannot succeed",
		Rows:   []Row{{Collection: "a", Status: "Sent", Sent: 2}},
		Event:  File("a", "1"),
		Broken: IncrementMissing,
		States: []string{"Route Event by Source", "Increment Files Received", "Decide Who Keeps the Messages", "Keep Uncounted Messages", "Keep Message", "Fail Counting"},
		Fails:  true,
	},
	{
		Name:   "a look that cannot succeed",
		Rows:   []Row{{Collection: "a", Status: "Sent", Malformed: true}},
		Event:  Look("a"),
		States: []string{"Route Event by Source", "Look at Each Collection", "Check Collection", "Leave the Rest to the Next Look"},
	},
	{
		Name:   "a check of the run that cannot succeed",
		Rows:   []Row{{Collection: "a", Status: "Sent", Sent: 1}, {Collection: "b", Status: "Sent", Malformed: true}},
		Event:  File("a", "1"),
		States: join(countedLooked, "Notify Sender", "Check All Collections", "Leave the Rest to the Next Look"),
	},
	{
		Name:   "messages that cannot be delivered",
		Rows:   []Row{{Collection: "a", Status: "Sent", Sent: 1}},
		Event:  File("a", "1"),
		Broken: NotifyMissing,
		States: join(countedLooked, "Notify Sender", "Leave Request Owed", "Check All Collections", "Decide Whether News Is Owed",
			"Notify Monitoring", "Leave the Rest to the Next Look"),
	},
	{
		Name:   "a function of another version",
		Rows:   []Row{{Collection: "a", Status: "Sent", Sent: 1}},
		Event:  Look("a"),
		Broken: NoVerdict,
		States: join(looked, "Fail on Unknown Verdict"),
		Fails:  true,
	},
}
