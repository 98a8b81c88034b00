#include <functional>
#include <optional>

#include <fmt/core.h>

#include "layers/io/file.h"
#include "layers/io/hashing.h"
#include "layers/store/cache_folder.h"
#include "layers/store/sealed_text.h"
#include "layers/store/store.h"
#include "layers/store/tree_digest.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;

// What is wrong with an entry, "" for nothing; may throw Error.
using Check = std::function<std::string(const fs::path&)>;

std::string CheckContent(const fs::path& path) {
  const specs::Sha256 found = HashFile(path);
  if (found.Hex() == path.filename()) return "";
  return fmt::format("its content has the digest {}", found.Hex());
}

std::string CheckSealed(const fs::path& path) {
  return Unseal(ReadFile(path)) ? "" : "its content does not match its own digest";
}

// Nullopt where nothing is wrong, or where the entry is gone by now.
std::optional<std::string> FaultOf(const fs::path& path, const Check& check) {
  try {
    std::string reason = check(path);
    if (reason.empty()) return std::nullopt;
    return reason;
  } catch (const specs::Error& error) {
    std::error_code ignored;
    if (!fs::exists(path, ignored)) return std::nullopt;
    return error.message();
  }
}

void CheckEntry(const fs::path& path, const Check& check, std::vector<StoreFault>& faults) {
  std::optional<std::string> reason = FaultOf(path, check);
  if (!reason) return;
  std::error_code error;
  fs::remove(path, error);
  faults.push_back({path, *std::move(reason), error ? error.message() : ""});
}

// Entries lie in folders named after their first two digits.
void CheckFolder(const fs::path& folder, const Check& check, std::vector<StoreFault>& faults) {
  std::error_code ignored;
  for (const fs::path& part : EntriesOf(folder)) {
    for (const fs::path& path : EntriesOf(part)) {
      if (fs::is_regular_file(path, ignored)) CheckEntry(path, check, faults);
    }
  }
}

std::string CheckTree(const StorePaths& paths, const specs::Sha256& key) {
  std::error_code error;
  const fs::path record = paths.TreeDigest(key);
  if (!fs::exists(record, error)) return "there is no record of what it should hold";
  const std::optional<std::string> expected = Unseal(ReadFile(record));
  if (!expected) return "the record of what it should hold is damaged";
  const specs::Sha256 found = TreeDigest(paths.Tree(key));
  return found.Hex() == *expected ? "" : "it does not hold what was put there";
}

// Not in place, since a build may find it meanwhile: moved away first, whole.
std::error_code RemoveTree(const fs::path& tree, const fs::path& away) {
  std::error_code error;
  fs::rename(tree, away / "tree", error);
  fs::remove_all(error ? tree : away, error);
  return error;
}

}  // namespace

bool Store::RecheckTree(const specs::Sha256& key) {
  const fs::path tree = paths_.Tree(key);
  std::error_code ignored;
  if (!fs::exists(tree, ignored)) return false;
  if (!FaultOf(tree, [&](const fs::path&) { return CheckTree(paths_, key); })) return true;
  if (const std::error_code error = RemoveTree(tree, NewDirectory())) {
    InCache(tree, [&] { throw FileError("remove the damaged", tree, error.value()); });
  }
  return false;
}

std::vector<StoreFault> Store::Verify() {
  std::vector<StoreFault> faults;
  CheckFolder(paths_.Downloads(), CheckContent, faults);
  CheckFolder(paths_.Frames(), CheckContent, faults);
  CheckFolder(paths_.Blobs(), CheckContent, faults);
  CheckFolder(paths_.Packages(), CheckSealed, faults);
  CheckFolder(paths_.Actions(), CheckSealed, faults);
  for (const fs::path& tree : EntriesOf(paths_.Trees())) {
    const auto key = specs::Sha256::Parse(tree.filename().string());
    if (!key) continue;
    const EntryLock lock = Lock("tree", *key);  // so that nobody is putting it there
    auto reason = FaultOf(tree, [&](const fs::path&) { return CheckTree(paths_, *key); });
    if (!reason) continue;
    const std::error_code error = RemoveTree(tree, NewDirectory());
    faults.push_back({tree, *std::move(reason), error ? error.message() : ""});
  }
  return faults;
}

}  // namespace imgbuild::layers
