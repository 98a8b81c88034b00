#include "specs/env/lock.h"

#include <algorithm>

#include <fmt/core.h>

#include "specs/base/text.h"
#include "specs/base/toml.h"

namespace imgbuild::specs {
namespace {

using Kind = TomlValue::Kind;

// A lock of more is none that this program wrote.
constexpr std::size_t kMaxBytes = 64u << 20;

std::string_view KindName(PackageKind kind) { return kind == PackageKind::kDeb ? "deb" : "wheel"; }

void Add(std::string& text, std::string_view key, std::string_view value) {
  text += fmt::format("{} = {}\n", key, TomlQuote(value));
}

void AddIfAny(std::string& text, std::string_view key, std::string_view value) {
  if (!value.empty()) Add(text, key, value);
}

void AddPackages(std::string& text, std::string_view header,
                 const std::vector<LockedPackage>& packages) {
  for (const LockedPackage& package : packages) {
    text += fmt::format("\n[[{}]]\n", header);
    Add(text, "kind", KindName(package.kind));
    Add(text, "name", package.name);
    Add(text, "version", package.version);
    AddIfAny(text, "architecture", package.architecture);
    Add(text, "file", package.file);
    if (package.size != 0) text += fmt::format("size = {}\n", package.size);
    Add(text, "sha256", package.sha256.Hex());
    Add(text, "source", package.source);
    AddIfAny(text, "path", package.path);
    if (!package.required_by.empty()) {
      text += fmt::format("required-by = {}\n", TomlArray(package.required_by));
    }
    Add(text, "layer", package.layer);
    AddIfAny(text, "only-with", package.only_with);
  }
}

// Reads tables of a lock and notes every problem.
class LockReader {
 public:
  explicit LockReader(std::string_view file) : file_(file) {}

  void Note(const SourcePosition& where, std::string message) {
    problems_.Add(where, std::move(message));
  }
  void ThrowIfAny() const { problems_.ThrowIfAny(); }

  const TomlValue* Get(const TomlValue& table, std::string_view key, Kind kind) {
    const TomlValue* value = table.Find(key);
    if (value == nullptr || value->kind == kind) return value;
    Note(value->where,
         fmt::format("{} is {}, expected {}", key, TomlKindName(value->kind), TomlKindName(kind)));
    return nullptr;
  }

  std::string Optional(const TomlValue& table, std::string_view key) {
    const TomlValue* value = Get(table, key, Kind::kString);
    return value != nullptr ? value->text : "";
  }

  std::string Required(const TomlValue& table, std::string_view key) {
    if (table.Find(key) == nullptr) Note(Place(table), fmt::format("{} is missing", key));
    return Optional(table, key);
  }

  std::uint64_t Number(const TomlValue& table, std::string_view key) {
    const TomlValue* value = Get(table, key, Kind::kInteger);
    if (value == nullptr) return 0;
    if (value->integer < 0) Note(value->where, fmt::format("{} is negative", key));
    return static_cast<std::uint64_t>(std::max<std::int64_t>(value->integer, 0));
  }

  Sha256 Digest(const TomlValue& table, std::string_view key) {
    std::string text = Required(table, key);
    std::optional<Sha256> digest = Sha256::Parse(text);
    if (!digest && !text.empty()) {
      Note(table.Find(key)->where,
           fmt::format("{} is \"{}\", expected 64 hexadecimal digits", key, text));
    }
    return digest.value_or(Sha256());
  }

  Platform PlatformOf(const TomlValue& table, std::string_view key) {
    std::string text = Required(table, key);
    std::optional<Platform> platform = Platform::Parse(text);
    if (!platform && !text.empty()) {
      Note(table.Find(key)->where, fmt::format("no platform \"{}\"", text));
    }
    return platform.value_or(Platform());
  }

  std::vector<const TomlValue*> Tables(const TomlValue& table, std::string_view key) {
    std::vector<const TomlValue*> tables;
    const TomlValue* array = Get(table, key, Kind::kArray);
    if (array == nullptr) return tables;
    for (const TomlValue& item : array->items) {
      if (item.kind == Kind::kTable) {
        tables.push_back(&item);
      } else {
        Note(item.where, fmt::format("{} holds {}, expected tables", key, TomlKindName(item.kind)));
      }
    }
    return tables;
  }

  std::vector<std::string> Texts(const TomlValue& table, std::string_view key) {
    std::vector<std::string> texts;
    const TomlValue* array = Get(table, key, Kind::kArray);
    if (array == nullptr) return texts;
    for (const TomlValue& item : array->items) {
      if (item.kind != Kind::kString) Note(item.where, fmt::format("{} holds no text", key));
      texts.push_back(item.text);
    }
    return texts;
  }

  LockedPackage Package(const TomlValue& table) {
    LockedPackage package;
    std::string kind = Required(table, "kind");
    if (kind != "deb" && kind != "wheel" && !kind.empty()) {
      Note(Place(table), fmt::format("kind is \"{}\", expected \"deb\" or \"wheel\"", kind));
    }
    package.kind = kind == "wheel" ? PackageKind::kWheel : PackageKind::kDeb;
    package.name = Required(table, "name");
    package.version = Required(table, "version");
    package.architecture = Optional(table, "architecture");
    package.file = Required(table, "file");
    if (package.file.find('/') != std::string::npos || package.file.starts_with('.')) {
      Note(Place(table),
           fmt::format("file is \"{}\", expected a name without folders", package.file));
    }
    package.size = Number(table, "size");
    package.sha256 = Digest(table, "sha256");
    package.source = Required(table, "source");
    CheckSource(package, Place(table));
    package.path = Optional(table, "path");
    bool local = package.source == kLocalSource;  // beside the spec, where "../" may lead
    std::vector<std::string_view> parts = Split(package.path, '/');
    bool climbs = std::find(parts.begin(), parts.end(), "..") != parts.end();
    if (package.path.starts_with('/') || (climbs && !local)) {
      Note(Place(table),
           fmt::format("path is \"{}\", expected one below the mirror", package.path));
    }
    package.required_by = Texts(table, "required-by");
    package.layer = Required(table, "layer");
    package.only_with = Optional(table, "only-with");
    if (!package.only_with.empty() && package.only_with != "cuda") {
      Note(Place(table), fmt::format("only-with is \"{}\", expected \"cuda\"", package.only_with));
    }
    return package;
  }

  std::vector<LockedPackage> Packages(const TomlValue& table) {
    std::vector<LockedPackage> packages;
    for (const TomlValue* package : Tables(table, "package")) packages.push_back(Package(*package));
    return packages;
  }

  LockedCompiler Compiler(const TomlValue& table) {
    LockedCompiler compiler{PlatformOf(table, "host"), Packages(table)};
    for (const LockedPackage& package : compiler.packages) {
      if (package.kind == PackageKind::kDeb) continue;
      Note(Place(table), fmt::format("{} is a wheel, expected only debs", package.name));
    }
    return compiler;
  }

  SourcePosition Place(const TomlValue& table) const {
    return table.where.line != 0 ? table.where : SourcePosition{std::string(file_), 1, 1};
  }

 private:
  // A lock comes with a repository: what it names is only ever asked of the user's mirrors and
  // indexes, or lies beside the spec.
  void CheckSource(const LockedPackage& package, const SourcePosition& where) {
    if (package.source.empty()) return;
    if (package.kind == PackageKind::kDeb) {
      const std::vector<std::string_view> parts = Split(package.source, '/');
      if (parts.size() == 2 && IsWord(parts[0]) && IsWord(parts[1])) return;
      Note(where, fmt::format("source is \"{}\", expected a suite and a component such as "
                              "\"bookworm/main\"",
                              package.source));
    } else if (package.source == kArtifactSource || !IsWord(package.source)) {
      Note(where, fmt::format("source is \"{}\", expected an index's name or \"{}\"",
                              package.source, kLocalSource));
    }
  }

  static bool IsWord(std::string_view text) {
    return !text.empty() && text.find_first_of("/:\\ ") == std::string_view::npos;
  }

  std::string_view file_;
  Problems problems_;
};

}  // namespace

const LockedPlatform& LockedFor(const Lock& lock, const Platform& platform) {
  return *std::ranges::find(lock.platforms, platform, &LockedPlatform::platform);
}

std::string LockCommand(std::string_view spec_file, std::string_view name) {
  return fmt::format("imgbuild lock{}{}{}{}", name.empty() ? "" : " --upgrade ", name,
                     spec_file.empty() ? "" : " ", spec_file);
}

std::string RenderLock(const Lock& lock) {
  std::string text =
      "# Written by imgbuild from the spec beside it; \"imgbuild lock --upgrade\" moves "
      "versions.\n";
  text += fmt::format("format = {}\n", lock.format);
  Add(text, "inputs", lock.inputs.Hex());
  Add(text, "packer", lock.packer);
  Add(text, "python-version", lock.python_version);
  if (lock.base) {
    text += "\n[base]\n";
    Add(text, "image", lock.base->image);
    Add(text, "media-type", lock.base->media_type);
    Add(text, "digest", lock.base->digest.Hex());
    text += fmt::format("size = {}\n", lock.base->size);
  }
  for (const LockedSuite& suite : lock.suites) {
    text += "\n[[suite]]\n";
    Add(text, "name", suite.name);
    Add(text, "date", suite.date);
    Add(text, "digest", suite.digest.Hex());
  }
  for (const LockedPlatform& platform : lock.platforms) {
    text += "\n[[platform]]\n";
    Add(text, "platform", platform.platform.Render());
    AddIfAny(text, "cuda-problem", platform.cuda_problem);
    AddPackages(text, "platform.package", platform.packages);
  }
  for (const LockedCompiler& compiler : lock.compilers) {
    text += "\n[[compiler]]\n";
    Add(text, "host", compiler.host.Render());
    AddPackages(text, "compiler.package", compiler.packages);
  }
  return text;
}

Lock ParseLock(std::string_view text, std::string_view file) {
  LockReader reader(file);
  if (text.size() > kMaxBytes) {
    throw Error(ErrorKind::kUsage, fmt::format("{} is too large for a lock", file))
        .Found(HumanBytes(text.size()))
        .Expected("at most " + HumanBytes(kMaxBytes));
  }
  auto parsed = ParseToml(text, file);
  if (auto* problem = std::get_if<Problem>(&parsed)) {
    throw Error(ErrorKind::kUsage, problem->Render())
        .Hint(
            "locks are written by \"imgbuild lock\"; take it back from version control or write "
            "it anew");
  }
  const auto& document = std::get<TomlValue>(parsed);
  Lock lock;
  lock.format = static_cast<std::uint32_t>(reader.Number(document, "format"));
  if (lock.format != 1) {
    throw Error(ErrorKind::kUsage, fmt::format("{} has a format this imgbuild does not know", file))
        .Found(fmt::format("format = {}", lock.format))
        .Expected("format = 1")
        .Hint("a later imgbuild wrote it; or lock anew with \"imgbuild lock\"");
  }
  lock.inputs = reader.Digest(document, "inputs");
  lock.packer = reader.Required(document, "packer");
  lock.python_version = reader.Required(document, "python-version");
  if (const TomlValue* base = reader.Get(document, "base", Kind::kTable)) {
    lock.base = LockedBase{reader.Required(*base, "image"), reader.Required(*base, "media-type"),
                           reader.Digest(*base, "digest"), reader.Number(*base, "size")};
  }
  for (const TomlValue* table : reader.Tables(document, "suite")) {
    lock.suites.push_back({reader.Required(*table, "name"), reader.Required(*table, "date"),
                           reader.Digest(*table, "digest")});
  }
  for (const TomlValue* table : reader.Tables(document, "platform")) {
    lock.platforms.push_back({reader.PlatformOf(*table, "platform"), reader.Packages(*table),
                              reader.Optional(*table, "cuda-problem")});
  }
  for (const TomlValue* table : reader.Tables(document, "compiler")) {
    lock.compilers.push_back(reader.Compiler(*table));
  }
  reader.ThrowIfAny();
  return lock;
}

}  // namespace imgbuild::specs
