#include "runtime/service_table.h"

#include <cstring>

#include "runtime/text.h"

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

// Null, or why not.
template <std::size_t Most>
const char* AddArgument(Arguments<Most>& command, const char* argument) {
  if (command.size == Most) return "too many arguments";
  command.argv[command.size++] = argument;
  return nullptr;
}

const char* AddTo(const char** list, std::size_t most, std::size_t& size, const char* value) {
  if (size == most) return "too many lines of this key";
  list[size++] = value;
  return nullptr;
}

// Moves `text` behind `word` and one space, where it begins with it.
bool TakeWord(const char*& text, const char* word) {
  const std::size_t size = std::strlen(word);
  if (std::strncmp(text, word, size) != 0) return false;
  if (text[size] != ' ' && text[size] != '\0') return false;
  text += size + (text[size] == ' ' ? 1 : 0);
  return true;
}

// Makes the text before the first space a string of its own; null where nothing follows.
char* SplitWord(char* text) {
  char* space = std::strchr(text, ' ');
  if (space == nullptr || space == text || space[1] == '\0') return nullptr;
  *space = '\0';
  return space + 1;
}

struct Resource {
  const char* name;
  int number;
};

constexpr Resource kResources[] = {{"as", RLIMIT_AS},
                                   {"core", RLIMIT_CORE},
                                   {"cpu", RLIMIT_CPU},
                                   {"data", RLIMIT_DATA},
                                   {"fsize", RLIMIT_FSIZE},
                                   {"memlock", RLIMIT_MEMLOCK},
                                   {"msgqueue", RLIMIT_MSGQUEUE},
                                   {"nice", RLIMIT_NICE},
                                   {"nofile", RLIMIT_NOFILE},
                                   {"nproc", RLIMIT_NPROC},
                                   {"rtprio", RLIMIT_RTPRIO},
                                   {"sigpending", RLIMIT_SIGPENDING},
                                   {"stack", RLIMIT_STACK}};

bool TakeLimit(const char*& text, rlim_t& value) {
  if (TakeWord(text, "unlimited")) {
    value = RLIM_INFINITY;
    return true;
  }
  std::uint64_t number = 0;
  if (!TakeNumber(text, std::uint64_t{1} << 60, number)) return false;
  value = number;
  return true;
}

constexpr std::uint64_t kMaxMilliseconds = 24ull * 3600 * 1000;

class Parser {
 public:
  explicit Parser(ServiceTable& table) : table_(table) {}

  // Null where the line is right, else why not.
  const char* Line(const char* key, char* value);
  const char* Finish() const { return current_ != nullptr ? "a service without end" : nullptr; }

 private:
  const char* Outside(const char* key, char* value);
  const char* Surroundings(const char* key, char* value);
  const char* Life(const char* key, char* value);
  const char* Type(const char* value);
  const char* Env(const char* value);
  const char* Secret(char* value);
  const char* Umask(const char* value);
  const char* Limit(char* value);
  const char* Ready(const char* value);
  const char* Live(const char* value);
  const char* Restart(const char* value);
  const char* Stop(const char* value);
  const char* After(const char* value);
  const char* End();

  ServiceTable& table_;
  ServiceEntry* current_ = nullptr;
};

const char* Parser::Outside(const char* key, char* value) {
  if (Is(key, "shell")) return AddArgument(table_.shell, value);
  if (!Is(key, "service")) return "unknown key";
  if (table_.size == kMaxServices) return "too many services";
  current_ = &table_.services[table_.size];
  *current_ = ServiceEntry();
  current_->name = value;
  return *value == '\0' ? "a service without name" : nullptr;
}

const char* Parser::Type(const char* value) {
  if (Is(value, "service")) {
    current_->type = ServiceType::kService;
  } else if (Is(value, "oneshot")) {
    current_->type = ServiceType::kOneshot;
  } else if (Is(value, "job")) {
    current_->type = ServiceType::kJob;
  } else {
    return "type is service, oneshot or job";
  }
  return nullptr;
}

const char* Parser::Env(const char* value) {
  if (std::strchr(value, '=') == nullptr) return "env is KEY=VALUE";
  return AddTo(current_->env, kMaxEnvironment, current_->env_size, value);
}

const char* Parser::Secret(char* value) {
  if (current_->secrets_size == kMaxFiles) return "too many lines of this key";
  char* file = SplitWord(value);
  if (file == nullptr) return "secret is KEY PATH";
  current_->secrets[current_->secrets_size++] = {value, file};
  return nullptr;
}

const char* Parser::Umask(const char* value) {
  int mask = 0;
  for (const char* digit = value; *digit != '\0'; ++digit) {
    if (*digit < '0' || *digit > '7' || mask > 0777) return "bad umask";
    mask = mask * 8 + (*digit - '0');
  }
  if (*value == '\0' || mask > 0777) return "bad umask";
  current_->umask = mask;
  return nullptr;
}

const char* Parser::Limit(char* value) {
  if (current_->limits_size == kMaxLimits) return "too many lines of this key";
  LimitEntry& entry = current_->limits[current_->limits_size];
  const char* numbers = SplitWord(value);
  if (numbers == nullptr) return "limit is NAME SOFT HARD";
  entry.name = value;
  entry.resource = ResourceByName(value);
  if (entry.resource < 0) return "unknown limit";
  if (!TakeLimit(numbers, entry.limit.rlim_cur) || !TakeLimit(numbers, entry.limit.rlim_max)) {
    return "bad limit";
  }
  ++current_->limits_size;
  return nullptr;
}

const char* Parser::Ready(const char* value) {
  ProbeEntry& probe = current_->ready;
  probe = ProbeEntry();
  probe.timeout_ms = 10'000;
  if (Is(value, "none")) return nullptr;
  const bool http = TakeWord(value, "http");
  if (http || TakeWord(value, "tcp")) {
    std::uint64_t port = 0;
    if (!TakeNumber(value, 65'535, port) || port == 0) return "bad port";
    probe.port = static_cast<std::uint16_t>(port);
    probe.kind = http ? ProbeKind::kHttp : ProbeKind::kTcp;
  } else if (TakeWord(value, "exec")) {
    probe.kind = ProbeKind::kExec;
  } else if (TakeWord(value, "delay")) {
    probe.kind = ProbeKind::kDelay;
  } else {
    return "ready is none, tcp, http, exec or delay";
  }
  if (!TakeNumber(value, kMaxMilliseconds, current_->ready_ms)) return "bad time";
  if (http && *value != '/') return "an http path begins with /";
  probe.path = value;
  return nullptr;
}

const char* Parser::Live(const char* value) {
  ProbeEntry& probe = current_->live;
  probe = ProbeEntry();
  const bool http = TakeWord(value, "http");
  if (http || TakeWord(value, "tcp")) {
    std::uint64_t port = 0;
    if (!TakeNumber(value, 65'535, port) || port == 0) return "bad port";
    probe.port = static_cast<std::uint16_t>(port);
    probe.kind = http ? ProbeKind::kHttp : ProbeKind::kTcp;
  } else if (TakeWord(value, "exec")) {
    probe.kind = ProbeKind::kExec;
  } else {
    return "live is tcp, http or exec";
  }
  if (!TakeNumber(value, kMaxMilliseconds, probe.every_ms) || probe.every_ms == 0 ||
      !TakeNumber(value, kMaxMilliseconds, probe.timeout_ms) || probe.timeout_ms == 0) {
    return "bad time";
  }
  if (!TakeNumber(value, 1'000'000, probe.most) || probe.most == 0) return "bad number";
  if (http && *value != '/') return "an http path begins with /";
  probe.path = value;
  return nullptr;
}

const char* Parser::Restart(const char* value) {
  if (TakeWord(value, "never")) {
    current_->restart = RestartPolicy::kNever;
  } else if (TakeWord(value, "on-failure")) {
    current_->restart = RestartPolicy::kOnFailure;
  } else if (TakeWord(value, "always")) {
    current_->restart = RestartPolicy::kAlways;
  } else {
    return "restart is never, on-failure or always";
  }
  if (*value == '\0') return nullptr;
  if (!TakeNumber(value, 1'000'000, current_->most_failures) || *value != '\0') {
    return "bad number";
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
  const ServiceEntry& entry = *current_;
  if (entry.command.size == 0) return "a service without exec";
  if ((entry.ready.kind == ProbeKind::kExec) != (entry.ready.command.size > 0)) {
    return "ready exec and ready-exec go together";
  }
  if ((entry.live.kind == ProbeKind::kExec) != (entry.live.command.size > 0)) {
    return "live exec and live-exec go together";
  }
  if (entry.type != ServiceType::kService && entry.restart == RestartPolicy::kAlways) {
    return "what runs to its end is not restarted always";
  }
  current_ = nullptr;
  ++table_.size;
  return nullptr;
}

// What a service is and finds around it.
const char* Parser::Surroundings(const char* key, char* value) {
  if (Is(key, "type")) return Type(value);
  if (Is(key, "exec")) return AddArgument(current_->command, value);
  if (Is(key, "env")) return Env(value);
  if (Is(key, "env-file")) {
    return AddTo(current_->env_files, kMaxFiles, current_->env_files_size, value);
  }
  if (Is(key, "secret")) return Secret(value);
  if (Is(key, "umask")) return Umask(value);
  if (Is(key, "limit")) return Limit(value);
  const char** text = Is(key, "dir")        ? &current_->dir
                      : Is(key, "user")     ? &current_->user
                      : Is(key, "token")    ? &current_->token
                      : Is(key, "announce") ? &current_->announce
                                            : nullptr;
  if (text == nullptr) return "unknown key";
  *text = value;
  return nullptr;
}

// When it starts, how it is and when it ends.
const char* Parser::Life(const char* key, char* value) {
  if (Is(key, "after")) return After(value);
  if (Is(key, "ready")) return Ready(value);
  if (Is(key, "ready-exec")) return AddArgument(current_->ready.command, value);
  if (Is(key, "live")) return Live(value);
  if (Is(key, "live-exec")) return AddArgument(current_->live.command, value);
  if (Is(key, "restart")) return Restart(value);
  if (Is(key, "stop")) return Stop(value);
  if (Is(key, "end")) return End();
  if (!Is(key, "essential")) return Surroundings(key, value);
  current_->essential = true;
  return nullptr;
}

const char* Parser::Line(const char* key, char* value) {
  return current_ == nullptr ? Outside(key, value) : Life(key, value);
}

}  // namespace

int ResourceByName(const char* name) {
  for (const Resource& resource : kResources) {
    if (Is(resource.name, name)) return resource.number;
  }
  return -1;
}

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
      if (const char* reason = parser.Line(text, value != nullptr ? value : stop)) {
        return {reason, line};
      }
    }
    text = stop + 1;
  }
  if (line == 0) return {"not a service table of this version", 1};
  return {parser.Finish(), line};
}

}  // namespace imgbuild::runtime
