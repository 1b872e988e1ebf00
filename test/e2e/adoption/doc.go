// Package adoption deploys the stack onto existing resources, as a team does that replaces its status checker: by
// context settings only, in two environments, with a stream and without. A run is completed; then the stacks are
// removed, and the existing resources are unchanged.
package adoption
