package command

import "runtime/debug"

// version says which state of the source the program was built from, as Go's build noted it (make install has it do
// so): a release, or the commit's time and hash, with +dirty if there were changes.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version + ", " + info.GoVersion
}
