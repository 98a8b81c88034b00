#include "builder/generate/deployment.h"

#include <fmt/core.h>

#include "specs/base/text.h"

namespace imgbuild::builder {

std::string MadeBy(const Deployment& deployment, std::string_view format) {
  return fmt::format("Made by: imgbuild generate {} {}", format, deployment.spec);
}

std::string LabelName(std::string_view name) {
  constexpr std::size_t kLongest = 63;
  std::string label;
  for (char c : specs::ToLower(name)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (plain || !label.ends_with('-')) label += plain ? c : '-';
  }
  label = label.substr(0, kLongest);
  while (label.ends_with('-')) label.pop_back();
  return label;
}

std::string DeploymentName(const Deployment& deployment) {
  return LabelName(deployment.plan.container);
}

}  // namespace imgbuild::builder
