#include "builder/cli/confirm.h"

#include <cstdio>

#include <fmt/core.h>

#include "specs/base/error.h"
#include "specs/base/printable.h"
#include "specs/base/text.h"

namespace imgbuild::builder {

void Confirm(const std::string& question, Asking asking, std::istream& in) {
  if (asking == Asking::kNobody) {
    throw specs::Error(specs::ErrorKind::kUsage,
                       "there is no terminal to ask whether it may be deleted")
        .Found(question)
        .Hint("say --yes if it may");
  }
  fmt::print(stderr, "{} [y/N] ", specs::Printable(question));
  std::string answer;
  std::getline(in, answer);
  answer = specs::ToLower(specs::Trim(answer));
  if (answer != "y" && answer != "yes") throw specs::Error("nothing was deleted");
}

}  // namespace imgbuild::builder
