package logging

// The lines that tell the history of a run. Package history of the operator's tool reads them: their messages and keys
// are a contract between the functions and the tool.
const (
	Counted   = "counted"            // Messages of one collection, in the row's Epoch
	Moved     = "moved"              // a collection, From one status To another, in an Epoch
	Checked   = "checked collection" // a reconciliation's result: Status and Epoch of the row
	Delivered = "delivered"          // a request or notification: Kind, Version, EventID
	Alerted   = "alerted"            // an alert: Kind, Version, EventID
)

// Keys of these lines.
const (
	Epoch   = "epoch"
	Status  = "status"
	From    = "from_status"
	To      = "to_status"
	Kind    = "kind"
	Version = "version"
	EventID = "event_id"
)
