#include "builder/cli/trace_file.h"

#include <cerrno>
#include <cstdio>
#include <span>

#include <fcntl.h>
#include <fmt/core.h>

#include "builder/ui/trace.h"
#include "layers/io/file.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;

// Leaves what it holds as it is.
void RequireTracePlace(const fs::path& file) {
  const layers::FileDescriptor fd(
      ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644));
  if (!fd.valid()) throw layers::FileError("write", file, errno);
  std::error_code error;
  if (!fs::is_regular_file(file, error) || fs::file_size(file, error) == 0) return;
  std::string beginning(kTraceBeginning.size(), '\0');
  layers::FileSource source(file);
  if (source.Read(std::as_writable_bytes(std::span(beginning))) == beginning.size() &&
      beginning == kTraceBeginning) {
    return;
  }
  throw specs::Error(specs::ErrorKind::kUsage,
                     fmt::format("--trace would overwrite {}, which is no trace", file.string()))
      .Hint("name another file: --trace build.json");
}

void WriteTrace(const fs::path& file, std::string_view text) {
  try {
    layers::FileSink sink(file);
    sink.Write(std::as_bytes(std::span(text)));
    sink.Close();
  } catch (const specs::Error& error) {
    fmt::print(stderr, "warning: no trace: {}\n", error.what());
  }
}

}  // namespace

std::unique_ptr<Progress> WithTraceFile(std::unique_ptr<Progress> inner, const fs::path& file) {
  RequireTracePlace(file);
  // Absolute: a command may change its directory.
  return MakeTracingProgress(std::move(inner), [path = fs::absolute(file)](std::string_view text) {
    WriteTrace(path, text);
  });
}

}  // namespace imgbuild::builder
