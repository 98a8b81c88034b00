#include "runtime/log_format.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/text.h"

namespace imgbuild::runtime {
namespace {

constexpr char kSupervisor[] = "imgbuild-init";
constexpr const char* kColours[] = {"\033[36m", "\033[33m", "\033[32m",
                                    "\033[35m", "\033[34m", "\033[96m"};
constexpr char kReset[] = "\033[0m";
constexpr const char* kStreams[] = {"stdout", "stderr", "supervisor"};

void Put(LogSink& sink, const char* text) { sink.Put(text, strlen(text)); }

const char* ColourOf(const char* name) {
  unsigned sum = 0;
  for (; *name != '\0'; ++name) sum = sum * 31 + static_cast<unsigned char>(*name);
  return kColours[sum % (sizeof kColours / sizeof *kColours)];
}

// Two digits, or three.
void AddDigits(FixedText<32>& text, std::uint64_t value, std::uint64_t smallest) {
  for (; smallest > 1 && value < smallest; smallest /= 10) text.Add("0");
  text.Add(value);
}

// RFC 3339, in UTC; by the rules of the Gregorian calendar from days since 1970, since the C
// library's own way reads files.
FixedText<32> Timestamp() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  const std::uint64_t seconds = now.tv_sec > 0 ? static_cast<std::uint64_t>(now.tv_sec) : 0;
  const std::uint64_t of_day = seconds % 86'400;
  const std::uint64_t day = seconds / 86'400 + 719'468;  // since 1 March of the year 0
  const std::uint64_t era = day / 146'097;               // 400 years each
  const std::uint64_t of_era = day % 146'097;
  const std::uint64_t year_of_era =
      (of_era - of_era / 1'460 + of_era / 36'524 - of_era / 146'096) / 365;
  const std::uint64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::uint64_t from_march = (5 * of_year + 2) / 153;
  const std::uint64_t month = from_march < 10 ? from_march + 3 : from_march - 9;
  FixedText<32> text;
  text.Add(year_of_era + era * 400 + (month <= 2 ? 1 : 0)).Add("-");
  AddDigits(text, month, 10);
  text.Add("-");
  AddDigits(text, of_year - (153 * from_march + 2) / 5 + 1, 10);
  text.Add("T");
  AddDigits(text, of_day / 3'600, 10);
  text.Add(":");
  AddDigits(text, of_day / 60 % 60, 10);
  text.Add(":");
  AddDigits(text, of_day % 60, 10);
  text.Add(".");
  AddDigits(text, static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000, 100);
  text.Add("Z");
  return text;
}

// The bytes of the UTF-8 sequence (RFC 3629) that `text` begins with; 0: it begins with none.
std::size_t SequenceSize(const unsigned char* text, std::size_t size) {
  const unsigned char first = text[0];
  if (first < 0x80) return 1;
  const std::size_t want = first >= 0xC2 && first <= 0xDF   ? 2
                           : first >= 0xE0 && first <= 0xEF ? 3
                           : first >= 0xF0 && first <= 0xF4 ? 4
                                                            : 0;
  if (want == 0 || want > size) return 0;
  for (std::size_t i = 1; i < want; ++i) {
    if ((text[i] & 0xC0) != 0x80) return 0;
  }
  const unsigned char second = text[1];
  const bool wrong = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                     (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
  return wrong ? 0 : want;
}

void PutEscaped(LogSink& sink, unsigned char c) {
  const char* digits = "0123456789abcdef";
  const char code[6] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
  switch (c) {
    case '"':
      return sink.Put("\\\"", 2);
    case '\\':
      return sink.Put("\\\\", 2);
    case '\t':
      return sink.Put("\\t", 2);
    case '\r':
      return sink.Put("\\r", 2);
    default:
      return sink.Put(code, sizeof code);
  }
}

// RFC 8259, section 7.
void PutString(LogSink& sink, const char* text, std::size_t size) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text);
  std::size_t plain = 0;  // where what needs no care begins
  std::size_t at = 0;
  while (at < size) {
    const std::size_t step = SequenceSize(bytes + at, size - at);
    const bool special = bytes[at] < 0x20 || bytes[at] == '"' || bytes[at] == '\\';
    if (step > 0 && !special) {
      at += step;
      continue;
    }
    sink.Put(text + plain, at - plain);
    if (special) {
      PutEscaped(sink, bytes[at]);
    } else {
      sink.Put("\xEF\xBF\xBD", 3);
    }
    plain = ++at;
  }
  sink.Put(text + plain, size - plain);
}

void PutObject(const LogSource& source, LogStream stream, const char* text, std::size_t size,
               LogSink& sink) {
  Put(sink, "{\"time\":\"");
  Put(sink, Timestamp().data());
  Put(sink, "\",\"service\":\"");
  Put(sink, source.name != nullptr ? source.name : kSupervisor);
  Put(sink, "\",\"stream\":\"");
  Put(sink, kStreams[static_cast<std::size_t>(stream)]);
  Put(sink, "\",\"message\":\"");
  PutString(sink, text, size);
  Put(sink, "\"}\n");
}

}  // namespace

LogFormat LogFormatOf(int fd) {
  const char* wanted = getenv("IMGBUILD_LOG");
  if (wanted != nullptr) {
    if (strcmp(wanted, "json") == 0) return LogFormat::kJson;
    if (strcmp(wanted, "plain") == 0) return LogFormat::kPlain;
    if (strcmp(wanted, "colour") == 0) return LogFormat::kColour;
  }
  const char* no_colour = getenv("NO_COLOR");
  if (no_colour != nullptr && *no_colour != '\0') return LogFormat::kPlain;
  const char* terminal = getenv("TERM");
  if (terminal != nullptr && strcmp(terminal, "dumb") == 0) return LogFormat::kPlain;
  return isatty(fd) != 0 ? LogFormat::kColour : LogFormat::kPlain;
}

void FormatLine(LogFormat format, const LogSource& source, LogStream stream, const char* text,
                std::size_t size, LogSink& sink) {
  if (format == LogFormat::kJson) return PutObject(source, stream, text, size, sink);
  const bool colour = format == LogFormat::kColour;
  if (stream == LogStream::kSupervisor) {
    Put(sink, kSupervisor);
    Put(sink, ": ");
    if (source.name != nullptr) {
      Put(sink, source.name);
      Put(sink, " ");
    }
  } else {
    if (colour) Put(sink, ColourOf(source.name));
    Put(sink, "[");
    Put(sink, source.name);
    Put(sink, "]");
    if (colour) Put(sink, kReset);
    Put(sink, " ");
  }
  sink.Put(text, size);
  sink.Put("\n", 1);
}

std::size_t LineOverhead(LogFormat format, const LogSource& source) {
  const std::size_t name = source.name != nullptr ? strlen(source.name) : sizeof kSupervisor;
  return name + (format == LogFormat::kJson ? 110 : 20);
}

std::size_t ByteCost(LogFormat format) { return format == LogFormat::kJson ? 6 : 1; }

}  // namespace imgbuild::runtime
