// What counts as there.
//
// Following ld.so's search order exactly would call many working images broken: a library is often
// in memory already when another needs it (torch preloads CUDA's, torchvision needs torch's, R and
// Java set LD_LIBRARY_PATH, wheels dlopen by path what they bundle), and no metadata says so. What
// breaks images in practice is a library that is nowhere in them: libGL.so.1, libgomp.so.1. So
// that is what is asked. Not asked are
//  - files for another machine than most of the image's, or for musl: carried along, never loaded;
//  - what the graphics driver brings when the container starts (kFromDriver);
//  - files that only serve a library the user may or may not have, loaded on demand and skipped
//    by their package when that fails (kOptional).
#include "layers/unpack/needed.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "layers/unpack/well_known_libraries.h"

namespace imgbuild::layers {
namespace {

constexpr std::array<std::string_view, 9> kFromDriver = {
    "libcuda.so.",   "libnvidia-",    "libnvcuvid.so.",  "libnvoptix.so.",   "libcudadebugger",
    "libGLX_nvidia", "libEGL_nvidia", "libnvscibuf.so.", "libnvscisync.so.",
};

// Parts of a path.
constexpr std::array<std::string_view, 10> kOptional = {
    "/plugins/sqldrivers/",    // Qt: database drivers
    "/ufunc/tbbpool",          // numba: threading by TBB
    "/ufunc/omppool",          // numba: threading by OpenMP
    "torio_ffmpeg",            // torchaudio: one for each FFmpeg
    "libtorchcodec_",          // torchcodec: likewise
    "libcufile_rdma",          // cuFile: InfiniBand
    "nvshmem_transport_",      // NVSHMEM: networks
    "nvshmem_bootstrap_",      // NVSHMEM: launchers
    "/lib-dynload/_tkinter.",  // Python: Tk, a package of its own
    "/_tkinter.cpython-",
};

std::string_view FileName(std::string_view path) {
  std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

bool FromDriver(std::string_view soname) {
  return std::ranges::any_of(kFromDriver,
                             [&](std::string_view start) { return soname.starts_with(start); });
}

bool IsOptional(std::string_view path) {
  return std::ranges::any_of(
      kOptional, [&](std::string_view part) { return path.find(part) != std::string_view::npos; });
}

bool IsForMusl(const ElfFacts& elf) {
  return std::ranges::any_of(elf.needed, [](const std::string& soname) {
    return soname.starts_with("libc.musl-") || soname.starts_with("ld-musl-");
  });
}

class Libraries {
 public:
  Libraries(std::span<const PackageFacts* const> packages, const NeededOptions& options) {
    std::map<std::uint16_t, std::size_t> machines;
    for (const PackageFacts* package : packages) {
      for (const FileFacts& file : package->files) {
        if (file.elf) ++machines[file.elf->machine];
      }
    }
    std::size_t most = 0;
    for (const auto& [machine, count] : machines) {
      if (count > most) machine_ = machine;
      most = std::max(most, count);
    }
    for (const PackageFacts* package : packages) {
      for (const FileFacts& file : package->files) Add(file);
    }
    for (const std::string& soname : options.provided) names_.insert(soname);
  }

  std::uint16_t machine() const { return machine_; }
  // A name with a slash is a path, which ld.so takes as it is.
  bool Has(std::string_view needed) const { return names_.contains(FileName(needed)); }

 private:
  void Add(const FileFacts& file) {
    if (file.node.type == NodeType::kDirectory) return;
    if (file.elf) {
      if (file.elf->machine != machine_) return;
      if (!file.elf->soname.empty()) names_.insert(file.elf->soname);
      names_.insert(FileName(file.path));
    } else if (file.node.type != NodeType::kFile && file.path.find(".so") != std::string::npos) {
      names_.insert(FileName(file.path));  // a link
    }
  }

  std::uint16_t machine_ = 0;
  std::unordered_set<std::string_view> names_;
};

}  // namespace

std::vector<MissingLibrary> CheckNeeded(std::span<const PackageFacts* const> packages,
                                        const NeededOptions& options) {
  Libraries libraries(packages, options);
  std::vector<MissingLibrary> missing;
  for (const PackageFacts* package : packages) {
    for (const FileFacts& file : package->files) {
      if (!file.elf || file.elf->machine != libraries.machine()) continue;
      if (IsOptional(file.path) || IsForMusl(*file.elf)) continue;
      for (const std::string& soname : file.elf->needed) {
        if (libraries.Has(soname) || FromDriver(soname)) continue;
        missing.push_back(
            {package->name, file.path, soname, std::string(SuggestedPackage(soname))});
      }
    }
  }
  std::ranges::sort(missing);
  missing.erase(std::unique(missing.begin(), missing.end()), missing.end());
  return missing;
}

std::string_view SuggestedPackage(std::string_view soname) {
  auto found = std::ranges::lower_bound(kWellKnownLibraries, soname, {}, &KnownLibrary::soname);
  if (found == kWellKnownLibraries.end() || found->soname != soname) return "";
  return found->package;
}

}  // namespace imgbuild::layers
