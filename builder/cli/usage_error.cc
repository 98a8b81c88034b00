#include "builder/cli/usage_error.h"

#include <cctype>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

using specs::Error;
using specs::ErrorKind;

// The command that was given, as far as it was understood.
const CLI::App& Deepest(const CLI::App& app) {
  const std::vector<CLI::App*> parsed = app.get_subcommands();
  return parsed.empty() ? app : Deepest(*parsed.front());
}

// "imgbuild cache".
std::string FullName(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return parent == nullptr ? command.get_name() : FullName(*parent) + " " + command.get_name();
}

// Those that --help shows.
std::vector<std::string> CommandNames(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* child : command.get_subcommands({})) {
    if (!child->get_group().empty()) names.push_back(child->get_name());
  }
  return names;
}

// Of the command and those above it.
std::vector<std::string> OptionNames(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* at = &command; at != nullptr; at = at->get_parent()) {
    for (const CLI::Option* option : at->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

std::string HelpHint(const CLI::App& command) {
  return fmt::format("see {} --help", FullName(command));
}

Error NoCommand(const CLI::App& command, const std::vector<std::string>& words) {
  const std::vector<std::string> names = CommandNames(command);
  for (const std::string& word : words) {
    if (word.starts_with('-')) continue;
    const std::string near = specs::DidYouMean(word, names);
    return Error(ErrorKind::kUsage, fmt::format("{} has no command {}", FullName(command), word))
        .Expected(specs::Join(names, ", "))
        .Hint(near.empty() ? HelpHint(command) : near);
  }
  return Error(ErrorKind::kUsage, fmt::format("{}: the command is missing", FullName(command)))
      .Expected(specs::Join(names, ", "))
      .Hint(HelpHint(command));
}

Error Unexpected(const CLI::App& command, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (!word.starts_with('-')) continue;
    const std::string name = word.substr(0, word.find('='));
    const std::string near = specs::DidYouMean(name, OptionNames(command));
    return Error(ErrorKind::kUsage, fmt::format("{} has no option {}", FullName(command), name))
        .Hint(near.empty() ? HelpHint(command) : near);
  }
  return Error(ErrorKind::kUsage, fmt::format("{} takes no \"{}\"", FullName(command),
                                              words.empty() ? "" : words.front()))
      .Hint(HelpHint(command));
}

}  // namespace

Error UsageError(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = Deepest(app);
  const std::vector<std::string> words = app.remaining(true);
  if (command.get_require_subcommand_min() > 0 && command.get_subcommands().empty()) {
    return NoCommand(command, words);
  }
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) return Unexpected(command, words);
  std::string text = error.what();
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(text[0]));
  return Error(ErrorKind::kUsage, std::move(text)).Hint(HelpHint(command));
}

}  // namespace imgbuild::builder
