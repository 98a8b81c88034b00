#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>

#include <fmt/core.h>

#include "builder/cli/command_line.h"
#include "builder/cli/commands.h"
#include "layers/io/atomic_file.h"
#include "layers/io/file.h"
#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/oci/reference.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLargestIgnoreFile = 1u << 20;

// What a machine has for itself, and what a build makes.
constexpr std::string_view kIgnored[] = {"*.local.toml", "*.local.lock", "*.oci/"};

constexpr std::string_view kTemplate =
    R"toml(# An environment for imgbuild: "imgbuild build" makes {name}.oci of it and writes spec.lock, which
# belongs into version control beside this file. docs/spec.md explains every key.
format = 1

[image]
name = "{name}"

[system]
packages = []                 # Debian packages: ["git"]

[python]
version = "3.11"
packages = ["jupyterlab", "numpy", "pandas", "scipy", "matplotlib"]

[[python.layers]]             # more packages, in a layer of their own
name = "web"
packages = ["fastapi[standard]", "python-fasthtml", "pip"]

[cuda]                        # linux/amd64 only; spec.local.toml turns it on for one machine
enabled = false
version = "13.0"
components = ["toolkit", "cudnn"]

[services.jupyter]
preset = "jupyterlab"
port = 8888

[services.web]
preset = "fasthtml"           # serves main:app of dir = "/srv/app" if you give one, else a page of its own
port = 5001
)toml";

// A name for the image from that of the folder: what a repository may be called.
std::string NameFor(const fs::path& folder) {
  std::string name;
  for (char c : specs::ToLower(folder.filename().string())) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (plain) {
      name += c;
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  while (name.ends_with('-')) name.pop_back();
  return specs::IsRepositoryName(name) ? name : "notebook";
}

std::string Fill(std::string_view text, const std::string& name) {
  constexpr std::string_view kPlace = "{name}";
  std::string filled;
  for (std::size_t at = text.find(kPlace); at != std::string_view::npos; at = text.find(kPlace)) {
    filled.append(text.substr(0, at)).append(name);
    text.remove_prefix(at + kPlace.size());
  }
  return filled.append(text);
}

// The lines that are not there yet; "" where all are.
std::string MissingLines(const std::string& text) {
  std::vector<std::string_view> lines = specs::Split(text, '\n');
  std::string missing;
  for (std::string_view wanted : kIgnored) {
    const bool there = std::ranges::any_of(
        lines, [&](std::string_view line) { return specs::Trim(line) == wanted; });
    if (!there) missing.append(wanted).append("\n");
  }
  return missing;
}

int Init(const fs::path& file) {
  std::error_code error;
  if (fs::exists(file, error)) {
    throw specs::Error(specs::ErrorKind::kUsage, fmt::format("{} is there already", file.string()))
        .Hint("edit it, or give another name: imgbuild init other.toml");
  }
  const fs::path folder = fs::absolute(file, error).parent_path();
  if (!fs::is_directory(folder, error)) {
    throw specs::Error(specs::ErrorKind::kUsage, fmt::format("there is no {}", folder.string()))
        .Hint("make the folder first");
  }
  const fs::path ignore = folder / ".gitignore";
  const std::string before =
      fs::exists(ignore, error) ? layers::ReadFile(ignore, kLargestIgnoreFile) : "";
  const std::string missing = MissingLines(before);

  layers::WriteFileAtomically(file, Fill(kTemplate, NameFor(folder)));
  fmt::print("wrote {}\n", file.string());
  if (!missing.empty()) {
    const bool open_line = !before.empty() && !before.ends_with('\n');
    layers::WriteFileAtomically(ignore, before + (open_line ? "\n" : "") + missing);
    fmt::print("added to {}: {}\n", ignore.string(),
               specs::Join({std::begin(kIgnored), std::end(kIgnored)}, " "));
  }
  fmt::print("\nNext:\n  imgbuild build {}\n", file.string());
  return 0;
}

}  // namespace

void AddInitCommand(Command app, RunCommand& run) {
  auto file = std::make_shared<std::string>("spec.toml");
  Command command = app.AddCommand("init", "Write a spec to begin with");
  command.AddOption("spec", *file, "The file to write; spec.toml where none is given");
  command.WhenGiven([&run, file] { run = [file] { return Init(*file); }; });
}

}  // namespace imgbuild::builder
