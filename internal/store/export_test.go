package store

// PageSize is the number of digests of a page.
const PageSize = DefaultPageSize

// MaxReceipts bounds the text of an item of receipts, in bytes.
const MaxReceipts = maxReceipts
