#include "layers/unpack/pyc.h"

#include <cassert>

#include <fmt/format.h>

#include "layers/tree/path.h"
#include "specs/base/text.h"

namespace imgbuild::layers {
namespace {

constexpr std::size_t kBatch = 8u << 20;
constexpr std::size_t kMaxSource = 16u << 20;  // no human wrote more

}  // namespace

std::string PycPath(std::string_view source, std::string_view python) {
  std::string_view folder = ParentPath(source);
  std::string_view name = source.substr(folder.empty() ? 0 : folder.size() + 1);
  name.remove_suffix(std::string_view(".py").size());
  std::string tag;
  for (char c : python) {
    if (c != '.') tag += c;
  }
  return fmt::format("{}{}__pycache__/{}.cpython-{}.pyc", folder, folder.empty() ? "" : "/", name,
                     tag);
}

bool IsCompiled(std::string_view path, std::string_view top, specs::Compile mode) {
  if (mode == specs::Compile::kNone || !path.ends_with(".py")) return false;
  if (path.size() <= top.size() || !path.starts_with(top) || path[top.size()] != '/') return false;
  if (mode == specs::Compile::kAll) return true;
  std::vector<std::string_view> parts = specs::Split(path.substr(top.size() + 1), '/');
  // The first part is the distribution's own package, the last the file.
  for (std::size_t i = 1; i + 1 < parts.size(); ++i) {
    if (parts[i] == "tests" || parts[i] == "test") return false;
  }
  return true;
}

bool PycBatch::Wants(std::string_view path, std::string_view top, std::uint64_t size) const {
  return options_.compiler != nullptr && size <= kMaxSource && IsCompiled(path, top, options_.mode);
}

void PycBatch::Add(std::string_view path, std::string_view top, std::int64_t mtime,
                   std::string_view bytes) {
  if (!Wants(path, top, bytes.size())) return;
  // PEP 552: the header holds the time's lower 32 bits.
  pending_.push_back({std::string(path), static_cast<std::uint32_t>(mtime), std::string(bytes)});
  pending_size_ += bytes.size();
  if (pending_size_ >= kBatch) Compile();
}

void PycBatch::Compile() {
  if (pending_.empty()) return;
  std::vector<PycSource> sources;
  for (const Pending& pending : pending_) {
    sources.push_back({"/" + pending.path, pending.mtime, pending.bytes});
  }
  std::vector<std::optional<std::string>> results = options_.compiler->Compile(sources);
  assert(results.size() == sources.size());
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!results[i]) continue;
    done_[PycPath(pending_[i].path, options_.python)] = {std::move(*results[i]), pending_[i].path};
  }
  pending_.clear();
  pending_size_ = 0;
}

std::map<std::string, PycBatch::Compiled> PycBatch::Finish() {
  Compile();
  return std::move(done_);
}

}  // namespace imgbuild::layers
