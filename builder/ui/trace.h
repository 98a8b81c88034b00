// What a run spends its time on, as a timeline that Perfetto and chrome://tracing show.
#pragma once

#include <memory>

#include "builder/ui/progress.h"
#include "builder/ui/reporters.h"

namespace imgbuild::builder {

// Shows what `inner` shows, and when it is destroyed calls `write` once with all tasks and steps in
// the Trace Event Format: one complete event ("ph": "X", microseconds from the beginning) each.
// Every kind of step is a process of its own there, in which what goes on at the same time lies on
// different threads; tasks are the process "imgbuild". Holds some hundred bytes for each.
std::unique_ptr<Progress> MakeTracingProgress(std::unique_ptr<Progress> inner, WriteText write);

}  // namespace imgbuild::builder
