// Bytes that flow: the two seams between everything that reads and everything that writes.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace imgbuild::layers {

class Source {
 public:
  virtual ~Source() = default;
  // Fills the front of `buffer` and returns how many bytes; 0 only at the end (or for an empty
  // buffer). Throws specs::Error where the bytes cannot be had.
  virtual std::size_t Read(std::span<std::byte> buffer) = 0;
};

class Sink {
 public:
  virtual ~Sink() = default;
  // Takes all of `bytes` or throws specs::Error. The bytes are borrowed for the call.
  virtual void Write(std::span<const std::byte> bytes) = 0;
  void Write(std::string_view text) { Write(std::as_bytes(std::span(text))); }
};

// Reads from memory it borrows.
class MemorySource : public Source {
 public:
  explicit MemorySource(std::string_view bytes) : rest_(bytes) {}
  std::size_t Read(std::span<std::byte> buffer) override;

 private:
  std::string_view rest_;
};

class StringSink : public Sink {
 public:
  using Sink::Write;
  void Write(std::span<const std::byte> bytes) override;
  const std::string& text() const { return text_; }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

// Copies until the end; returns the number of bytes.
std::size_t CopyAll(Source& source, Sink& sink);
std::string ReadAll(Source& source);

}  // namespace imgbuild::layers
