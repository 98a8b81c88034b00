#include "builder/cli/shell_command.h"

namespace imgbuild::builder {
namespace {

// Arguments: the spec as it was named, then the shell. A signal that is caught, unlike one that is
// ignored, is as it always is in the shell.
constexpr const char* kWatchedShell = R"(import importlib, signal, subprocess, sys
from importlib import metadata

def requested():
    importlib.invalidate_caches()
    return {(d.metadata["Name"], d.version) for d in metadata.distributions()
            if d.read_text("REQUESTED") is not None}

spec, shell = sys.argv[1], sys.argv[2:]
before = requested()
for number in (signal.SIGINT, signal.SIGQUIT):
    signal.signal(number, lambda *_: None)
status = subprocess.call(shell)
added = sorted(f"{name}=={version}" for name, version in requested() - before)
if added:
    names = " ".join(item.partition("==")[0] for item in added)
    print(f"\nInstalled in this shell, and gone with it: {', '.join(added)}\n"
          f"To keep them: imgbuild add {names}{spec}", file=sys.stderr)
sys.exit(status if status >= 0 else 128 - status)
)";

}  // namespace

std::vector<std::string> ShellCommand(const specs::Spec& spec, const SpecOptions& options) {
  if (spec.system.profile != specs::Profile::kSlim) return {"python3"};
  const std::string file = options.files.empty() ? "" : " --spec " + options.files.front();
  return {"python3", "-c", kWatchedShell, file, "bash"};
}

}  // namespace imgbuild::builder
