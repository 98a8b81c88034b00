// The forms that lines of the log have.
#pragma once

#include <cstddef>
#include <cstdint>

namespace imgbuild::runtime {

// kPlain: "[web] text". kColour: the same with the name in a colour of its own. kJson: an object a
// line, {"time":"2026-01-31T12:00:00.000Z","service":"web","stream":"stdout","message":"text"},
// where bytes that are no UTF-8 stand as U+FFFD.
enum class LogFormat : std::uint8_t { kPlain, kColour, kJson };

enum class LogStream : std::uint8_t { kOut, kErr, kSupervisor };

// Whose line it is; no name: the supervisor's own.
struct LogSource {
  const char* name = nullptr;
};

// What $IMGBUILD_LOG says ("json", "plain", "colour"); else colour on a terminal, unless NO_COLOR
// is set (no-color.org) or TERM is "dumb".
LogFormat LogFormatOf(int fd);

// Where formatted bytes go.
class LogSink {
 public:
  virtual void Put(const char* text, std::size_t size) = 0;

 protected:
  ~LogSink() = default;
};

// Writes one line, with its newline.
void FormatLine(LogFormat format, const LogSource& source, LogStream stream, const char* text,
                std::size_t size, LogSink& sink);

// No line of `size` bytes by `source` takes more than LineOverhead() + size * ByteCost().
std::size_t LineOverhead(LogFormat format, const LogSource& source);
std::size_t ByteCost(LogFormat format);

}  // namespace imgbuild::runtime
