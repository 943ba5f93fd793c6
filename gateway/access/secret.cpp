#include "gateway/access/secret.h"

#include <fmt/format.h>
#include <sodium.h>

#include <array>

namespace tidegate::access {
namespace {

constexpr std::string_view kAlphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
static_assert(kAlphabet.size() == 32);

/// Letters and digits alone, in upper case.
std::string plain(std::string_view code) {
  std::string letters;
  for (const char c : code) {
    if (c >= 'a' && c <= 'z') letters += static_cast<char>(c - 'a' + 'A');
    if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) letters += c;
  }
  return letters;
}

}  // namespace

std::string random_secret() {
  std::array<unsigned char, 32> bits{};
  randombytes_buf(bits.data(), bits.size());
  std::array<char, sodium_base64_ENCODED_LEN(32, sodium_base64_VARIANT_URLSAFE_NO_PADDING)> text{};
  sodium_bin2base64(text.data(), text.size(), bits.data(), bits.size(), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  return text.data();
}

std::string digest_of(std::string_view secret) {
  std::array<unsigned char, crypto_hash_sha256_BYTES> hash{};
  crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(secret.data()), secret.size());
  return fmt::format("{:02x}", fmt::join(hash, ""));
}

std::string random_code() {
  std::string code;
  for (int i = 0; i < 8; ++i) {
    if (i == 4) code += '-';
    code += kAlphabet[randombytes_uniform(static_cast<std::uint32_t>(kAlphabet.size()))];
  }
  return code;
}

bool is_code(std::string_view typed, std::string_view code) {
  const std::string a = digest_of(plain(typed)), b = digest_of(plain(code));
  return !code.empty() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace tidegate::access
