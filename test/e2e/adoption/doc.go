// Package adoption deploys the stack onto resources that were there before it, as a team does that has been running the
// system which this one replaces: by context only, in two environments side by side, one table with a stream and one
// without. A run goes through; then the stacks are removed, and what was there before is whole.
package adoption
