#include "specs/env/requirements_file.h"

#include <algorithm>

#include <fmt/core.h>

#include "specs/base/text.h"
#include "specs/python/requirement.h"
#include "specs/python/tags.h"

namespace imgbuild::specs {
namespace {

constexpr int kMaxIncludes = 16;

// Reads one file after another into the lists.
class FileReader {
 public:
  FileReader(SpecReading& reading, RequirementLists& lists) : reading_(reading), lists_(lists) {}

  void Read(const std::string& file, const SourcePosition& where, std::vector<Placed>& target,
            int depth) {
    std::optional<std::string> text = reading_.request.read_file(file);
    if (!text || depth == kMaxIncludes) {
      reading_.problems.Add(where, text ? fmt::format("{} includes itself", file)
                                        : fmt::format("there is no file {}", file));
      return;
    }
    int number = 0;
    std::string joined;
    int first = 1;
    for (std::string_view line : Split(*text, '\n')) {
      ++number;
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (joined.empty()) first = number;
      if (line.ends_with('\\')) {
        joined += line.substr(0, line.size() - 1);
        continue;
      }
      joined += line;
      Line(joined, {file, first, 1}, target, depth);
      joined.clear();
    }
    if (!joined.empty()) Line(joined, {file, first, 1}, target, depth);
  }

 private:
  void Line(std::string_view line, const SourcePosition& where, std::vector<Placed>& target,
            int depth) {
    std::size_t comment = line.starts_with('#') ? 0 : line.find(" #");
    line = Trim(line.substr(0, comment));
    if (line.empty()) return;
    if (line.starts_with('-')) return Option(line, where, target, depth);
    // --hash and other options of one requirement: the lock has hashes of its own.
    line = Trim(line.substr(0, line.find(" --")));
    target.push_back({std::string(line), where});
  }

  void Option(std::string_view line, const SourcePosition& where, std::vector<Placed>& target,
              int depth) {
    std::size_t end = std::min(line.find_first_of(" =\t"), line.size());
    std::string name(line.substr(0, end));
    std::string value(Trim(line.substr(std::min(end + 1, line.size()))));
    if (name.size() > 2 && name[1] != '-') {  // -rfile
      value = name.substr(2) + std::string(line.substr(end));
      name.resize(2);
    }
    if (name == "-r" || name == "--requirement") {
      return Read(BesideFile(where.file, value), where, target, depth + 1);
    }
    if (name == "-c" || name == "--constraint") {
      return Read(BesideFile(where.file, value), where, lists_.constraints, depth + 1);
    }
    static const std::pair<std::string_view, std::string_view> kHints[] = {
        {"-e", "build a wheel and name its file"},
        {"--editable", "build a wheel and name its file"},
        {"-i", "indexes belong into [[python.indexes]] or the environment, see docs/sources.md"},
        {"--index-url", "see docs/sources.md for how the default index is found"},
        {"--extra-index-url", "write a [[python.indexes]] into the spec"},
        {"-f", "name the wheel's file instead"},
        {"--find-links", "name the wheel's file instead"},
        {"--pre", "write prereleases = \"allow\" under [python]"}};
    std::string hint;
    for (const auto& [option, text] : kHints) {
      if (option == name) hint = text;
    }
    reading_.problems.Add(where, fmt::format("the option {} has no meaning here", name), hint);
  }

  SpecReading& reading_;
  RequirementLists& lists_;
};

bool LooksLikeFile(std::string_view text) {
  std::string_view head = Trim(text.substr(0, text.find(';')));
  if (head.find('@') != std::string_view::npos) return false;
  if (head.starts_with('.') || head.starts_with('~') || head.find('/') != std::string_view::npos) {
    return head.find("~=") != 0;
  }
  for (std::string_view ending : {".txt", ".in", ".toml", ".zip", ".gz", ".bz2", ".py", ".cfg"}) {
    if (head.ends_with(ending)) return true;
  }
  return false;
}

std::string FileHint(std::string_view text) {
  if (text.ends_with(".txt") || text.ends_with(".in")) {
    return fmt::format("write requirements = [{}] under [python]", TomlQuote(text));
  }
  if (text.ends_with("pyproject.toml") || text == ".")
    return "write pyproject = \".\" under [python]";
  if (text.ends_with(".gz") || text.ends_with(".zip") || text.ends_with(".bz2")) {
    return "build a wheel from it and name that: \"./name-1.0-py3-none-any.whl\"";
  }
  return "packages are named as on the index; local files must be wheels (.whl)";
}

std::string SyntaxHint(std::string_view text) {
  if (text.starts_with("-e ") || text.starts_with("--editable")) {
    return "build a wheel and name its file";
  }
  std::size_t equals = text.find('=');
  if (equals != std::string_view::npos && equals > 0 && equals + 1 < text.size() &&
      std::string_view("=<>!~").find(text[equals - 1]) == std::string_view::npos &&
      text[equals + 1] != '=') {
    std::string fixed(text);
    return fmt::format("did you mean \"{}\"?", fixed.insert(equals, "="));
  }
  return "for example \"pandas\", \"pandas>=2,<3\" or \"fastapi[standard]\"";
}

}  // namespace

bool IsLocalWheel(std::string_view package) {
  return package.ends_with(".whl") && package.find('@') == std::string_view::npos;
}

std::map<std::string, std::string> LocalWheels(const Spec& spec) {
  std::map<std::string, std::string> wheels;
  for (const PythonLayer& layer : spec.python.layers) {
    for (const std::string& package : layer.packages) {
      if (IsLocalWheel(package)) wheels.emplace(package.substr(package.rfind('/') + 1), package);
    }
  }
  return wheels;
}

std::optional<std::string> CheckRequirement(const Placed& requirement, SpecReading& reading) {
  const std::string& text = requirement.text;
  if (IsLocalWheel(text)) {
    std::string path = BesideFile(requirement.where.file, text);
    auto wheel = WheelName::Parse(std::string_view(path).substr(path.rfind('/') + 1));
    if (auto* error = std::get_if<SyntaxError>(&wheel)) {
      reading.problems.Add(requirement.where, error->message);
      return std::nullopt;
    }
    return path;
  }
  if (LooksLikeFile(text)) {
    reading.problems.Add(requirement.where,
                         fmt::format("\"{}\" is a file, not a requirement", text), FileHint(text));
    return std::nullopt;
  }
  auto parsed = Requirement::Parse(text);
  if (auto* error = std::get_if<SyntaxError>(&parsed)) {
    reading.problems.Add(requirement.where,
                         fmt::format("\"{}\" is no requirement: {}", text, error->message),
                         SyntaxHint(text));
    return std::nullopt;
  }
  return text;
}

void ReadRequirementsFile(const std::string& file, const SourcePosition& where,
                          SpecReading& reading, RequirementLists& lists) {
  FileReader(reading, lists).Read(file, where, lists.packages, 0);
}

void ReadConstraintsFile(const std::string& file, const SourcePosition& where, SpecReading& reading,
                         RequirementLists& lists) {
  FileReader(reading, lists).Read(file, where, lists.constraints, 0);
}

void ReadPyproject(const std::string& folder, const SourcePosition& where,
                   std::string_view python_version, SpecReading& reading, RequirementLists& lists) {
  std::string file =
      folder.ends_with(".toml") ? folder : BesideFile(folder + "/", "pyproject.toml");
  std::optional<std::string> text = reading.request.read_file(file);
  if (!text) return reading.problems.Add(where, fmt::format("there is no file {}", file));
  auto parsed = ParseToml(*text, file);
  if (auto* problem = std::get_if<Problem>(&parsed)) {
    return reading.problems.Add(problem->where, problem->message, problem->hint);
  }
  const TomlValue* project = std::get<TomlValue>(parsed).Find("project");
  if (project == nullptr) {
    return reading.problems.Add({file, 1, 1}, "there is no [project] table (PEP 621)");
  }
  if (const TomlValue* dependencies = project->Find("dependencies")) {
    for (const TomlValue& item : dependencies->items)
      lists.packages.push_back({item.text, item.where});
  }
  const TomlValue* python = project->Find("requires-python");
  if (python == nullptr || python->kind != TomlValue::Kind::kString) return;
  auto specifier = ParseSpecifierLenient(python->text);
  auto* set = std::get_if<SpecifierSet>(&specifier);
  // Only the minor version is known here: its newest imaginable patch release must fit.
  if (set != nullptr && !set->Contains(fmt::format("{}.999", python_version)) &&
      !set->Contains(python_version)) {
    reading.problems.Add(python->where, fmt::format("the project needs Python {}, the spec has {}",
                                                    python->text, python_version));
  }
}

}  // namespace imgbuild::specs
