package snapshot

// MaxFilename is how many bytes of a file's name are stored.
const MaxFilename = maxOther

// StoredFilename is a file's name as it is stored: of a longer one only the beginning.
func StoredFilename(name string) string { return truncate(name, MaxFilename) }
