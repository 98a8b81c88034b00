// The file of --trace.
#pragma once

#include <filesystem>
#include <memory>

#include "builder/ui/progress.h"

namespace imgbuild::builder {

// Shows what `inner` shows, and writes the trace of it to `file`: at its end, when it is flushed,
// and when the program is interrupted. Throws Error at once where `file` cannot be written, and
// where it is something else than a trace.
std::unique_ptr<Progress> WithTraceFile(std::unique_ptr<Progress> inner,
                                        const std::filesystem::path& file);

}  // namespace imgbuild::builder
