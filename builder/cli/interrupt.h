// Ctrl-C.
#pragma once

#include <functional>

namespace imgbuild::builder {

// From now on SIGINT, SIGTERM and SIGHUP, except those that are ignored already, end the process at
// once with status 130, after the cursor was put back below the progress bars. Nothing has to be
// undone: whatever is not published yet is in temporary files that nobody reads, and children end
// with their pipes. Call once, before any thread is started.
void EndOnInterrupt();

// What is to be done first from now on: on the thread that waits for the signal, once. The process
// ends with the status that `action` returns.
void OnInterrupt(std::function<int()> action);

// What is to be done besides, whichever way the signal ends the process; null takes it back, and
// waits while it is being done.
void BeforeInterruptedEnd(std::function<void()> action);

// From now on the process goes on, and `pass` is called with each of these signals, and with
// SIGQUIT, that somebody sent; those of the terminal reach whoever shares it anyway.
void PassInterrupts(std::function<void(int number)> pass);

}  // namespace imgbuild::builder
