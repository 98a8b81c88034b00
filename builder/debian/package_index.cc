#include "builder/debian/package_index.h"

#include <algorithm>

#include <fmt/format.h>

#include "builder/debian/package_table.h"
#include "specs/base/text.h"

namespace imgbuild::builder {

std::string RelationView::Render() const {
  std::string text(name);
  if (!qualifier.empty()) text += fmt::format(":{}", qualifier);
  if (op != specs::VersionOp::kAny) {
    text += fmt::format(" ({} {})", specs::VersionOpText(op), version);
  }
  return text;
}

std::string_view Package::name() const {
  return source_->table->NameText(source_->table->PackageAt(record_).name);
}
std::string_view Package::version() const {
  return source_->table->StringAt(source_->table->PackageAt(record_).version);
}
std::string_view Package::architecture() const {
  switch (source_->table->PackageAt(record_).architecture) {
    case TableArchitecture::kAmd64:
      return "amd64";
    case TableArchitecture::kArm64:
      return "arm64";
    case TableArchitecture::kAll:
      break;
  }
  return "all";
}
std::string_view Package::section() const {
  return source_->table->StringAt(source_->table->PackageAt(record_).section);
}
std::string_view Package::source_package() const {
  return source_->table->StringAt(source_->table->PackageAt(record_).source_package);
}
std::string_view Package::filename() const {
  return source_->table->StringAt(source_->table->PackageAt(record_).filename);
}
std::uint64_t Package::size() const { return source_->table->PackageAt(record_).size; }
std::uint64_t Package::installed_size() const {
  return source_->table->PackageAt(record_).installed_size;
}
specs::Sha256 Package::sha256() const {
  return specs::Sha256(source_->table->PackageAt(record_).sha256);
}
specs::DebianPriority Package::priority() const {
  return static_cast<specs::DebianPriority>(
      std::min<std::uint8_t>(source_->table->PackageAt(record_).priority,
                             static_cast<std::uint8_t>(specs::DebianPriority::kExtra)));
}
specs::MultiArch Package::multi_arch() const {
  return static_cast<specs::MultiArch>(
      std::min<std::uint8_t>(source_->table->PackageAt(record_).multi_arch,
                             static_cast<std::uint8_t>(specs::MultiArch::kAllowed)));
}
bool Package::essential() const { return source_->table->PackageAt(record_).essential != 0; }

std::vector<AlternativesView> Package::Relations(RelationKind kind) const {
  const PackageTable& table = *source_->table;
  const RawPackage& package = table.PackageAt(record_);
  const auto index = static_cast<std::size_t>(kind);
  std::vector<AlternativesView> groups;
  bool begins_group = true;
  for (std::uint32_t i = package.relations[index]; i < package.relations[index + 1]; ++i) {
    const RawRelation& relation = table.RelationAt(i);
    if (begins_group) groups.emplace_back();
    auto op = static_cast<specs::VersionOp>(
        std::min<std::uint8_t>(relation.op, static_cast<std::uint8_t>(specs::VersionOp::kGreater)));
    groups.back().push_back({table.NameText(relation.name), table.StringAt(relation.qualifier), op,
                             table.StringAt(relation.version)});
    begins_group = relation.ends_group != 0;
  }
  return groups;
}

PackageIndex::PackageIndex(std::vector<PackageSource> sources)
    : sources_(std::make_shared<const std::vector<PackageSource>>(std::move(sources))) {}

PackageIndex PackageIndex::FromText(const std::vector<Text>& texts,
                                    specs::Architecture architecture) {
  std::vector<PackageSource> sources;
  for (const Text& text : texts) {
    const specs::Sha256 inputs = PackageTableKey(specs::HashOf(text.packages), architecture);
    sources.push_back(
        {text.source,
         PackageTable::FromBytes(CompilePackages(text.packages, architecture, text.source, inputs),
                                 inputs)});
  }
  return PackageIndex(std::move(sources));
}

std::vector<Package> PackageIndex::Candidates(std::string_view name) const {
  std::vector<Package> candidates;
  for (const PackageSource& source : *sources_) {
    std::optional<std::uint32_t> id = source.table->FindName(name);
    if (!id) continue;
    const RawName& entry = source.table->NameAt(*id);
    for (std::uint32_t i = 0; i < entry.package_count; ++i) {
      candidates.emplace_back(&source, entry.first_package + i);
    }
  }
  std::stable_sort(candidates.begin(), candidates.end(), [](const Package& a, const Package& b) {
    return specs::CompareDebianVersions(a.version(), b.version()) > 0;
  });
  auto same = [](const Package& a, const Package& b) {
    return specs::CompareDebianVersions(a.version(), b.version()) == 0;
  };
  candidates.erase(std::unique(candidates.begin(), candidates.end(), same), candidates.end());
  return candidates;
}

std::vector<ProvidingPackage> PackageIndex::Providers(std::string_view name) const {
  std::vector<ProvidingPackage> providers;
  for (const PackageSource& source : *sources_) {
    std::optional<std::uint32_t> id = source.table->FindName(name);
    if (!id) continue;
    const RawName& entry = source.table->NameAt(*id);
    for (std::uint32_t i = 0; i < entry.provider_count; ++i) {
      const RawProvider& provider = source.table->ProviderAt(entry.first_provider + i);
      providers.push_back(
          {Package(&source, provider.package), source.table->StringAt(provider.version)});
    }
  }
  return providers;
}

std::vector<Package> PackageIndex::All() const {
  std::vector<Package> all;
  all.reserve(size());
  for (const PackageSource& source : *sources_) {
    for (std::uint32_t i = 0; i < source.table->package_count(); ++i) all.emplace_back(&source, i);
  }
  return all;
}

std::vector<std::string> PackageIndex::NamesNear(std::string_view name) const {
  std::vector<std::string> names;
  for (const PackageSource& source : *sources_) {
    for (std::uint32_t i = 0; i < source.table->name_count(); ++i) {
      const RawName& entry = source.table->NameAt(i);
      if (entry.package_count > 0) names.emplace_back(source.table->StringAt(entry.text));
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return specs::Nearest(name, names);
}

std::size_t PackageIndex::size() const {
  std::size_t count = 0;
  for (const PackageSource& source : *sources_) count += source.table->package_count();
  return count;
}

}  // namespace imgbuild::builder
