// Package format turns events into bytes: ECS JSON, CEF, the Maltrail log line,
// CSV, and a table for people. The functions are pure: they append to a slice,
// read nothing but their arguments and touch no file or socket.
//
// All of an event's text may come from an attacker. Each format escapes what
// could end a value, a record or a line of its own, whatever the text is, even
// though events are cleaned where they are made.
package format
