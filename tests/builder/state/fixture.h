// Small packages for tests of the system state.
#pragma once

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "builder/state/state.h"
#include "layers/tree/facts.h"

namespace imgbuild::builder {

class FakeDeb {
 public:
  explicit FakeDeb(std::string name) {
    facts_.kind = "deb";
    facts_.version = "2.36-9";
    facts_.architecture = "amd64";
    facts_.control["control"] = fmt::format(
        "Package: {}\nVersion: 2.36-9\nArchitecture: amd64\nMaintainer: A <a@b.c>\n"
        "Description: a package\n",
        name);
    facts_.name = std::move(name);
  }
  FakeDeb& File(std::string path, std::string content = "") {
    layers::Node node = layers::MakeFile(content).node;
    facts_.contents[path] = std::move(content);
    return Add({std::move(path), node, {}});
  }
  FakeDeb& Link(std::string path, std::string target) {
    return Add({std::move(path), layers::MakeSymlink(std::move(target)).node, {}});
  }
  FakeDeb& Folder(std::string path) {
    return Add({std::move(path), layers::MakeDirectory().node, {}});
  }
  FakeDeb& Library(std::string path, std::string soname) {
    layers::ElfFacts elf;
    elf.machine = 62;
    elf.shared_object = true;
    elf.soname = std::move(soname);
    return Add({std::move(path), layers::MakeFile("ELF").node, elf});
  }
  FakeDeb& Control(std::string member, std::string text) {
    facts_.control[std::move(member)] = std::move(text);
    return *this;
  }
  const layers::PackageFacts& facts() const { return facts_; }

 private:
  FakeDeb& Add(layers::FileFacts file) {
    facts_.files.push_back(std::move(file));
    std::ranges::sort(facts_.files, {}, &layers::FileFacts::path);
    return *this;
  }

  layers::PackageFacts facts_;
};

inline StateInput InputOf(const std::vector<FakeDeb>& debs) {
  StateInput input;
  for (const FakeDeb& deb : debs) input.packages.push_back(&deb.facts());
  return input;
}

inline std::string TestData(const std::string& name) {
  std::ifstream stream("tests/data/state/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace imgbuild::builder
