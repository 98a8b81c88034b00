#include "specs/base/error.h"

#include <utility>

#include "specs/base/printable.h"

// What is told may be what a server or a file said: no control character gets out of here.
namespace imgbuild::specs {

Error::Error(ErrorKind kind, std::string what) : kind_(kind), message_(Printable(what)) {
  Render();
}

Error&& Error::Found(std::string found) && {
  found_ = Printable(found);
  Render();
  return std::move(*this);
}

Error&& Error::Expected(std::string expected) && {
  expected_ = Printable(expected);
  Render();
  return std::move(*this);
}

Error&& Error::Hint(std::string hint) && {
  hint_ = Printable(hint);
  Render();
  return std::move(*this);
}

Error&& Error::In(std::string context) && {
  In(std::move(context));
  return std::move(*this);
}

Error& Error::In(std::string context) & {
  trail_.push_back(Printable(context));
  Render();
  return *this;
}

void Error::Render() {
  rendered_ = message_;
  if (!found_.empty()) rendered_ += "\n  found:    " + found_;
  if (!expected_.empty()) rendered_ += "\n  expected: " + expected_;
  for (const std::string& context : trail_) rendered_ += "\n  " + context;
  if (hint_.empty()) return;
  rendered_ += "\n  hint: ";
  for (char c : hint_) rendered_ += c == '\n' ? std::string("\n        ") : std::string(1, c);
}

}  // namespace imgbuild::specs
