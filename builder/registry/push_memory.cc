#include "builder/registry/push_memory.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>

#include <fmt/format.h>

#include "layers/io/atomic_file.h"
#include "layers/io/file.h"
#include "specs/base/error.h"
#include "specs/base/key.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLargestNote = 16 * 1024;
constexpr std::chrono::hours kUploadLife{24};

std::string ReadNote(const fs::path& file) {
  try {
    std::error_code ignored;
    return fs::exists(file, ignored) ? layers::ReadFile(file, kLargestNote) : "";
  } catch (const specs::Error&) {
    return "";
  }
}

// Not synced: after a power failure a note may be missing or cut, which costs an upload.
void WriteNote(const fs::path& file, const std::string& text) {
  try {
    layers::AtomicFile note(file.parent_path(), 0600);
    note.Write(text);
    note.PublishUnsynced(file);
  } catch (const specs::Error&) {
  }
}

std::string HomeNote(std::string_view repository) { return std::string(repository) + "\n"; }

}  // namespace

struct PushMemory::Shared {
  std::mutex mutex;  // of all
  std::condition_variable over;
  std::set<Key> turns;
  std::map<std::string, std::uint64_t, std::less<>> largest_bodies;  // by host
};

PushMemory::Turn::Turn(std::shared_ptr<Shared> shared, Key key)
    : shared_(std::move(shared)), key_(std::move(key)) {
  std::unique_lock lock(shared_->mutex);
  shared_->over.wait(lock, [this] { return shared_->turns.insert(key_).second; });
}

PushMemory::Turn::~Turn() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->turns.erase(key_);
  }
  shared_->over.notify_all();
}

PushMemory::PushMemory(fs::path folder)
    : folder_(std::move(folder)), shared_(std::make_shared<Shared>()) {}

PushMemory::Turn PushMemory::TakeTurn(std::string_view host, const specs::Sha256& blob) const {
  return Turn(shared_, {std::string(host), blob});
}

std::uint64_t PushMemory::LargestBody(std::string_view host) const {
  const std::lock_guard lock(shared_->mutex);
  const auto known = shared_->largest_bodies.find(host);
  return known == shared_->largest_bodies.end() ? 0 : known->second;
}

void PushMemory::RememberLargestBody(std::string_view host, std::uint64_t size) {
  const std::lock_guard lock(shared_->mutex);
  const auto [known, added] = shared_->largest_bodies.try_emplace(std::string(host), size);
  if (!added) known->second = std::min(known->second, size);
}

fs::path PushMemory::UploadFile(std::string_view repository, const specs::Sha256& blob) const {
  specs::KeyBuilder key("upload/2");
  return folder_ / ("upload-" + key.Add("repository", repository).Add("blob", blob).Finish().Hex());
}

fs::path PushMemory::HomeFile(std::string_view host, const specs::Sha256& blob) const {
  specs::KeyBuilder key("home/1");
  return folder_ / ("home-" + key.Add("host", host).Add("blob", blob).Finish().Hex());
}

std::optional<UploadSession> PushMemory::UnfinishedUpload(std::string_view repository,
                                                          const specs::Sha256& blob) const {
  const fs::path file = UploadFile(repository, blob);
  std::error_code error;
  const fs::file_time_type written = fs::last_write_time(file, error);
  if (error || fs::file_time_type::clock::now() - written > kUploadLife) return std::nullopt;
  const std::string note = ReadNote(file);
  const std::vector<std::string_view> words = specs::SplitWords(note);  // as RememberUpload wrote
  if (words.size() != 3) return std::nullopt;
  const auto min_chunk = specs::ParseUnsigned(words[1]);
  const auto max_chunk = specs::ParseUnsigned(words[2]);
  if (!min_chunk || !max_chunk) return std::nullopt;
  return UploadSession{
      .url = std::string(words[0]), .min_chunk = *min_chunk, .max_chunk = *max_chunk};
}

void PushMemory::RememberUpload(std::string_view repository, const specs::Sha256& blob,
                                const UploadSession& session) {
  WriteNote(UploadFile(repository, blob),
            fmt::format("{} {} {}\n", session.url, session.min_chunk, session.max_chunk));
}

void PushMemory::ForgetUpload(std::string_view repository, const specs::Sha256& blob) {
  std::error_code ignored;
  fs::remove(UploadFile(repository, blob), ignored);
}

std::string PushMemory::HomeOf(std::string_view host, std::string_view repository,
                               const specs::Sha256& blob) const {
  const std::string home(specs::Trim(ReadNote(HomeFile(host, blob))));
  return home == repository ? "" : home;
}

void PushMemory::RememberHome(std::string_view host, std::string_view repository,
                              const specs::Sha256& blob) {
  const fs::path file = HomeFile(host, blob);
  const std::string note = HomeNote(repository);
  if (ReadNote(file) != note) WriteNote(file, note);
}

void PushMemory::SuggestHome(std::string_view host, std::string_view repository,
                             const specs::Sha256& blob) {
  const fs::path file = HomeFile(host, blob);
  std::error_code ignored;
  if (!fs::exists(file, ignored)) WriteNote(file, HomeNote(repository));
}

void PushMemory::ForgetHome(std::string_view host, const specs::Sha256& blob) {
  std::error_code ignored;
  fs::remove(HomeFile(host, blob), ignored);
}

}  // namespace imgbuild::builder
