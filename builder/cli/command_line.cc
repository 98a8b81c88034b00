#include "builder/cli/command_line.h"

#include <algorithm>
#include <utility>

#include <CLI/CLI.hpp>

#include "builder/cli/usage_error.h"

namespace imgbuild::builder {
namespace {

// The command that was given, as far as it was understood.
const CLI::App& Deepest(const CLI::App& app) {
  const std::vector<CLI::App*> parsed = app.get_subcommands();
  return parsed.empty() ? app : Deepest(*parsed.front());
}

std::string FullName(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return parent == nullptr ? command.get_name() : FullName(*parent) + " " + command.get_name();
}

std::vector<std::string> CommandNames(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* child : command.get_subcommands({})) {
    if (!child->get_group().empty()) names.push_back(child->get_name());
  }
  return names;
}

std::vector<std::string> OptionNames(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* at = &command; at != nullptr; at = at->get_parent()) {
    for (const CLI::Option* option : at->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

Misunderstanding::Kind KindOf(const CLI::App& command, const CLI::ParseError& error) {
  if (command.get_require_subcommand_min() > 0 && command.get_subcommands().empty()) {
    return Misunderstanding::Kind::kNoCommand;
  }
  return dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr
             ? Misunderstanding::Kind::kWordsLeft
             : Misunderstanding::Kind::kOther;
}

// What `app` made of the command line before its parse threw `error`.
Misunderstanding Describe(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = Deepest(app);
  return {.kind = KindOf(command, error),
          .command = FullName(command),
          .commands = CommandNames(command),
          .options = OptionNames(command),
          .words = app.remaining(true),
          .text = error.what()};
}

template <typename Value>
Option AddTo(CLI::App& app, std::string_view names, Value& value, std::string_view description) {
  return Option(app.add_option(std::string(names), value, std::string(description)));
}

}  // namespace

Option Option::TypeName(std::string_view name) {
  return Option(option_->type_name(std::string(name)));
}

Option Option::Required() { return Option(option_->required()); }

Option Option::Repeatable() { return Option(option_->take_all()->allow_extra_args(false)); }

Option Option::AtMostOne() { return Option(option_->expected(0, 1)); }

Option Option::Check(std::function<std::string(const std::string&)> problem) {
  return Option(option_->check(std::move(problem)));
}

bool Option::IsGiven() const { return option_->count() > 0; }

Command Command::AddCommand(std::string_view name, std::string_view description) {
  return Command(app_->add_subcommand(std::string(name), std::string(description)));
}

void Command::RequireCommand() { app_->require_subcommand(1); }

Command Command::Hide() { return Command(app_->group("")); }

void Command::WhenGiven(std::function<void()> action) { app_->callback(std::move(action)); }

Option Command::AddOption(std::string_view names, std::string& value,
                          std::string_view description) {
  return AddTo(*app_, names, value, description);
}

Option Command::AddOption(std::string_view names, std::vector<std::string>& values,
                          std::string_view description) {
  return AddTo(*app_, names, values, description);
}

Option Command::AddOption(std::string_view names, std::filesystem::path& value,
                          std::string_view description) {
  return AddTo(*app_, names, value, description);
}

Option Command::AddOption(std::string_view names, unsigned& value, std::string_view description) {
  return AddTo(*app_, names, value, description);
}

void Command::AddFlag(std::string_view names, bool& value, std::string_view description) {
  app_->add_flag(std::string(names), value, std::string(description));
}

void Command::AddFlag(std::string_view names, std::function<void()> action,
                      std::string_view description) {
  app_->add_flag_callback(std::string(names), std::move(action), std::string(description));
}

CommandLine::CommandLine(std::string_view name, std::string_view version,
                         std::string_view description)
    : app_(std::make_unique<CLI::App>(std::string(description), std::string(name))) {
  app_->set_version_flag("--version", std::string(version));
  app_->require_subcommand(1);
  app_->fallthrough();
}

CommandLine::~CommandLine() = default;

std::optional<int> CommandLine::Parse(std::vector<std::string> words) {
  std::ranges::reverse(words);  // as CLI11 wants them
  try {
    app_->parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app_->exit(error);
    throw UsageError(Describe(*app_, error));
  }
  return std::nullopt;
}

}  // namespace imgbuild::builder
