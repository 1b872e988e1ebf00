package quota

// environment is a process of increment, with the pages of digests that it keeps.
type environment struct {
	pages map[int32]int32 // how many it keeps, by collection: the first ones
	total int32
}

// missing keeps all pages of a collection, and returns how many of them the environment did not have. Where they are
// more than it can keep it has none of them: the least recently used one is always the one that is read next. In place
// of the pages used least recently it forgets all others.
func (v *environment) missing(collection, pages int32) int32 {
	known := v.pages[collection]
	if pages > cachedPages {
		known = 0
	}
	v.keep(collection, pages)
	return pages - known
}

// wrote keeps the page that the environment just wrote, the collection's last, if it has those before it.
func (v *environment) wrote(collection, pages int32) {
	if v.pages[collection] == pages-1 {
		v.keep(collection, pages)
	}
}

func (v *environment) keep(collection, pages int32) {
	v.total += pages - v.pages[collection]
	if v.total > cachedPages {
		clear(v.pages)
		v.total = pages
	}
	v.pages[collection] = pages
}
