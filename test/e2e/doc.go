// Package e2e tests the deployed stack from outside: what other systems see of it, what it costs in calls between its
// functions and the tables, where messages go when calls fail, and that it runs on existing resources.
package e2e
