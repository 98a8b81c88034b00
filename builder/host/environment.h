// The process's environment variables as a value.
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace imgbuild::builder {

class Environment {
 public:
  Environment() = default;

  // Environment::Of({{"HOME", "/home/me"}})
  static Environment Of(
      std::initializer_list<std::pair<std::string_view, std::string_view>> variables);

  // A snapshot of the process's own.
  static Environment OfProcess();

  // nullopt where unset or empty: an empty variable means "not given", as curl and pip read it.
  std::optional<std::string> Get(std::string_view name) const;
  // The first of `names` that is set.
  std::optional<std::string> FirstOf(std::initializer_list<std::string_view> names) const;

 private:
  std::map<std::string, std::string, std::less<>> variables_;
};

}  // namespace imgbuild::builder
