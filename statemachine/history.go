package statemachine

// How many events the history of a STANDARD execution holds. One more ends it with States.Runtime, which nothing
// catches. EXPRESS has no such limit. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
const HistoryEvents = 25_000

// MaxCollections is how many collections a STANDARD execution may reconcile, so that its history stays within
// HistoryEvents even if every state tries as often as it may. increment leaves the others to the sweep.
const MaxCollections = 270
