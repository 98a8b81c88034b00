// The bar of an output that is written.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "builder/ui/progress.h"
#include "layers/image/write_meter.h"

namespace imgbuild::builder {

// There from when something has to be written until its own end, and leaves no line: what follows
// says where the image is.
class OutputBar : public layers::WriteMeter {
 public:
  // `place` is shown beside it: "oci:notebook.oci:latest". Borrows `progress`.
  OutputBar(Progress& progress, std::string place)
      : progress_(progress), place_(std::move(place)) {}

  void Begin(std::uint64_t bytes) override {
    task_ = progress_.Begin("Writing the image", ProgressUnit::kBytes);
    task_->SetTotal(bytes);
    task_->SetDetail(place_);
  }
  void Advance(std::uint64_t bytes) override { task_->Advance(bytes); }

 private:
  Progress& progress_;
  const std::string place_;
  std::unique_ptr<ProgressTask> task_;
};

}  // namespace imgbuild::builder
