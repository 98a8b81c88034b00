#include "runtime/service_table.h"

#include <cstring>

namespace imgbuild::runtime {
namespace {

// Undoes escapes in place. False for a backslash before anything but another or an n.
bool Unescape(char* text) {
  char* out = text;
  for (char* in = text; *in != '\0'; ++in) {
    if (*in != '\\') {
      *out++ = *in;
      continue;
    }
    ++in;
    if (*in == 'n') {
      *out++ = '\n';
    } else if (*in == '\\') {
      *out++ = '\\';
    } else {
      return false;
    }
  }
  *out = '\0';
  return true;
}

// Reads digits up to a space or the end; moves `text` behind them and one space.
bool TakeNumber(const char*& text, std::uint64_t limit, std::uint64_t& value) {
  if (*text < '0' || *text > '9') return false;
  value = 0;
  while (*text >= '0' && *text <= '9') {
    value = value * 10 + static_cast<std::uint64_t>(*text++ - '0');
    if (value > limit) return false;
  }
  if (*text == ' ') ++text;
  return true;
}

bool AddArgument(Command& command, const char* argument) {
  if (command.size == kMaxArguments) return false;
  command.argv[command.size++] = argument;
  return true;
}

constexpr std::uint64_t kMaxMilliseconds = 24ull * 3600 * 1000;

class Parser {
 public:
  explicit Parser(ServiceTable& table) : table_(table) {}

  // Null where the line is right, else why not.
  const char* Line(const char* key, const char* value);
  const char* Finish() const { return current_ != nullptr ? "a service without end" : nullptr; }

 private:
  const char* Outside(const char* key, const char* value);
  const char* Ready(const char* value);
  const char* Restart(const char* value);
  const char* Stop(const char* value);
  const char* After(const char* value);
  const char* End();

  ServiceTable& table_;
  ServiceEntry* current_ = nullptr;
};

bool Is(const char* a, const char* b) { return std::strcmp(a, b) == 0; }

const char* Parser::Outside(const char* key, const char* value) {
  if (Is(key, "shell")) {
    return AddArgument(table_.shell, value) ? nullptr : "too many arguments";
  }
  if (!Is(key, "service")) return "unknown key";
  if (table_.size == kMaxServices) return "too many services";
  current_ = &table_.services[table_.size];
  *current_ = ServiceEntry();
  current_->name = value;
  return *value == '\0' ? "a service without name" : nullptr;
}

const char* Parser::Ready(const char* value) {
  if (Is(value, "none")) return nullptr;
  const bool http = std::strncmp(value, "http ", 5) == 0;
  if (!http && std::strncmp(value, "tcp ", 4) != 0) return "ready is none, tcp or http";
  value += http ? 5 : 4;
  std::uint64_t port = 0;
  if (!TakeNumber(value, 65'535, port) || port == 0) return "bad port";
  if (!TakeNumber(value, kMaxMilliseconds, current_->ready_ms)) return "bad time";
  if (http && *value != '/') return "an http path begins with /";
  current_->probe = http ? ProbeKind::kHttp : ProbeKind::kTcp;
  current_->port = static_cast<std::uint16_t>(port);
  current_->path = value;
  return nullptr;
}

const char* Parser::Restart(const char* value) {
  if (Is(value, "never")) {
    current_->restart = RestartPolicy::kNever;
  } else if (Is(value, "on-failure")) {
    current_->restart = RestartPolicy::kOnFailure;
  } else if (Is(value, "always")) {
    current_->restart = RestartPolicy::kAlways;
  } else {
    return "restart is never, on-failure or always";
  }
  return nullptr;
}

const char* Parser::Stop(const char* value) {
  std::uint64_t signal = 0;
  if (!TakeNumber(value, 64, signal) || signal == 0) return "bad signal";
  current_->stop_signal = static_cast<int>(signal);
  return TakeNumber(value, kMaxMilliseconds, current_->stop_ms) ? nullptr : "bad time";
}

const char* Parser::After(const char* value) {
  for (std::size_t i = 0; i < table_.size; ++i) {
    if (!Is(table_.services[i].name, value)) continue;
    if (current_->after_size == kMaxAfter) return "too many after lines";
    current_->after[current_->after_size++] = i;
    return nullptr;
  }
  return "after names no earlier service";
}

const char* Parser::End() {
  if (current_->command.size == 0) return "a service without exec";
  current_ = nullptr;
  ++table_.size;
  return nullptr;
}

const char* Parser::Line(const char* key, const char* value) {
  if (current_ == nullptr) return Outside(key, value);
  if (Is(key, "exec")) {
    return AddArgument(current_->command, value) ? nullptr : "too many arguments";
  }
  if (Is(key, "env")) {
    if (current_->env_size == kMaxEnvironment) return "too many env lines";
    if (std::strchr(value, '=') == nullptr) return "env is KEY=VALUE";
    current_->env[current_->env_size++] = value;
    return nullptr;
  }
  if (Is(key, "dir")) {
    current_->dir = value;
    return nullptr;
  }
  if (Is(key, "token")) {
    current_->token = value;
    return nullptr;
  }
  if (Is(key, "announce")) {
    current_->announce = value;
    return nullptr;
  }
  if (Is(key, "essential")) {
    current_->essential = true;
    return nullptr;
  }
  if (Is(key, "after")) return After(value);
  if (Is(key, "ready")) return Ready(value);
  if (Is(key, "restart")) return Restart(value);
  if (Is(key, "stop")) return Stop(value);
  if (Is(key, "end")) return End();
  return "unknown key";
}

}  // namespace

TableError ParseServiceTable(char* text, std::size_t size, ServiceTable& table) {
  table.shell = Command();
  table.size = 0;
  Parser parser(table);
  std::size_t line = 0;
  char* const end = text + size;
  while (text < end) {
    ++line;
    char* stop = static_cast<char*>(std::memchr(text, '\n', static_cast<std::size_t>(end - text)));
    if (stop == nullptr) return {"the last line has no newline", line};
    *stop = '\0';
    if (std::strlen(text) != static_cast<std::size_t>(stop - text)) return {"a zero byte", line};
    if (line == 1) {
      if (!Is(text, kServiceTableHeader)) return {"not a service table of this version", line};
    } else {
      char* value = std::strchr(text, ' ');
      if (value != nullptr) *value++ = '\0';
      if (value != nullptr && !Unescape(value)) return {"bad escape", line};
      if (const char* reason = parser.Line(text, value != nullptr ? value : "")) {
        return {reason, line};
      }
    }
    text = stop + 1;
  }
  if (line == 0) return {"not a service table of this version", 1};
  return {parser.Finish(), line};
}

}  // namespace imgbuild::runtime
