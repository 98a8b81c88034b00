#include "builder/assemble/cuda_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace imgbuild::builder {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr std::string_view kSite = "opt/venv/lib/python3.11/site-packages";

layers::PackageFacts Wheel(std::string name, const std::vector<std::string>& paths) {
  layers::PackageFacts facts;
  facts.name = std::move(name);
  for (const std::string& path : paths) {
    layers::FileFacts file;
    file.path = std::string(kSite) + "/" + path;
    facts.files.push_back(std::move(file));
  }
  return facts;
}

// Path below usr/local/cuda -> target below site-packages/nvidia; "/" for a folder.
std::map<std::string, std::string> View(const std::vector<layers::PackageFacts>& wheels) {
  std::vector<const layers::PackageFacts*> facts;
  for (const layers::PackageFacts& wheel : wheels) facts.push_back(&wheel);
  std::map<std::string, std::string> links;
  const std::string top = "usr/local/cuda";
  const std::string nvidia = "/" + std::string(kSite) + "/nvidia/";
  for (const auto& [path, file] : MakeCudaView(facts, kSite).files) {
    EXPECT_EQ(path.substr(0, top.size()), top);
    if (path == top) continue;
    if (file.node.type == layers::NodeType::kDirectory) {
      links[path.substr(top.size() + 1)] = "/";
      continue;
    }
    EXPECT_EQ(file.node.target.substr(0, nvidia.size()), nvidia);
    links[path.substr(top.size() + 1)] = file.node.target.substr(nvidia.size());
  }
  return links;
}

TEST(CudaView, FoldersOfOnePartAreLinkedWholeBelowTheTop) {
  EXPECT_THAT(
      View({Wheel("nvcc", {"nvidia/cu13/bin/nvcc", "nvidia/cu13/bin/crt/link.stub",
                           "nvidia/cu13/nvvm/bin/cicc"}),
            Wheel("runtime", {"nvidia/cu13/include/cuda.h", "nvidia/cu13/include/crt/a.h",
                              "nvidia/__init__.py", "nvidia/cu13/include/__init__.py",
                              "nvidia_runtime-1.dist-info/RECORD", "nvidia/cu13/License"})}),
      ElementsAre(Pair("bin", "/"), Pair("bin/crt", "cu13/bin/crt"),
                  Pair("bin/nvcc", "cu13/bin/nvcc"), Pair("include", "/"),
                  Pair("include/crt", "cu13/include/crt"),
                  Pair("include/cuda.h", "cu13/include/cuda.h"), Pair("nvvm", "/"),
                  Pair("nvvm/bin", "cu13/nvvm/bin")));
}

TEST(CudaView, FoldersOfSeveralPartsAreMerged) {
  EXPECT_THAT(
      View({Wheel("a", {"nvidia/a/include/x/one.h", "nvidia/a/include/same.h"}),
            Wheel("b", {"nvidia/b/include/x/two.h", "nvidia/b/include/same.h",
                        "nvidia/b/include/y/three.h"})}),
      ElementsAre(Pair("include", "/"), Pair("include/same.h", "a/include/same.h"),
                  Pair("include/x", "/"), Pair("include/x/one.h", "a/include/x/one.h"),
                  Pair("include/x/two.h", "b/include/x/two.h"), Pair("include/y", "b/include/y")));
}

TEST(CudaView, LibrariesGetTheNamesThatLinkersLookFor) {
  EXPECT_THAT(View({Wheel("cudart", {"nvidia/cu13/lib/libcudart.so.13",
                                     "nvidia/cu13/lib/libcudart_static.a"}),
                    Wheel("cudnn", {"nvidia/cudnn/lib/libcudnn.so.9", "nvidia/cudnn/lib64/liba.so",
                                    "nvidia/cudnn/lib/liba.so.1"})}),
              ElementsAre(Pair("lib64", "/"), Pair("lib64/liba.so", "cudnn/lib64/liba.so"),
                          Pair("lib64/liba.so.1", "cudnn/lib/liba.so.1"),
                          Pair("lib64/libcudart.so", "cu13/lib/libcudart.so.13"),
                          Pair("lib64/libcudart.so.13", "cu13/lib/libcudart.so.13"),
                          Pair("lib64/libcudart_static.a", "cu13/lib/libcudart_static.a"),
                          Pair("lib64/libcudnn.so", "cudnn/lib/libcudnn.so.9"),
                          Pair("lib64/libcudnn.so.9", "cudnn/lib/libcudnn.so.9")));
}

TEST(CudaView, TheDynamicLinkerGetsFoldersWithLibrariesOnly) {
  const layers::PackageFacts cudart =
      Wheel("cudart", {"nvidia/cu13/lib/libcudart.so.13", "nvidia/cu13/lib/stubs/libcuda.so"});
  const layers::PackageFacts dev = Wheel("dev", {"nvidia/dev/lib/libdev.a"});
  const layers::PackageFacts other = Wheel("numpy", {"numpy.libs/libopenblas.so"});
  const std::vector<const layers::PackageFacts*> wheels = {&cudart, &dev, &other};
  EXPECT_THAT(MakeCudaView(wheels, kSite).library_dirs,
              ElementsAre("/" + std::string(kSite) + "/nvidia/cu13/lib"));
}

layers::PackageFacts Deb(std::string name, const std::string& source,
                         const std::vector<std::string>& paths) {
  layers::PackageFacts facts;
  facts.control["control"] = "Package: " + name + "\nSource: " + source + "\n";
  facts.name = std::move(name);
  for (const std::string& path : paths) {
    layers::FileFacts file;
    file.path = path;
    facts.files.push_back(std::move(file));
  }
  return facts;
}

TEST(CudaView, DebiansPackagesAreOneToolkit) {
  const std::vector<layers::PackageFacts> debs = {
      Deb("nvidia-cuda-toolkit", "nvidia-cuda-toolkit (11.8.0-5)",
          {"usr/bin/nvcc", "usr/lib/nvidia-cuda-toolkit/bin/cicc", "usr/share/doc/x",
           "usr/lib/nvidia-cuda-toolkit/libdevice/libdevice.10.bc", "etc/nvcc.profile"}),
      Deb("nvidia-cuda-dev", "nvidia-cuda-toolkit",
          {"usr/include/cuda.h", "usr/include/crt/a.h", "usr/lib/x86_64-linux-gnu/libcudart.so",
           "usr/lib/x86_64-linux-gnu/libcudart_static.a",
           "usr/lib/x86_64-linux-gnu/stubs/libcuda.so",
           "usr/lib/x86_64-linux-gnu/pkgconfig/cudart.pc"}),
      Deb("libcudart11.0", "nvidia-cuda-toolkit", {"usr/lib/x86_64-linux-gnu/libcudart.so.11.0"}),
      Deb("libthrust-dev", "libthrust", {"usr/include/thrust/sort.h"}),
      Deb("libc6-dev", "glibc", {"usr/include/stdio.h", "usr/lib/x86_64-linux-gnu/libm.a"})};
  std::vector<const layers::PackageFacts*> facts;
  for (const layers::PackageFacts& deb : debs) facts.push_back(&deb);
  const CudaView view = MakeDebianCudaView(facts);
  EXPECT_THAT(view.library_dirs, IsEmpty());
  std::map<std::string, std::string> links;
  for (const auto& [path, file] : view.files) links[path] = file.node.target;
  const std::string top = "usr/local/cuda";
  const std::string lib = "/usr/lib/x86_64-linux-gnu/";
  EXPECT_THAT(
      links,
      ElementsAre(Pair(top, ""), Pair(top + "/bin", ""), Pair(top + "/bin/nvcc", "/usr/bin/nvcc"),
                  Pair(top + "/include", ""), Pair(top + "/include/crt", "/usr/include/crt"),
                  Pair(top + "/include/cuda.h", "/usr/include/cuda.h"),
                  Pair(top + "/include/thrust", "/usr/include/thrust"), Pair(top + "/lib64", ""),
                  Pair(top + "/lib64/libcudart.so", lib + "libcudart.so"),
                  Pair(top + "/lib64/libcudart.so.11.0", lib + "libcudart.so.11.0"),
                  Pair(top + "/lib64/libcudart_static.a", lib + "libcudart_static.a"),
                  Pair(top + "/lib64/stubs", lib + "stubs"), Pair(top + "/nvvm", ""),
                  Pair(top + "/nvvm/bin", "/usr/lib/nvidia-cuda-toolkit/bin"),
                  Pair(top + "/nvvm/libdevice", "/usr/lib/nvidia-cuda-toolkit/libdevice")));
}

TEST(CudaView, NothingWhereThereIsNoCuda) {
  EXPECT_THAT(View({Wheel("numpy", {"numpy/lib/x.so", "numpy/include/numpy.h"})}), IsEmpty());
  EXPECT_THAT(MakeCudaView({}, kSite).files, IsEmpty());
}

}  // namespace
}  // namespace imgbuild::builder
