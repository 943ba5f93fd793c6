#include "gateway/access/password.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <semaphore>

namespace tidegate::access {
namespace {

constexpr unsigned long long kPasses = 2;
constexpr std::size_t kMemory = 19u << 20;
constexpr std::size_t kFewestCharacters = 12, kMostBytes = 256;

/// What is tried first of those that are long enough: keyboard rows, repeated words, and this product's own.
constexpr std::array<std::string_view, 40> kTriedFirst = {
    "123456789012",   "1234567890123",  "12345678901234",   "123456789123",    "1234567891011",    "111111111111",
    "000000000000",   "qwertyuiop12",   "qwertyuiop123",    "qwertyuiopas",    "qwertyqwerty",     "qwerty123456",
    "qwerty12345678", "1q2w3e4r5t6y",   "1qaz2wsx3edc",     "zaq12wsxcde3",    "asdfghjkl123",     "asdfasdfasdf",
    "abcdefghijkl",   "abcdefghijklm",  "abc123abc123",     "a1b2c3d4e5f6",    "passwordpassword", "password1234",
    "password12345",  "password123456", "passw0rd1234",     "adminadminadmin", "adminadmin12",     "admin1234567",
    "administrator",  "administrator1", "changemechangeme", "changeme1234",    "welcome12345",     "letmeinletmein",
    "iloveyou1234",   "rootrootroot",   "tidegatetidegate", "tidegate1234"};

tl::unexpected<Error> no_memory() {
  return fail(Errc::full, "there is no memory to compute a password's hash (19 MiB): try again");
}

std::counting_semaphore<2> computing(2);
class Turn {
 public:
  Turn() { computing.acquire(); }
  ~Turn() { computing.release(); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
};

std::string lower(std::string_view text) {
  std::string plain(text);
  for (char& c : plain) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return plain;
}

/// Of UTF-8: what begins no character does not count.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }));
}

}  // namespace

std::string problem_of(std::string_view password, std::string_view user) {
  if (characters(password) < kFewestCharacters) {
    return fmt::format("a password has {} characters or more; a sentence will do", kFewestCharacters);
  }
  if (password.size() > kMostBytes) return fmt::format("a password has at most {} bytes", kMostBytes);
  const std::string plain = lower(password);
  const bool is_one_character = plain.find_first_not_of(plain.front()) == plain.npos;
  if (is_one_character || std::find(kTriedFirst.begin(), kTriedFirst.end(), plain) != kTriedFirst.end()) {
    return "this password is one of those that are tried first: take another";
  }
  return plain == lower(user) ? "the user's name is no password" : "";
}

Result<std::string> hash_of(std::string_view password) {
  const Turn turn;
  std::array<char, crypto_pwhash_STRBYTES> hash{};
  if (crypto_pwhash_str_alg(hash.data(), password.data(), password.size(), kPasses, kMemory,
                            crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return no_memory();
  }
  return std::string(hash.data());
}

Result<bool> fits(std::string_view password, const std::string& hash) {
  if (password.size() > kMostBytes) return false;
  const Turn turn;
  errno = 0;
  const bool right = crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
  if (!right && errno == ENOMEM) return no_memory();
  return right;
}

void fit_nobody(std::string_view password) {
  static const std::string kNobodys =
      "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlzIQ$bm9ib2R5IGhhcyB0aGlzIHBhc3N3b3JkISBub2JvZHk";
  static_cast<void>(fits(password, kNobodys));
}

}  // namespace tidegate::access
