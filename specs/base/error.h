// The one exception type: a command that cannot go on says what happened and what to do.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace imgbuild::specs {

// The value is the process's exit status.
enum class ErrorKind {
  kFailure = 1,
  kUsage = 2,          // bad command line or bad spec
  kUnresolvable = 3,   // no set of packages satisfies the requirements
  kVerification = 4,   // hash, signature or --check mismatch
  kInterrupted = 130,  // SIGINT or SIGTERM
};

// Thrown when the command has to end. A caller that can go on gets a sum type instead.
//
//   throw Error(ErrorKind::kVerification, "numpy-2.1.0.whl has the wrong SHA-256")
//       .Found(actual).Expected(locked).Hint("remove the lock entry ...");
//
// On the way up, callers add where it happened: `throw std::move(e.In("while installing numpy"))`.
class [[nodiscard]] Error : public std::exception {
 public:
  explicit Error(std::string what) : Error(ErrorKind::kFailure, std::move(what)) {}
  Error(ErrorKind kind, std::string what);

  Error&& Found(std::string found) &&;
  Error&& Expected(std::string expected) &&;
  Error&& Hint(std::string hint) &&;
  // One line of context, innermost first.
  Error&& In(std::string context) &&;
  Error& In(std::string context) &;

  ErrorKind kind() const { return kind_; }
  const std::string& message() const { return message_; }
  const std::string& found() const { return found_; }
  const std::string& expected() const { return expected_; }
  const std::string& hint() const { return hint_; }
  const std::vector<std::string>& trail() const { return trail_; }

  // Everything, over several lines, as a terminal shows it (without "error: " before it).
  const char* what() const noexcept override { return rendered_.c_str(); }

 private:
  void Render();

  ErrorKind kind_;
  std::string message_;
  std::string found_;
  std::string expected_;
  std::string hint_;
  std::vector<std::string> trail_;
  std::string rendered_;
};

// Calls `action`; an Error that leaves it carries `context` in its trail.
template <typename Action>
decltype(auto) WithContext(std::string_view context, Action&& action) {
  try {
    return action();
  } catch (Error& error) {
    error.In(std::string(context));
    throw;
  }
}

}  // namespace imgbuild::specs
