#include "layers/io/archive.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <utility>
#include <vector>

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <locale.h>

#include "layers/io/hashing.h"
#include "layers/io/shared_library.h"
#include "specs/base/error.h"

namespace imgbuild::layers {
namespace {

struct LibArchive {
  SharedLibrary library{"libarchive.so.13", "libarchive13"};
  IMGBUILD_BIND(archive_entry_filetype);
  IMGBUILD_BIND(archive_entry_gid);
  IMGBUILD_BIND(archive_entry_hardlink);
  IMGBUILD_BIND(archive_entry_hardlink_utf8);
  IMGBUILD_BIND(archive_entry_mtime);
  IMGBUILD_BIND(archive_entry_pathname);
  IMGBUILD_BIND(archive_entry_pathname_utf8);
  IMGBUILD_BIND(archive_entry_perm);
  IMGBUILD_BIND(archive_entry_size);
  IMGBUILD_BIND(archive_entry_size_is_set);
  IMGBUILD_BIND(archive_entry_symlink);
  IMGBUILD_BIND(archive_entry_symlink_utf8);
  IMGBUILD_BIND(archive_entry_uid);
  IMGBUILD_BIND(archive_error_string);
  IMGBUILD_BIND(archive_read_append_filter);
  IMGBUILD_BIND(archive_read_data);
  IMGBUILD_BIND(archive_read_free);
  IMGBUILD_BIND(archive_read_new);
  IMGBUILD_BIND(archive_read_next_header);
  IMGBUILD_BIND(archive_read_open);
  IMGBUILD_BIND(archive_read_open_memory);
  IMGBUILD_BIND(archive_read_support_filter_bzip2);
  IMGBUILD_BIND(archive_read_support_filter_gzip);
  IMGBUILD_BIND(archive_read_support_filter_lzma);
  IMGBUILD_BIND(archive_read_support_filter_xz);
  IMGBUILD_BIND(archive_read_support_filter_zstd);
  IMGBUILD_BIND(archive_read_support_format_ar);
  IMGBUILD_BIND(archive_read_support_format_empty);
  IMGBUILD_BIND(archive_read_support_format_raw);
  IMGBUILD_BIND(archive_read_support_format_tar);
  IMGBUILD_BIND(archive_read_support_format_zip);
  IMGBUILD_BIND(archive_set_error);
};

const LibArchive& Lib() {
  static const LibArchive library;
  return library;
}

constexpr std::size_t kBlock = 256 * 1024;

struct ArchiveFree {
  void operator()(::archive* a) const { Lib().archive_read_free(a); }
};
using ArchiveHandle = std::unique_ptr<::archive, ArchiveFree>;

// libarchive turns UTF-8 names into the locale's encoding and back. For the length of a call this
// thread's locale is one where that changes nothing, whatever the process runs in.
class Utf8Scope {
 public:
  Utf8Scope() : previous_(::uselocale(Utf8())) {}
  ~Utf8Scope() { ::uselocale(previous_); }
  Utf8Scope(const Utf8Scope&) = delete;
  Utf8Scope& operator=(const Utf8Scope&) = delete;

 private:
  static locale_t Utf8() {
    static const locale_t utf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return utf8;
  }
  locale_t previous_;
};

ArchiveType TypeOf(::archive_entry* entry) {
  if (Lib().archive_entry_hardlink(entry) != nullptr) return ArchiveType::kHardlink;
  switch (Lib().archive_entry_filetype(entry)) {
    case AE_IFREG:
    case 0:  // ar members often have permissions only
      return ArchiveType::kFile;
    case AE_IFDIR:
      return ArchiveType::kDirectory;
    case AE_IFLNK:
      return ArchiveType::kSymlink;
    case AE_IFCHR:
    case AE_IFBLK:
      return ArchiveType::kDevice;
    default:
      return ArchiveType::kOther;
  }
}

std::string Text(const char* plain, const char* utf8) {
  if (plain != nullptr) return plain;
  return utf8 != nullptr ? utf8 : "";
}

ArchiveEntry Describe(::archive_entry* entry) {
  ArchiveEntry result;
  result.path = Text(Lib().archive_entry_pathname(entry), Lib().archive_entry_pathname_utf8(entry));
  result.type = TypeOf(entry);
  result.mode = Lib().archive_entry_perm(entry) & 07777;
  result.uid =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, Lib().archive_entry_uid(entry)));
  result.gid =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, Lib().archive_entry_gid(entry)));
  result.mtime = Lib().archive_entry_mtime(entry);
  if (Lib().archive_entry_size_is_set(entry)) {
    result.size =
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, Lib().archive_entry_size(entry)));
  }
  if (result.type == ArchiveType::kSymlink) {
    result.target =
        Text(Lib().archive_entry_symlink(entry), Lib().archive_entry_symlink_utf8(entry));
  } else if (result.type == ArchiveType::kHardlink) {
    result.target =
        Text(Lib().archive_entry_hardlink(entry), Lib().archive_entry_hardlink_utf8(entry));
  }
  return result;
}

// The handle, what it reads from, and the exceptions that must not pass through C.
class Handle {
 public:
  explicit Handle(Source* source) : handle_(Lib().archive_read_new()), source_(source) {
    if (!handle_) throw std::bad_alloc();
    if (source_ != nullptr) buffer_.resize(kBlock);
  }

  ::archive* get() const { return handle_.get(); }

  void OpenSource() {
    Check(Lib().archive_read_open(get(), this, nullptr, &Handle::ReadBlock, nullptr));
  }
  void OpenMemory(std::string_view bytes) {
    Check(Lib().archive_read_open_memory(get(), bytes.data(), bytes.size()));
  }

  // Warnings about what this program does not use (attributes, ACLs) are let through.
  void Check(int result) {
    if (result == ARCHIVE_OK || result == ARCHIVE_WARN) return;
    Fail();
  }

  [[noreturn]] void Fail() {
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    const char* reason = Lib().archive_error_string(get());
    throw specs::Error(
        fmt::format("cannot read the archive: {}", reason != nullptr ? reason : "it is damaged"));
  }

 private:
  static la_ssize_t ReadBlock(::archive* a, void* self, const void** block) {
    auto* handle = static_cast<Handle*>(self);
    *block = handle->buffer_.data();
    try {
      return static_cast<la_ssize_t>(handle->source_->Read(handle->buffer_));
    } catch (...) {
      handle->failure_ = std::current_exception();
      Lib().archive_set_error(a, EIO, "cannot be read");
      return ARCHIVE_FATAL;
    }
  }

  ArchiveHandle handle_;
  Source* source_;
  std::vector<std::byte> buffer_;
  std::exception_ptr failure_;
};

// The content of one entry; checks that all that was claimed came.
class DataSource : public Source {
 public:
  explicit DataSource(Handle& handle) : handle_(handle) {}

  void Start(std::optional<std::uint64_t> claimed, bool has_data) {
    claimed_ = claimed;
    count_ = 0;
    at_end_ = !has_data;
  }

  std::size_t Read(std::span<std::byte> buffer) override {
    if (at_end_ || buffer.empty()) return 0;
    Utf8Scope scope;
    la_ssize_t size = Lib().archive_read_data(handle_.get(), buffer.data(), buffer.size());
    if (size < 0) handle_.Fail();
    count_ += static_cast<std::uint64_t>(size);
    if (size == 0) {
      at_end_ = true;
      if (claimed_ && *claimed_ != count_) {
        throw specs::Error("the archive is damaged: an entry's data has another size")
            .Found(fmt::format("{} bytes", count_))
            .Expected(fmt::format("{} bytes", *claimed_));
      }
    }
    return static_cast<std::size_t>(size);
  }

 private:
  Handle& handle_;
  std::optional<std::uint64_t> claimed_;
  std::uint64_t count_ = 0;
  bool at_end_ = true;
};

void SupportFormat(::archive* a, ArchiveFormat format) {
  if (format == ArchiveFormat::kAr) {
    Lib().archive_read_support_format_ar(a);
    return;
  }
  Lib().archive_read_support_format_tar(a);
  if (format == ArchiveFormat::kAny) Lib().archive_read_support_format_zip(a);
  Lib().archive_read_support_filter_gzip(a);
  Lib().archive_read_support_filter_bzip2(a);
  Lib().archive_read_support_filter_xz(a);
  Lib().archive_read_support_filter_lzma(a);
  Lib().archive_read_support_filter_zstd(a);
}

// The filter for a stream that begins so; ARCHIVE_FILTER_NONE for plain bytes.
int FilterFor(std::string_view front) {
  using namespace std::string_view_literals;
  if (front.starts_with("\x1f\x8b"sv)) return ARCHIVE_FILTER_GZIP;
  if (front.starts_with("\xfd"
                        "7zXZ\0"sv)) {
    return ARCHIVE_FILTER_XZ;
  }
  if (front.starts_with("\x28\xb5\x2f\xfd"sv)) return ARCHIVE_FILTER_ZSTD;
  if (front.starts_with("BZh"sv)) return ARCHIVE_FILTER_BZIP2;
  if (front.starts_with("\x5d\x00\x00"sv)) return ARCHIVE_FILTER_LZMA;
  return ARCHIVE_FILTER_NONE;
}

// Gives back what was read to see the first bytes, then the rest.
class PrefixedSource : public Source {
 public:
  PrefixedSource(std::string front, Source& rest) : front_(std::move(front)), rest_(rest) {}

  std::size_t Read(std::span<std::byte> buffer) override {
    if (given_ == front_.size()) return rest_.Read(buffer);
    std::size_t size = std::min(buffer.size(), front_.size() - given_);
    std::memcpy(buffer.data(), front_.data() + given_, size);
    given_ += size;
    return size;
  }

 private:
  std::string front_;
  std::size_t given_ = 0;
  Source& rest_;
};

std::string ReadFront(Source& source, std::size_t size) {
  std::string front(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    auto rest = std::as_writable_bytes(std::span(front)).subspan(filled);
    std::size_t count = source.Read(rest);
    if (count == 0) break;
    filled += count;
  }
  front.resize(filled);
  return front;
}

class FilteredSource : public Source {
 public:
  FilteredSource(std::string front, Source& source, int filter)
      : input_(std::move(front), source), handle_(&input_), data_(handle_) {
    Utf8Scope scope;
    Lib().archive_read_support_format_raw(handle_.get());
    Lib().archive_read_support_format_empty(handle_.get());
    handle_.Check(Lib().archive_read_append_filter(handle_.get(), filter));
    handle_.OpenSource();
    // To the "empty" format a filter that failed at once looks like the end.
    if (Lib().archive_error_string(handle_.get()) != nullptr) handle_.Fail();
    ::archive_entry* entry = nullptr;
    int result = Lib().archive_read_next_header(handle_.get(), &entry);
    if (result != ARCHIVE_EOF) handle_.Check(result);
    data_.Start(std::nullopt, result != ARCHIVE_EOF);
  }

  std::size_t Read(std::span<std::byte> buffer) override { return data_.Read(buffer); }

 private:
  PrefixedSource input_;
  Handle handle_;
  DataSource data_;
};

}  // namespace

struct ArchiveReader::State {
  explicit State(Source* source) : handle(source), data(handle) {}

  Handle handle;
  DataSource data;
};

ArchiveReader::ArchiveReader(Source& source, ArchiveFormat format)
    : state_(std::make_unique<State>(&source)) {
  Utf8Scope scope;
  SupportFormat(state_->handle.get(), format);
  state_->handle.OpenSource();
}

ArchiveReader::ArchiveReader(std::string_view bytes, ArchiveFormat format)
    : state_(std::make_unique<State>(nullptr)) {
  Utf8Scope scope;
  SupportFormat(state_->handle.get(), format);
  state_->handle.OpenMemory(bytes);
}

ArchiveReader::~ArchiveReader() = default;
ArchiveReader::ArchiveReader(ArchiveReader&&) noexcept = default;
ArchiveReader& ArchiveReader::operator=(ArchiveReader&&) noexcept = default;

std::optional<ArchiveEntry> ArchiveReader::Next() {
  Utf8Scope scope;
  Handle& handle = state_->handle;
  state_->data.Start(std::nullopt, false);
  ::archive_entry* raw = nullptr;
  int result = Lib().archive_read_next_header(handle.get(), &raw);
  if (result == ARCHIVE_EOF) return std::nullopt;
  handle.Check(result);
  ArchiveEntry entry = Describe(raw);
  state_->data.Start(entry.size, entry.type == ArchiveType::kFile);
  return entry;
}

Source& ArchiveReader::Data() { return state_->data; }

std::unique_ptr<Source> Decompressed(Source& source) {
  std::string front = ReadFront(source, 6);
  int filter = FilterFor(front);
  if (filter == ARCHIVE_FILTER_NONE) {
    return std::make_unique<PrefixedSource>(std::move(front), source);
  }
  return std::make_unique<FilteredSource>(std::move(front), source, filter);
}

void FuzzArchive(std::string_view bytes) {
  for (ArchiveFormat format : {ArchiveFormat::kTar, ArchiveFormat::kAr, ArchiveFormat::kAny}) {
    try {
      MemorySource source(bytes);
      ArchiveReader reader(source, format);
      BoundedSource bounded(reader.Data(), 64 << 20, "the data");
      NullSink sink;
      for (int count = 0; count < 10'000 && reader.Next(); ++count) CopyAll(bounded, sink);
    } catch (const specs::Error&) {
    }
  }
}

}  // namespace imgbuild::layers
