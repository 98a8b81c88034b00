#include "builder/cli/usage_error.h"

#include <cctype>
#include <utility>

#include <fmt/core.h>

#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

using specs::Error;
using specs::ErrorKind;

std::string HelpHint(const Misunderstanding& found) {
  return fmt::format("see {} --help", found.command);
}

Error NoCommand(const Misunderstanding& found) {
  for (const std::string& word : found.words) {
    if (word.starts_with('-')) continue;
    const std::string near = specs::DidYouMean(word, found.commands);
    return Error(ErrorKind::kUsage, fmt::format("{} has no command {}", found.command, word))
        .Expected(specs::Join(found.commands, ", "))
        .Hint(near.empty() ? HelpHint(found) : near);
  }
  return Error(ErrorKind::kUsage, fmt::format("{}: the command is missing", found.command))
      .Expected(specs::Join(found.commands, ", "))
      .Hint(HelpHint(found));
}

Error WordsLeft(const Misunderstanding& found) {
  for (const std::string& word : found.words) {
    if (!word.starts_with('-')) continue;
    const std::string name = word.substr(0, word.find('='));
    const std::string near = specs::DidYouMean(name, found.options);
    return Error(ErrorKind::kUsage, fmt::format("{} has no option {}", found.command, name))
        .Hint(near.empty() ? HelpHint(found) : near);
  }
  return Error(ErrorKind::kUsage, fmt::format("{} takes no \"{}\"", found.command,
                                              found.words.empty() ? "" : found.words.front()))
      .Hint(HelpHint(found));
}

}  // namespace

Error UsageError(const Misunderstanding& found) {
  switch (found.kind) {
    case Misunderstanding::Kind::kNoCommand:
      return NoCommand(found);
    case Misunderstanding::Kind::kWordsLeft:
      return WordsLeft(found);
    case Misunderstanding::Kind::kOther:
      break;
  }
  std::string text = found.text;
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(text[0]));
  return Error(ErrorKind::kUsage, std::move(text)).Hint(HelpHint(found));
}

}  // namespace imgbuild::builder
