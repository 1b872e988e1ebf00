package command

import "runtime/debug"

// version is the version of the source, from Go's build information (make install records it): a release, or the commit's
// time and hash, with +dirty if there were changes.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version + ", " + info.GoVersion
}
