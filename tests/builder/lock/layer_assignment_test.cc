#include "builder/lock/layer_assignment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace imgbuild::builder {
namespace {

using testing::Pair;
using testing::UnorderedElementsAre;

TEST(AssignLayers, TheFirstLayerThatNeedsAPackageHasIt) {
  const std::vector<LayerRoots> layers = {{"python", {"jupyterlab"}}, {"web", {"fasthtml"}}};
  const RequiredBy required_by = {{"jupyterlab", {"spec"}},
                                  {"httpx", {"jupyterlab", "fasthtml"}},
                                  {"idna", {"httpx"}},
                                  {"fasthtml", {"spec"}},
                                  {"starlette", {"fasthtml"}}};
  EXPECT_THAT(AssignLayers(layers, required_by),
              UnorderedElementsAre(Pair("jupyterlab", "python"), Pair("httpx", "python"),
                                   Pair("idna", "python"), Pair("fasthtml", "web"),
                                   Pair("starlette", "web")));
}

TEST(AssignLayers, WithstandsCyclesAndOrphans) {
  EXPECT_THAT(AssignLayers({{"python", {"a"}}}, {{"a", {"b"}}, {"b", {"a"}}, {"x", {"y"}}}),
              UnorderedElementsAre(Pair("a", "python"), Pair("b", "python"), Pair("x", "python")));
}

}  // namespace
}  // namespace imgbuild::builder
