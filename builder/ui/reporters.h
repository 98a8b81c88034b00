// The four ways of showing progress. Each writes whole lines through `write`, from one thread at a
// time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "builder/ui/progress.h"
#include "specs/base/error.h"

namespace imgbuild::builder {

using WriteText = std::function<void(std::string_view)>;

enum class Verbosity { kQuiet, kNormal, kVerbose };

// Bars that are redrawn in place, ten times a second; finished tasks stay as lines. `columns` is
// asked at each redraw. Destruction removes what is left of the bars.
std::unique_ptr<Progress> MakeTerminalProgress(WriteText write,
                                               std::function<std::size_t()> columns,
                                               Verbosity verbosity);

// A line when a task ends. kQuiet: warnings only.
std::unique_ptr<Progress> MakePlainProgress(WriteText write, Verbosity verbosity);

// One JSON object a line: {"event": "begin" | "progress" | "end" | "info" | "warning" | "detail",
// "task": number, "label", "unit", "done", "total", "detail", "summary", "text"}. Progress events
// of a task come at most ten times a second.
std::unique_ptr<Progress> MakeJsonProgress(WriteText write);

// The last of those lines where a command fails: {"event": "error", "kind": "failure" | "usage" |
// "unresolvable" | "verification" | "interrupted", "message", "exit": number}, and where the error
// has them "found", "expected", "hint" and "trail", an array of where it happened, innermost first.
std::string RenderErrorEvent(const specs::Error& error);

}  // namespace imgbuild::builder
