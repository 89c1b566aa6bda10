// Package pando is a client of Pando: a session that outlives its servers. One connection at a time
// with failover, writes that are applied exactly once, watches that miss nothing. What each part
// promises is in docs/clients.md.
//
// Requests and responses are the messages of pando.test/client/gen/pando/v1. Everything may be used
// from any goroutine.
package pando
