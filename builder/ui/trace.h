// What a run spends its time on, as a timeline that Perfetto and chrome://tracing show.
#pragma once

#include <memory>
#include <string_view>

#include "builder/ui/progress.h"
#include "builder/ui/reporters.h"

namespace imgbuild::builder {

// What every trace begins with.
inline constexpr std::string_view kTraceBeginning = "{\"displayTimeUnit\": \"ms\"";

// Shows what `inner` shows, and calls `write` when it is flushed, and when it is destroyed, with
// all tasks and steps so far in the Trace Event Format: one complete event ("ph": "X", microseconds
// from the beginning) each. Every kind of step is a process of its own there, in which what goes on
// at the same time lies on different threads; tasks are the process "imgbuild". Holds some hundred
// bytes for each.
std::unique_ptr<Progress> MakeTracingProgress(std::unique_ptr<Progress> inner, WriteText write);

}  // namespace imgbuild::builder
