#include "layers/unpack/deb.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "layers/tree/file_tree.h"
#include "layers/tree/path.h"
#include "layers/unpack/captured_paths.h"
#include "layers/unpack/deb_reader.h"
#include "layers/unpack/pyc.h"
#include "layers/unpack/spool.h"
#include "specs/base/error.h"

namespace imgbuild::layers {
namespace {

// The folder of modules that the path is below, "" for none.
std::string ModuleTop(std::string_view path, const PycOptions& pyc) {
  std::string standard = fmt::format("usr/lib/python{}", pyc.python);
  if (path.starts_with(standard + "/")) return standard;
  constexpr std::string_view kPackages = "usr/lib/python3/dist-packages";
  if (path.starts_with(kPackages) && path.substr(kPackages.size()).starts_with('/')) {
    return std::string(kPackages);
  }
  return "";
}

void CompileModules(DebContents& contents, const PycOptions& options, Spool& spool) {
  PycBatch batch(options);
  std::set<std::string, std::less<>> present;
  for (const DebEntry& entry : contents.entries) {
    const auto& [path, node, elf] = entry.facts;
    present.insert(path);
    std::string top = ModuleTop(path, options);
    if (top.empty() || node.type != NodeType::kFile || !batch.Wants(path, top, node.size)) continue;
    batch.Add(path, top, node.mtime, spool.Read(entry.content).bytes());
  }
  std::map<std::string, std::int64_t> times;
  for (const DebEntry& entry : contents.entries) {
    times.emplace(entry.facts.path, entry.facts.node.mtime);
  }
  for (auto& [path, compiled] : batch.Finish()) {
    if (!present.insert(path).second) continue;
    std::string folder(ParentPath(path));
    if (present.insert(folder).second) {
      contents.entries.push_back({{folder, MakeDirectory().node, std::nullopt}, {}});
    }
    DebEntry entry;
    MemorySource bytes(compiled.bytes);
    entry.content = spool.Add(bytes, compiled.bytes.size());
    entry.facts.path = path;
    entry.facts.node.mtime = times.at(compiled.source);
    entry.facts.node.size = entry.content.size;
    entry.facts.node.digest = entry.content.digest;
    contents.entries.push_back(std::move(entry));
  }
  std::ranges::sort(contents.entries, {}, [](const DebEntry& e) { return e.facts.path; });
}

void Capture(PackageFacts& facts, const DebEntry& entry, const Spool& spool,
             std::uint64_t& captured) {
  const auto& [path, node, elf] = entry.facts;
  if (node.type != NodeType::kFile || !CapturedPath(path, node.size)) return;
  if (captured + node.size > kMaxCaptured) return;
  captured += node.size;
  facts.contents.emplace(path, spool.Read(entry.content).bytes());
}

void AddToFrame(FrameWriter& frame, const DebEntry& entry, const Spool& spool) {
  const auto& [path, node, elf] = entry.facts;
  if (node.type == NodeType::kDirectory) return;
  if (node.type != NodeType::kFile) return frame.Add(path, node);
  if (entry.content.memory != nullptr) {
    frame.Add(path, node, spool.Read(entry.content).bytes());
  } else {
    frame.Add(path, node, *spool.Open(entry.content));
  }
}

PackageFacts Unpack(const std::filesystem::path& path, const DebOptions& options,
                    FrameWriter* frame) {
  return specs::WithContext(fmt::format("while unpacking {}", path.filename().string()), [&] {
    Spool spool(options.scratch, kSpoolMemory);
    DebContents contents = ReadDeb(path, options, spool);
    if (options.pyc.compiler != nullptr) CompileModules(contents, options.pyc, spool);
    PackageFacts facts = std::move(contents.facts);
    std::uint64_t captured = 0;
    for (DebEntry& entry : contents.entries) {
      Capture(facts, entry, spool, captured);
      if (frame != nullptr) AddToFrame(*frame, entry, spool);
      facts.files.push_back(std::move(entry.facts));
    }
    return facts;
  });
}

}  // namespace

PackageFacts UnpackDeb(const std::filesystem::path& path, const DebOptions& options,
                       FrameWriter& frame) {
  return Unpack(path, options, &frame);
}

PackageFacts ReadDebFacts(const std::filesystem::path& path, const DebOptions& options) {
  return Unpack(path, options, nullptr);
}

}  // namespace imgbuild::layers
