// What is said of a command line that cannot be understood.
#pragma once

#include <string>
#include <vector>

#include "specs/base/error.h"

namespace imgbuild::builder {

// How far a command line was understood.
struct Misunderstanding {
  enum class Kind {
    kNoCommand,  // the command needs another one below it
    kWordsLeft,  // some words are no option and no argument
    kOther,      // as `text` says
  };
  Kind kind = Kind::kOther;
  std::string command;                // the last that was understood: "imgbuild cache"
  std::vector<std::string> commands;  // those below it that --help shows
  std::vector<std::string> options;   // of the command and those above it: "--name"
  std::vector<std::string> words;     // that were left
  std::string text;
};

// An Error (kUsage) like every other, with the command or option that was probably meant.
specs::Error UsageError(const Misunderstanding& found);

}  // namespace imgbuild::builder
