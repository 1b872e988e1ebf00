// Package hotpath holds the tests of the deployed stack that look at the calls between its functions and the tables: a
// proxy in between counts them, to hold what a receipt costs, and lets some fail, to see where the messages go then.
// Both workflow types are deployed.
package hotpath
