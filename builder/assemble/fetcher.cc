#include "builder/assemble/fetcher.h"

#include <future>
#include <mutex>
#include <utility>

#include <fmt/core.h>

#include "layers/io/file.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;
using specs::Error;
using specs::ErrorKind;
using specs::LockedPackage;

constexpr std::string_view kLocalSource = "local";
constexpr int kMostCuts = 5;

Error WrongDigest(const LockedPackage& package, const specs::Sha256& found,
                  const std::string& where) {
  return Error(ErrorKind::kVerification,
               fmt::format("{} from {} is not the file that was locked", package.file, where))
      .Found("SHA-256 " + found.Hex())
      .Expected("SHA-256 " + package.sha256.Hex())
      .Hint(fmt::format("if the change is wanted: imgbuild lock --upgrade {}", package.name));
}

}  // namespace

struct Fetcher::Shared {
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

  void End() {
    std::lock_guard lock(mutex);
    ++files;
    if (--running > 0) return;
    task->Finish(fmt::format("{}, {}", specs::Count(files, "file"), specs::HumanBytes(bytes)));
    task.reset();
  }
};

// One archive through all its addresses. Owned by the callbacks that are under way.
class Fetcher::Transfer : public layers::Sink, public std::enable_shared_from_this<Transfer> {
 public:
  Transfer(std::shared_ptr<Shared> shared, const LockedPackage& package, Done done)
      : shared_(std::move(shared)), package_(package), done_(std::move(done)) {}

  void Start() {
    try {
      addresses_ = shared_->locator().Addresses(package_);
      partial_ = shared_->store.OpenDownload(package_.sha256);
      if (!partial_->AlreadyThere()) return TryNext();
    } catch (const Error& error) {
      return Finish(error);
    }
    Finish(*shared_->store.FindDownload(package_.sha256));
  }

  using Sink::Write;
  void Write(std::span<const std::byte> bytes) override {
    try {
      partial_->Write(bytes);
    } catch (...) {
      disk_failed_ = true;
      throw;
    }
    shared_->Advance(bytes.size(), package_.file);
  }

 private:
  void TryNext() {
    if (next_ == addresses_.size()) {
      Finish(shared_->locator().Gone(package_, addresses_));
      return;
    }
    const ArchiveAddress& address = addresses_[next_++];
    HttpRequest request{.url = address.url, .body = this};
    asked_from_ = partial_->size();
    if (asked_from_ > 0) request.range = ByteRange{.first = asked_from_};
    auto self = shared_from_this();
    shared_->http().Start(std::move(request),
                          [self](HttpResult result) { self->Answered(std::move(result)); });
  }

  // The same address once more, from where the partial file ends.
  void TryAgain() {
    --next_;
    TryNext();
  }

  void Answered(HttpResult result) {
    try {
      Judge(std::move(result));
    } catch (const Error& error) {
      Finish(error);
    }
  }

  void Judge(HttpResult result) {
    if (auto* error = std::get_if<Error>(&result)) {
      if (disk_failed_) return Finish(std::move(*error));
      // Cut on the way: what came so far is kept.
      if (partial_->size() > asked_from_ && cuts_++ < kMostCuts) return TryAgain();
      if (next_ < addresses_.size()) return TryNext();
      Finish(std::move(
          error->In(fmt::format("for {}, from {}", package_.file, addresses_[next_ - 1].origin))));
      return;
    }
    const HttpResponse& response = std::get<HttpResponse>(result);
    if (response.status == 404 || response.status == 410) return TryNext();
    // A server without ranges sent everything again, or finds nothing after what is there.
    if (asked_from_ > 0 && (response.status == 200 || response.status == 416))
      return FromTheStart();
    if (response.status != 200 && response.status != 206) {
      throw Error(fmt::format("could not fetch {}: status {}", RedactUrl(addresses_[next_ - 1].url),
                              response.status))
          .In("from " + addresses_[next_ - 1].origin);
    }
    Verify();
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
      throw WrongDigest(package_, found, RedactUrl(addresses_[next_ - 1].url));
    }
    partial_->Publish();
    partial_.reset();
    Finish(*shared_->store.FindDownload(package_.sha256));
  }

  void Finish(Result result) {
    partial_.reset();
    shared_->End();
    done_(package_, std::move(result));
  }

  std::shared_ptr<Shared> shared_;
  const LockedPackage& package_;
  Done done_;
  std::vector<ArchiveAddress> addresses_;
  std::size_t next_ = 0;
  std::unique_ptr<layers::PartialDownload> partial_;
  std::uint64_t asked_from_ = 0;
  int cuts_ = 0;
  bool disk_failed_ = false;
};

Fetcher::Fetcher(layers::Store& store, std::function<HttpClient&()> http,
                 std::function<ArchiveLocator&()> locator, Progress& progress,
                 FetcherOptions options)
    : shared_(new Shared{store,
                         std::move(http),
                         std::move(locator),
                         progress,
                         std::move(options),
                         {},
                         nullptr,
                         0,
                         0,
                         0,
                         0}) {}

Fetcher::~Fetcher() = default;

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

void Fetcher::Fetch(const std::vector<const LockedPackage*>& packages, Done done) {
  std::vector<const LockedPackage*> remote;
  for (const LockedPackage* package : packages) {
    if (package->source != kLocalSource) remote.push_back(package);
  }
  if (!remote.empty()) {
    shared_->locator().Prepare(remote);
    (void)shared_->http();
    shared_->Begin(remote);
  }
  for (const LockedPackage* package : packages) {
    if (package->source == kLocalSource) {
      FetchLocal(*package, done);
    } else {
      std::make_shared<Transfer>(shared_, *package, done)->Start();
    }
  }
}

void Fetcher::FetchLocal(const LockedPackage& package, const Done& done) {
  try {
    auto partial = shared_->store.OpenDownload(package.sha256);
    if (!partial->AlreadyThere()) {
      const fs::path path = shared_->options.spec_folder / package.path;
      partial->Restart();
      layers::FileSource file(path);
      layers::CopyAll(file, *partial);
      const specs::Sha256 found = partial->Digest();
      if (found != package.sha256) {
        partial->Restart();
        throw WrongDigest(package, found, path.string());
      }
      partial->Publish();
    }
    done(package, *shared_->store.FindDownload(package.sha256));
  } catch (const Error& error) {
    done(package, error);
  }
}

fs::path Fetcher::FetchNow(const LockedPackage& package) {
  if (Missing({&package}).empty()) return *shared_->store.FindDownload(package.sha256);
  std::promise<Result> promise;
  std::future<Result> future = promise.get_future();
  Fetch({&package},
        [&](const LockedPackage&, Result result) { promise.set_value(std::move(result)); });
  Result result = future.get();
  if (auto* error = std::get_if<Error>(&result)) throw std::move(*error);
  return std::get<fs::path>(std::move(result));
}

}  // namespace imgbuild::builder
