package snapshot

// MaxFilename bounds a stored file name, in bytes.
const MaxFilename = maxOther

// StoredFilename is a file name as it is stored: the beginning of a longer one.
func StoredFilename(name string) string { return truncate(name, MaxFilename) }
