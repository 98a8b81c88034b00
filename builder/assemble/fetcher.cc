#include "builder/assemble/fetcher.h"

#include <algorithm>
#include <condition_variable>
#include <future>
#include <mutex>
#include <optional>
#include <utility>

#include <fmt/core.h>

#include "layers/io/file.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;
using specs::Error;
using specs::ErrorKind;
using specs::kArtifactSource;
using specs::kLocalSource;
using specs::LockedPackage;

constexpr int kMostCuts = 5;
// Each has two files open.
constexpr std::size_t kMostOpen = 64;

Error WrongFile(const LockedPackage& package, const std::string& where, const char* what,
                const std::string& spec_file) {
  const bool artifact = package.source == kArtifactSource;
  return Error(ErrorKind::kVerification,
               fmt::format("{} from {} is {} the file that {}", package.file, where, what,
                           artifact ? "[[artifacts]] names" : "was locked"))
      .Hint(artifact ? "if the change is wanted, correct sha256 of the entry in [[artifacts]]"
                     : "if the change is wanted: " + specs::LockCommand(spec_file, package.name));
}

Error WrongDigest(const LockedPackage& package, const specs::Sha256& found,
                  const std::string& where, const std::string& spec_file) {
  return WrongFile(package, where, "not", spec_file)
      .Found("SHA-256 " + found.Hex())
      .Expected("SHA-256 " + package.sha256.Hex());
}

// Whether a status is of the file, which another address may have all the same, and not of who asks
// or how often. Object storage answers 403 for what is not there.
bool IsOfFile(int status) {
  return status >= 400 && status < 500 && status != 401 && status != 407 && status != 429;
}

// What `action` threw. Callers run on the client's thread, which nothing may escape from.
template <typename Action>
std::optional<Error> FailureOf(Action&& action) {
  try {
    action();
  } catch (Error& error) {
    return std::move(error);
  } catch (const std::exception& error) {
    return Error(error.what());
  }
  return std::nullopt;
}

}  // namespace

struct Fetcher::Shared {
  Shared(layers::Store& given_store, std::function<HttpClient&()> given_http,
         std::function<ArchiveLocator&()> given_locator, Progress& given_progress,
         FetcherOptions given_options)
      : store(given_store),
        http(std::move(given_http)),
        locator(std::move(given_locator)),
        progress(given_progress),
        options(std::move(given_options)) {}

  layers::Store& store;
  std::function<HttpClient&()> http;
  std::function<ArchiveLocator&()> locator;
  Progress& progress;
  FetcherOptions options;

  // One bar over all that is fetched at the same time.
  std::mutex mutex;
  std::unique_ptr<ProgressTask> task;
  std::size_t running = 0;
  std::size_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t total = 0;

  std::condition_variable room;
  std::size_t open = 0;

  // Waits until fewer than kMostOpen transfers are under way. Each ends on the client's thread, so
  // that must not wait here.
  void Enter() {
    std::unique_lock lock(mutex);
    room.wait(lock, [this] { return open < kMostOpen; });
    ++open;
  }

  void Leave() {
    std::lock_guard lock(mutex);
    --open;
    room.notify_one();
  }

  Result Fetched(const LockedPackage& package) const {
    if (auto path = store.FindDownload(package.sha256)) return *std::move(path);
    return Error(fmt::format("{} vanished from the cache while it was in use", package.file));
  }

  void Begin(const std::vector<const LockedPackage*>& packages) {
    std::lock_guard lock(mutex);
    if (!task) {
      task = progress.Begin("Downloading", ProgressUnit::kBytes);
      files = 0;
      bytes = 0;
      total = 0;
    }
    for (const LockedPackage* package : packages) total += package->size;
    running += packages.size();
    task->SetTotal(total);
  }

  void Advance(std::uint64_t amount, const std::string& file) {
    std::lock_guard lock(mutex);
    if (!task) return;
    bytes += amount;
    task->Advance(amount);
    task->SetDetail(file);
  }

  void End(const Result& result) {
    std::lock_guard lock(mutex);
    files += std::holds_alternative<fs::path>(result) ? 1 : 0;
    if (--running > 0) return;
    task->Finish(fmt::format("{}, {}", specs::Count(files, "file"), specs::HumanBytes(bytes)));
    task.reset();
  }
};

// One archive through all its addresses. Owned by the callbacks that are under way.
class Fetcher::Transfer : public layers::Sink, public std::enable_shared_from_this<Transfer> {
 public:
  Transfer(std::shared_ptr<Shared> shared, const LockedPackage& package, Done done, Wanted wanted)
      : shared_(std::move(shared)),
        package_(package),
        done_(std::move(done)),
        wanted_(std::move(wanted)) {}

  // Waits until there is room, and until nobody else has the same archive open.
  void Start() {
    shared_->Enter();
    const auto failure = FailureOf([this] {
      ThrowIfUnwanted();
      addresses_ = shared_->locator().Addresses(package_);
      partial_ = shared_->store.OpenDownload(package_.sha256);
    });
    if (failure) return Finish(*failure);
    if (partial_->AlreadyThere()) return Finish(shared_->Fetched(package_));
    step_ = shared_->progress.Step("Downloads", package_.file);
    Go([this] { TryNext(); });
  }

  using Sink::Write;
  void Write(std::span<const std::byte> bytes) override {
    ThrowIfUnwanted();
    if (package_.size > 0 && partial_->size() + bytes.size() > package_.size) {
      too_long_ = true;
      throw WrongFile(package_, RedactUrl(addresses_[next_ - 1].url), "longer than",
                      shared_->options.spec_file)
          .Expected(fmt::format("{} bytes", package_.size));
    }
    try {
      partial_->Write(bytes);
    } catch (...) {
      disk_failed_ = true;
      throw;
    }
    shared_->Advance(bytes.size(), package_.file);
  }

 private:
  bool Unwanted() const { return wanted_ && !wanted_(); }
  void ThrowIfUnwanted() const {
    if (Unwanted()) throw Error(ErrorKind::kInterrupted, "not wanted any more: " + package_.file);
  }

  // What fails ends the transfer.
  template <typename Action>
  void Go(Action&& action) {
    if (auto failure = FailureOf(std::forward<Action>(action))) Finish(*std::move(failure));
  }

  void TryNext() {
    if (next_ == addresses_.size()) {
      if (refusal_) return Finish(*std::move(refusal_));
      return Finish(shared_->locator().Gone(package_, addresses_));
    }
    const ArchiveAddress& address = addresses_[next_++];
    HttpRequest request{
        .url = address.url, .headers = address.headers, .body = this, .wanted = wanted_};
    asked_from_ = partial_->size();
    if (asked_from_ > 0) request.range = ByteRange{.first = asked_from_};
    auto self = shared_from_this();
    shared_->http().Start(std::move(request), [self](HttpResult result) {
      self->Go([&] { self->Judge(std::move(result)); });
    });
  }

  // The same address once more, from where the partial file ends.
  void TryAgain() {
    --next_;
    TryNext();
  }

  void Judge(HttpResult result) {
    if (auto* error = std::get_if<Error>(&result)) return JudgeFailure(std::move(*error));
    const HttpResponse& response = std::get<HttpResponse>(result);
    if (response.status == 404 || response.status == 410) return TryNext();
    // A server without ranges sent everything again, or finds nothing after what is there.
    if (asked_from_ > 0 && (response.status == 200 || response.status == 416))
      return FromTheStart();
    if (response.status == 200 || response.status == 206) return Verify();
    Error refusal = Error(fmt::format("could not fetch {}: status {}",
                                      RedactUrl(addresses_[next_ - 1].url), StatusText(response)))
                        .In("from " + addresses_[next_ - 1].origin);
    if (!IsOfFile(response.status)) return Finish(std::move(refusal));
    if (!refusal_) refusal_ = std::move(refusal);
    TryNext();
  }

  void JudgeFailure(Error error) {
    if (disk_failed_ || Unwanted()) return Finish(std::move(error));
    if (std::exchange(too_long_, false)) {
      // After what an earlier run left, or from a server without ranges: that is not its fault.
      if (asked_from_ > 0) return FromTheStart();
      partial_->Restart();
      return Finish(std::move(error));
    }
    // Cut on the way: what came so far is kept.
    if (partial_->size() > asked_from_ && cuts_++ < kMostCuts) return TryAgain();
    if (next_ < addresses_.size()) return TryNext();
    Finish(std::move(
        error.In(fmt::format("for {}, from {}", package_.file, addresses_[next_ - 1].origin))));
  }

  void FromTheStart() {
    partial_->Restart();
    TryAgain();
  }

  void Verify() {
    const specs::Sha256 found = partial_->Digest();
    if (found != package_.sha256) {
      if (asked_from_ > 0) return FromTheStart();  // what an earlier run left was wrong
      partial_->Restart();
      throw WrongDigest(package_, found, RedactUrl(addresses_[next_ - 1].url),
                        shared_->options.spec_file);
    }
    shared_->store.PutDownload(package_.sha256, *partial_);
    Finish(shared_->Fetched(package_));
  }

  void Finish(Result result) {
    partial_.reset();
    step_.reset();
    shared_->Leave();
    shared_->End(result);
    done_(package_, std::move(result));
  }

  std::shared_ptr<Shared> shared_;
  const LockedPackage& package_;
  Done done_;
  Wanted wanted_;
  std::vector<ArchiveAddress> addresses_;
  std::size_t next_ = 0;
  std::optional<Error> refusal_;  // the first answer that does not say that there is no such file
  std::unique_ptr<layers::PartialDownload> partial_;
  std::unique_ptr<ProgressStep> step_;
  std::uint64_t asked_from_ = 0;
  int cuts_ = 0;
  bool disk_failed_ = false;
  bool too_long_ = false;
};

Fetcher::Fetcher(layers::Store& store, std::function<HttpClient&()> http,
                 std::function<ArchiveLocator&()> locator, Progress& progress,
                 FetcherOptions options)
    : shared_(
          new Shared(store, std::move(http), std::move(locator), progress, std::move(options))) {}

Fetcher::~Fetcher() = default;

NetworkPolicy Fetcher::network() const { return shared_->options.network; }

std::vector<const LockedPackage*> Fetcher::Missing(
    const std::vector<const LockedPackage*>& packages) const {
  std::vector<const LockedPackage*> missing;
  for (const LockedPackage* package : packages) {
    if (!shared_->store.FindDownload(package->sha256)) missing.push_back(package);
  }
  if (shared_->options.network == NetworkPolicy::kAllowed || missing.empty()) return missing;
  std::string list;
  std::size_t remote = 0;
  for (const LockedPackage* package : missing) {
    if (package->source == kLocalSource) continue;
    ++remote;
    if (remote <= 10) list += "\n    " + package->file;
  }
  if (remote == 0) return missing;
  if (remote > 10) list += fmt::format("\n    and {} more", remote - 10);
  throw Error(fmt::format("{} not in the cache, and the network is not to be used (--offline):{}",
                          remote == 1 ? "1 archive is" : fmt::format("{} archives are", remote),
                          list))
      .Hint("build once without --offline");
}

void Fetcher::Fetch(const std::vector<const LockedPackage*>& packages, Done done, Wanted wanted) {
  TakeShared(packages);
  std::vector<const LockedPackage*> remote;
  for (const LockedPackage* package : packages) {
    if (package->source != kLocalSource && !shared_->store.FindDownload(package->sha256)) {
      remote.push_back(package);
    }
  }
  if (!remote.empty()) {
    shared_->locator().Prepare(remote);
    (void)shared_->http();
    shared_->Begin(remote);
  }
  for (const LockedPackage* package : packages) {
    if (package->source == kLocalSource) {
      const auto failure = FailureOf([&] { TakeLocal(*package); });
      done(*package, failure ? Result(*failure) : shared_->Fetched(*package));
    } else if (std::ranges::find(remote, package) == remote.end()) {
      done(*package, shared_->Fetched(*package));
    } else {
      std::make_shared<Transfer>(shared_, *package, done, wanted)->Start();
    }
  }
}

void Fetcher::TakeShared(const std::vector<const LockedPackage*>& packages) {
  if (shared_->options.shared == nullptr) return;
  std::vector<specs::Sha256> archives;
  for (const LockedPackage* package : packages) {
    if (package->source != kLocalSource) archives.push_back(package->sha256);
  }
  shared_->options.shared->FetchArchives(archives, shared_->store);
}

void Fetcher::TakeLocal(const LockedPackage& package) {
  auto partial = shared_->store.OpenDownload(package.sha256);
  if (partial->AlreadyThere()) return;
  const FetcherOptions& options = shared_->options;
  const auto wheel = options.local_wheels.find(package.file);
  if (wheel == options.local_wheels.end()) {
    throw Error(fmt::format("{} is a local wheel in the lock, but the spec names none like it",
                            package.file))
        .Hint("lock again: " + specs::LockCommand(options.spec_file));
  }
  const std::string& path = wheel->second;
  partial->Restart();
  layers::FileSource file(path);
  layers::CopyAll(file, *partial);
  const specs::Sha256 found = partial->Digest();
  if (found != package.sha256) {
    partial->Restart();
    throw WrongDigest(package, found, path, options.spec_file);
  }
  shared_->store.PutDownload(package.sha256, *partial);
}

fs::path Fetcher::FetchNow(const LockedPackage& package) {
  if (Missing({&package}).empty()) {
    if (auto path = shared_->store.FindDownload(package.sha256)) return *std::move(path);
  }
  // Shared: the thread that sets the value may be at it still when this one has it.
  auto promise = std::make_shared<std::promise<Result>>();
  Fetch({&package},
        [promise](const LockedPackage&, Result result) { promise->set_value(std::move(result)); });
  Result result = promise->get_future().get();
  if (auto* error = std::get_if<Error>(&result)) throw std::move(*error);
  return std::get<fs::path>(std::move(result));
}

bool Fetcher::Recheck(const LockedPackage& package) {
  return shared_->store.RecheckDownload(package.sha256);
}

}  // namespace imgbuild::builder
