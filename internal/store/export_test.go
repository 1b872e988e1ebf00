package store

// MaxReceipts bounds the text of an item of receipts, in bytes.
const MaxReceipts = maxReceipts
