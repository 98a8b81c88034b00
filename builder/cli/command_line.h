// A command line: its commands, their options, and what they set. CLI11, behind types of ours.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace imgbuild::builder {

// One option or argument. A handle, valid as long as its CommandLine; a copy is of the same option.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}

  // How --help calls its value: "FILE".
  Option TypeName(std::string_view name);
  Option Required();
  // One value each time, as often as wanted.
  Option Repeatable();
  // One value or none: an option without one has "" then.
  Option AtMostOne();
  // `problem` says what is wrong with a value, "" for one that is right.
  Option Check(std::function<std::string(const std::string&)> problem);

  // Whether the command line had it; once that was parsed.
  bool IsGiven() const;

 private:
  CLI::Option* option_;
};

// One command, or the program above all of them. A handle, as Option is. What options set is
// borrowed until the command line was parsed, and stays as it is where they are not given.
class Command {
 public:
  explicit Command(CLI::App* app) : app_(app) {}

  Command AddCommand(std::string_view name, std::string_view description);
  // One of its commands has to be given.
  void RequireCommand();
  // --help does not show it.
  Command Hide();
  // Called when the command was given and all of the command line is understood.
  void WhenGiven(std::function<void()> action);

  // "-o,--output", or "image" for an argument without a dash.
  Option AddOption(std::string_view names, std::string& value, std::string_view description);
  Option AddOption(std::string_view names, std::vector<std::string>& values,
                   std::string_view description);
  Option AddOption(std::string_view names, std::filesystem::path& value,
                   std::string_view description);
  Option AddOption(std::string_view names, unsigned& value, std::string_view description);
  void AddFlag(std::string_view names, bool& value, std::string_view description);
  void AddFlag(std::string_view names, std::function<void()> action, std::string_view description);

 private:
  CLI::App* app_;
};

// The program's, with --help and --version. A command is required, and behind it may stand what
// belongs to those above it.
class CommandLine {
 public:
  // `version` is what --version prints.
  CommandLine(std::string_view name, std::string_view version, std::string_view description);
  ~CommandLine();

  Command program() { return Command(app_.get()); }

  // `words` come without the program's name. Returns the exit status where they asked for --help
  // or --version, which is printed then. Throws Error (kUsage).
  std::optional<int> Parse(std::vector<std::string> words);

 private:
  std::unique_ptr<CLI::App> app_;
};

}  // namespace imgbuild::builder
