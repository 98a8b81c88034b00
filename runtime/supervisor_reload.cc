// Changing to another table while services run.
#include <string.h>

#include "runtime/supervisor.h"

namespace imgbuild::runtime {
namespace {

// The index of the service that `to` has just as `from` has its i-th; to.size: none.
std::size_t FindSame(const ServiceTable& from, std::size_t i, const ServiceTable& to) {
  std::size_t k = 0;
  while (k < to.size && !SameService(from, i, to, k)) ++k;
  return k;
}

}  // namespace

const char* Supervisor::BeginReload(std::uint64_t now) {
  if (foreground_ != nullptr || stopping_) return "not beside a command, or while stopping";
  TableFile& file = files_[next_file_];
  FixedText<300> why;
  const char* reason = nullptr;
  if (next_table_ != nullptr) {
    reason = "the last reload still waits for services to end";
  } else if (!file.Read(table_path_, why)) {
    reason = "the table is not right";
  } else if (file.table().size == 0) {
    reason = "the table has no services";
  }
  if (reason != nullptr) {
    FixedText<500> text;
    text.Add("nothing is reloaded: ").Add(reason).Add(why.size() > 0 ? ": " : "").Add(why.data());
    Say(text.data());
    return reason;
  }
  next_file_ = 1 - next_file_;
  next_table_ = &file.table();
  for (std::size_t i = 0; i < table_->size; ++i) {
    if (FindSame(*table_, i, *next_table_) == next_table_->size) services_[i]->Hold(now);
  }
  return nullptr;
}

Service& Supervisor::TakeFreeSlot() {
  Service* slot = slots_;
  while (slot->is_open()) ++slot;  // there are as many as services at most
  return *slot;
}

void Supervisor::FinishReload() {
  const ServiceTable& next = *next_table_;
  Service* kept[kMaxServices] = {};
  std::size_t keeping = 0;
  for (std::size_t i = 0; i < table_->size; ++i) {
    const std::size_t k = FindSame(*table_, i, next);
    if (k < next.size) {
      kept[k] = services_[i];
      ++keeping;
    } else if (services_[i]->running() || services_[i]->probe().pid() > 0) {
      return;  // not yet
    }
  }
  for (std::size_t i = 0; i < table_->size; ++i) {
    if (FindSame(*table_, i, next) == next.size) services_[i]->Close();
  }
  table_ = &next;
  next_table_ = nullptr;
  for (std::size_t k = 0; k < next.size; ++k) {
    services_[k] = kept[k];
    if (kept[k] != nullptr) kept[k]->set_entry(next.services[k]);
  }
  for (std::size_t k = 0; k < next.size; ++k) {
    if (kept[k] != nullptr) continue;
    Service& service = TakeFreeSlot();
    if (OpenService(k, service) != nullptr) service.GiveUp("its setting up");
  }
  FixedText<200> text;
  text.Add("reloaded: ").Add(std::uint64_t{next.size}).Add(" services, of which ");
  text.Add(std::uint64_t{keeping}).Add(" run on");
  Say(text.data());
}

}  // namespace imgbuild::runtime
