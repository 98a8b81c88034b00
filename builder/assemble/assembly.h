// Everything that lies in an image, by layer: what each layer is written from, and who brings what
// to the one tree of them all.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "builder/assemble/layer_parts.h"
#include "builder/assemble/layer_stage.h"
#include "builder/assemble/package_maker.h"
#include "builder/plan/layer_plan.h"
#include "layers/tree/file_tree.h"
#include "layers/tree/tree_union.h"

namespace imgbuild::builder {

struct Assembly {
  std::vector<LayerContent> layers;       // bottom first
  std::vector<layers::TreeInput> inputs;  // by owner, in install order
  std::optional<layers::OwnerId> base;    // of the base image's files, which are in no layer here

  // What layers and inputs point to, beside the packages.
  std::vector<std::unique_ptr<layers::PackageFacts>> facts;
  std::vector<std::unique_ptr<layers::ContentTree>> trees;
};

// What no package brings, by the layer that it goes into.
struct OwnFiles {
  layers::ContentTree files;    // the user's
  layers::ContentTree runtime;  // the supervisor and the page
  layers::ContentTree system;   // what Debian's scripts would have left behind
  layers::ContentTree state;    // what changes with every package
};

// The plan's layers with what is in them; one that would be larger than `max_layer_size` plain
// bytes becomes several, named "base", "base (2)", ..., and one of own files that are none is left
// out. `base` are a base image's files, or null. Borrows these and the packages.
Assembly Assemble(const layers::PackageFacts* base, const std::vector<LayerPlan>& plans,
                  const std::vector<ReadyPackage>& packages, OwnFiles own,
                  std::uint64_t max_layer_size);

// Whether what this owner brings is there to replace what packages bring.
bool ReplacesPackages(std::string_view owner);

// Of the Debian packages among them.
std::vector<const layers::PackageFacts*> DebFacts(const std::vector<ReadyPackage>& packages);

}  // namespace imgbuild::builder
