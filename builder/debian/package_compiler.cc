#include <cstring>
#include <numeric>
#include <unordered_map>

#include <fmt/format.h>

#include "builder/debian/package_table.h"
#include "builder/debian/string_pool.h"
#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/debian/control.h"
#include "specs/debian/relation.h"
#include "specs/debian/relation_scanner.h"

namespace imgbuild::builder {
namespace {

using specs::Error;

constexpr std::uint64_t kMostInstalledKib = 1ull << 40;

enum class Field : std::uint8_t {
  kOther,
  kName,
  kVersion,
  kArchitecture,
  kFilename,
  kSize,
  kSha256,
  kInstalledSize,
  kSection,
  kSource,
  kPriority,
  kMultiArch,
  kEssential,
  kPreDepends,  // the order of RelationKind
  kDepends,
  kRecommends,
  kConflicts,
  kBreaks,
  kProvides,
};

Field FieldNamed(std::string_view name) {
  static const std::unordered_map<std::string_view, Field> kFields = {
      {"Package", Field::kName},
      {"Version", Field::kVersion},
      {"Architecture", Field::kArchitecture},
      {"Filename", Field::kFilename},
      {"Size", Field::kSize},
      {"SHA256", Field::kSha256},
      {"Installed-Size", Field::kInstalledSize},
      {"Section", Field::kSection},
      {"Source", Field::kSource},
      {"Priority", Field::kPriority},
      {"Multi-Arch", Field::kMultiArch},
      {"Essential", Field::kEssential},
      {"Pre-Depends", Field::kPreDepends},
      {"Depends", Field::kDepends},
      {"Recommends", Field::kRecommends},
      {"Conflicts", Field::kConflicts},
      {"Breaks", Field::kBreaks},
      {"Provides", Field::kProvides},
  };
  auto found = kFields.find(name);
  return found == kFields.end() ? Field::kOther : found->second;
}

class Compiler {
 public:
  Compiler(specs::Architecture architecture, std::string_view file)
      : architecture_(architecture), file_(file) {}

  void AddAll(std::string_view text) {
    packages_.reserve(text.size() / 700);
    relations_.reserve(text.size() / 90);
    specs::ControlReader reader(text, file_);
    while (auto fields = reader.Next()) AddStanza(*fields);
  }

  std::string Finish(const specs::Sha256& inputs) {
    SortNames();
    SortPackages();
    LinkProviders();
    return Assemble(inputs);
  }

 private:
  using Fields = std::array<std::string_view, 19>;

  struct Provide {
    std::uint32_t name;
    RawProvider provider;
  };

  void AddStanza(std::span<const specs::ControlFieldView> stanza) {
    Fields fields{};
    for (const specs::ControlFieldView& field : stanza) {
      fields[static_cast<std::size_t>(FieldNamed(field.name))] = field.value;
    }
    try {
      AddPackage(fields);
    } catch (Error& error) {
      error.In(fmt::format("in {}:{} (package {})", file_, stanza.front().line,
                           Get(fields, Field::kName)));
      throw;
    }
  }

  static std::string_view Get(const Fields& fields, Field field) {
    return fields[static_cast<std::size_t>(field)];
  }

  static std::string_view Require(const Fields& fields, Field field, std::string_view name) {
    std::string_view value = Get(fields, field);
    if (value.empty()) throw Error(fmt::format("a package lacks the field {}", name));
    return value;
  }

  // Names and versions become parts of paths and addresses.
  static std::string_view CheckedText(const Fields& fields, Field field, std::string_view name,
                                      std::string_view punctuation) {
    std::string_view text = Require(fields, field, name);
    for (char c : text) {
      bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      if (!plain && punctuation.find(c) == std::string_view::npos) {
        throw Error(fmt::format("{} has a character that is not allowed", name))
            .Found(std::string(text));
      }
    }
    return text;
  }

  static std::string_view CheckedPath(std::string_view path) {
    bool printable =
        std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c < 127; });
    bool climbs = false;
    for (std::string_view part : specs::Split(path, '/')) {
      climbs |= part.empty() || part == "." || part == "..";
    }
    if (!printable || climbs) {
      throw Error("Filename is no path below the mirror").Found(std::string(path));
    }
    return path;
  }

  static std::uint64_t Number(std::string_view text, std::string_view name) {
    std::optional<std::uint64_t> number = specs::ParseUnsigned(text);
    if (!number) throw Error(fmt::format("{} is no number", name)).Found(std::string(text));
    return *number;
  }

  // nullopt for another machine's package.
  std::optional<TableArchitecture> Covers(std::string_view name) const {
    if (name == "all") return TableArchitecture::kAll;
    if (name != specs::ArchitectureName(architecture_)) return std::nullopt;
    return architecture_ == specs::Architecture::kAmd64 ? TableArchitecture::kAmd64
                                                        : TableArchitecture::kArm64;
  }

  void AddPackage(const Fields& fields) {
    auto architecture = Covers(Require(fields, Field::kArchitecture, "Architecture"));
    if (!architecture) return;
    RawPackage package;
    package.architecture = *architecture;
    package.name = NameId(CheckedText(fields, Field::kName, "Package", "+-."));
    package.version = strings_.Intern(CheckedText(fields, Field::kVersion, "Version", "+-.~:"));
    package.filename = strings_.Append(CheckedPath(Require(fields, Field::kFilename, "Filename")));
    package.size = Number(Require(fields, Field::kSize, "Size"), "Size");
    std::string_view digest = Require(fields, Field::kSha256, "SHA256");
    std::optional<specs::Sha256> sha256 = specs::Sha256::Parse(digest);
    if (!sha256) throw Error("SHA256 is no digest").Found(std::string(digest));
    package.sha256 = sha256->bytes();
    if (std::string_view size = Get(fields, Field::kInstalledSize); !size.empty()) {
      package.installed_size = std::min(Number(size, "Installed-Size"), kMostInstalledKib) * 1024;
    }
    package.section = strings_.Intern(Get(fields, Field::kSection));
    package.source_package = strings_.Intern(Get(fields, Field::kSource));
    // Words that the policy does not know mean the default, as for apt.
    package.priority = static_cast<std::uint8_t>(specs::ParsePriority(Get(fields, Field::kPriority))
                                                     .value_or(specs::DebianPriority::kExtra));
    package.multi_arch = static_cast<std::uint8_t>(
        specs::ParseMultiArch(Get(fields, Field::kMultiArch)).value_or(specs::MultiArch::kNo));
    package.essential = Get(fields, Field::kEssential) == "yes" ? 1 : 0;
    AddRelations(fields, package);
    packages_.push_back(package);
  }

  void AddRelations(const Fields& fields, RawPackage& package) {
    for (std::size_t kind = 0; kind < kRelationKinds; ++kind) {
      package.relations[kind] = RelationCount();
      std::string_view field = fields[static_cast<std::size_t>(Field::kPreDepends) + kind];
      if (field.empty()) continue;
      if (!AddPlain(field)) {
        relations_.resize(package.relations[kind]);
        AddRestricted(field);
      }
      if (static_cast<RelationKind>(kind) == RelationKind::kProvides) {
        CollectProvides(package.relations[kind]);
      }
    }
    package.relations[kRelationKinds] = RelationCount();
  }

  std::uint32_t RelationCount() const { return static_cast<std::uint32_t>(relations_.size()); }

  // False where a relation is restricted to architectures or profiles.
  bool AddPlain(std::string_view field) {
    specs::RelationScanner scanner(field);
    while (std::optional<specs::ScannedRelation> scanned = scanner.Next()) {
      if (scanned->architectures.data() != nullptr || !scanned->profiles.empty()) return false;
      RawRelation relation;
      relation.name = NameId(scanned->name);
      relation.qualifier = strings_.Intern(scanned->qualifier);
      relation.version = strings_.Intern(scanned->version);
      relation.op = static_cast<std::uint8_t>(scanned->op);
      relation.ends_group = scanned->ends_group ? 1 : 0;
      relations_.push_back(relation);
    }
    return true;
  }

  // Binary packages hardly ever restrict relations: the slow path, over a text of its own.
  void AddRestricted(std::string_view field) {
    kept_.push_back(std::make_unique<std::string>(specs::RenderDebianRelations(
        specs::RelationsFor(specs::ParseDebianRelations(field), architecture_))));
    AddPlain(*kept_.back());
  }

  void CollectProvides(std::uint32_t first) {
    auto package = static_cast<std::uint32_t>(packages_.size());
    for (std::uint32_t i = first; i < RelationCount(); ++i) {
      const RawRelation& relation = relations_[i];
      bool versioned = static_cast<specs::VersionOp>(relation.op) == specs::VersionOp::kEqual;
      provides_.push_back({relation.name, {package, versioned ? relation.version : 0}});
    }
  }

  std::uint32_t NameId(std::string_view name) {
    auto [entry, added] = name_ids_.try_emplace(name, static_cast<std::uint32_t>(names_.size()));
    if (added) names_.push_back(name);
    return entry->second;
  }

  void SortNames() {
    std::vector<std::uint32_t> order(names_.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(),
              [&](std::uint32_t a, std::uint32_t b) { return names_[a] < names_[b]; });
    std::vector<std::uint32_t> place(order.size());
    raw_names_.resize(order.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) {
      place[order[i]] = i;
      raw_names_[i].text = strings_.Intern(names_[order[i]]);
    }
    for (RawPackage& package : packages_) package.name = place[package.name];
    for (RawRelation& relation : relations_) relation.name = place[relation.name];
    for (Provide& provide : provides_) provide.name = place[provide.name];
  }

  void SortPackages() {
    std::vector<std::uint32_t> order(packages_.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      const RawPackage& left = packages_[a];
      const RawPackage& right = packages_[b];
      if (left.name != right.name) return left.name < right.name;
      return specs::CompareDebianVersions(strings_.At(left.version), strings_.At(right.version)) >
             0;
    });
    std::vector<std::uint32_t> place(order.size());
    std::vector<RawPackage> sorted(order.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) {
      place[order[i]] = i;
      sorted[i] = packages_[order[i]];
      RawName& name = raw_names_[sorted[i].name];
      if (name.package_count++ == 0) name.first_package = i;
    }
    packages_ = std::move(sorted);
    for (Provide& provide : provides_) provide.provider.package = place[provide.provider.package];
  }

  void LinkProviders() {
    std::stable_sort(provides_.begin(), provides_.end(), [](const Provide& a, const Provide& b) {
      if (a.name != b.name) return a.name < b.name;
      return a.provider.package < b.provider.package;
    });
    for (std::uint32_t i = 0; i < provides_.size(); ++i) {
      RawName& name = raw_names_[provides_[i].name];
      if (name.provider_count++ == 0) name.first_provider = i;
      providers_.push_back(provides_[i].provider);
    }
  }

  std::vector<TableBucket> Buckets() const {
    std::size_t size = 16;
    while (size < raw_names_.size() * 2) size *= 2;
    std::vector<TableBucket> buckets(size);
    for (std::uint32_t i = 0; i < raw_names_.size(); ++i) {
      std::size_t slot = HashTableName(strings_.At(raw_names_[i].text)) & (size - 1);
      while (buckets[slot] != 0) slot = (slot + 1) & (size - 1);
      buckets[slot] = i + 1;
    }
    return buckets;
  }

  template <typename Record>
  static void AppendSection(std::string& bytes, const std::vector<Record>& records) {
    bytes.append(reinterpret_cast<const char*>(records.data()), records.size() * sizeof(Record));
    bytes.resize(TablePadded(bytes.size()));
  }

  std::string Assemble(const specs::Sha256& inputs) const {
    std::vector<TableBucket> buckets = Buckets();
    TableHeader header;
    header.packages = static_cast<std::uint32_t>(packages_.size());
    header.names = static_cast<std::uint32_t>(raw_names_.size());
    header.relations = RelationCount();
    header.providers = static_cast<std::uint32_t>(providers_.size());
    header.buckets = static_cast<std::uint32_t>(buckets.size());
    header.string_bytes = strings_.bytes().size();
    header.inputs = inputs.bytes();

    std::string bytes(sizeof(header), '\0');
    AppendSection(bytes, packages_);
    AppendSection(bytes, raw_names_);
    AppendSection(bytes, relations_);
    AppendSection(bytes, providers_);
    AppendSection(bytes, buckets);
    bytes += strings_.bytes();
    bytes.resize(TablePadded(bytes.size()));
    header.content = specs::HashOf(std::string_view(bytes).substr(sizeof(header))).bytes();
    std::string_view head(reinterpret_cast<const char*>(&header), sizeof(header));
    header.check = specs::HashOf(head).bytes();
    std::memcpy(bytes.data(), &header, sizeof(header));
    return bytes;
  }

  specs::Architecture architecture_;
  std::string file_;
  StringPool strings_;
  std::unordered_map<std::string_view, std::uint32_t> name_ids_;
  std::vector<std::string_view> names_;
  std::vector<RawName> raw_names_;
  std::vector<RawPackage> packages_;
  std::vector<RawRelation> relations_;
  std::vector<Provide> provides_;
  std::vector<RawProvider> providers_;
  std::vector<std::unique_ptr<std::string>> kept_;  // texts that views above point into
};

}  // namespace

std::string CompilePackages(std::string_view packages, specs::Architecture architecture,
                            std::string_view file, const specs::Sha256& inputs) {
  Compiler compiler(architecture, file);
  compiler.AddAll(packages);
  return compiler.Finish(inputs);
}

}  // namespace imgbuild::builder
