// INT and TERM: the two ways in which people and machines ask a server to stop.
#ifndef PANDO_SERVER_SIGNALS_H_
#define PANDO_SERVER_SIGNALS_H_

namespace pando::server {

// Holds both back for every thread that is started later, also where they were inherited ignored,
// as they are by a background job of a shell script; and ignores PIPE. Called by main before there
// are other threads.
void HoldStopSignals();

// Waits for one of them and returns its number. After that a second one ends the process at once,
// with status 128 + its number: for whoever has no patience.
int WaitForStopSignal();

}  // namespace pando::server

#endif  // PANDO_SERVER_SIGNALS_H_
