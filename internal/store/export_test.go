package store

// PageSize is how many digests make a page.
const PageSize = DefaultPageSize

// MaxReceipts is how many bytes of text an item of receipts holds.
const MaxReceipts = maxReceipts
