// SHA-256 (FIPS 180-4), the one hash that names content here and in OCI.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace imgbuild::specs {

class [[nodiscard]] Sha256 {
 public:
  static constexpr std::size_t kSize = 32;

  // All zero bytes: "no digest".
  constexpr Sha256() = default;
  explicit constexpr Sha256(const std::array<std::uint8_t, kSize>& bytes) : bytes_(bytes) {}

  // Accepts 64 hexadecimal digits, with or without "sha256:" before them. Parse(Hex()) and
  // Parse(Oci()) give the same value back.
  static std::optional<Sha256> Parse(std::string_view text);

  // 64 lower-case hexadecimal digits.
  std::string Hex() const;
  // "sha256:" + Hex(), as OCI descriptors write it.
  std::string Oci() const;

  bool IsZero() const { return *this == Sha256(); }
  const std::array<std::uint8_t, kSize>& bytes() const { return bytes_; }

  auto operator<=>(const Sha256&) const = default;

 private:
  std::array<std::uint8_t, kSize> bytes_{};
};

// Hashes a stream. Large updates are much faster than small ones.
class Sha256Hasher {
 public:
  Sha256Hasher();
  ~Sha256Hasher();
  Sha256Hasher(Sha256Hasher&&) noexcept;
  Sha256Hasher& operator=(Sha256Hasher&&) noexcept;

  void Update(std::span<const std::byte> bytes);
  void Update(std::string_view bytes);
  // The digest of all updates; the hasher starts anew.
  Sha256 Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Sha256 HashOf(std::string_view bytes);

// MD5 is a published format's business only (dpkg's md5sums): never
// used to decide whether content may be trusted. 32 lower-case hexadecimal digits.
std::string Md5Hex(std::string_view bytes);

}  // namespace imgbuild::specs

template <>
struct std::hash<imgbuild::specs::Sha256> {
  std::size_t operator()(const imgbuild::specs::Sha256& digest) const noexcept;
};
