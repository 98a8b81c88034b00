// A password or token: text that no message, log or formatted value shows.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace imgbuild::specs {

// There is no way to print one but Reveal(), whose callers are few and easy to find. The bytes are
// overwritten when the value goes.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  ~Secret() { Wipe(); }
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : text_(other.text_) { other.Wipe(); }
  Secret& operator=(const Secret& other) {
    if (this != &other) {
      Wipe();
      text_ = other.text_;
    }
    return *this;
  }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      Wipe();
      text_ = other.text_;
      other.Wipe();
    }
    return *this;
  }

  bool empty() const { return text_.empty(); }
  // For the wire alone.
  const std::string& Reveal() const { return text_; }

  bool operator==(const Secret&) const = default;

 private:
  void Wipe() {
    volatile char* bytes = text_.data();
    for (std::size_t i = 0; i < text_.size(); ++i) bytes[i] = 0;
    text_.clear();
  }

  std::string text_;
};

}  // namespace imgbuild::specs
