#include "gateway/core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

namespace tidegate {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool same(char a, char b) { return lower(a) == lower(b); }

// Optimal string alignment (Levenshtein plus the swap of two neighbours), blind to ASCII case.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = last[j - 1] + (same(a[i - 1], b[j - 1]) ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, substituted});
      if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1])) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

unsigned char byte_at(std::string_view text, std::size_t i) { return static_cast<unsigned char>(text[i]); }

bool continuation(std::string_view text, std::size_t i) {
  return i < text.size() && (byte_at(text, i) & 0xC0u) == 0x80;
}

// The bytes of the well-formed UTF-8 character at `i` (Unicode 15, table 3-7), or 0.
std::size_t character_size(std::string_view text, std::size_t i) {
  const unsigned char first = byte_at(text, i);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4 || !continuation(text, i + 1)) return 0;
  if (first < 0xE0) return 2;
  const unsigned char second = byte_at(text, i + 1);
  if (!continuation(text, i + 2)) return 0;
  if (first < 0xF0) {
    const bool overlong = first == 0xE0 && second < 0xA0;
    const bool surrogate = first == 0xED && second > 0x9F;
    return overlong || surrogate ? 0 : 3;
  }
  const bool overlong = first == 0xF0 && second < 0x90;
  const bool too_large = first == 0xF4 && second > 0x8F;
  return overlong || too_large || !continuation(text, i + 3) ? 0 : 4;
}

bool control_character(std::string_view text, std::size_t i, std::size_t size) {
  const unsigned char first = byte_at(text, i);
  return size == 1 ? first < 0x20 || first == 0x7F : size == 2 && first == 0xC2 && byte_at(text, i + 1) < 0xA0;
}

bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v'; }

void strip_zeros(std::string& text) {
  if (text.find('.') == std::string::npos) return;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string> candidates) {
  constexpr std::size_t kMaxWord = 128;  // the distance costs word times candidate
  if (word.empty() || word.size() > kMaxWord) return {};
  std::size_t best = std::max<std::size_t>(1, word.size() / 3) + 1;
  std::string_view found;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > 2 * kMaxWord) continue;
    if (const std::size_t distance = edit_distance(word, candidate); distance < best) {
      best = distance;
      found = candidate;
    }
  }
  return found;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  const std::string_view found = nearest(word, candidates);
  return found.empty() ? std::string() : fmt::format(" (did you mean '{}'?)", found);
}

bool valid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t size = character_size(text, i);
    if (size == 0) return false;
    i += size;
  }
  return true;
}

std::string printable(std::string_view text, std::size_t max_bytes) {
  constexpr std::string_view kCut = "...";
  std::string out;
  std::size_t fits = 0;  // where to cut so that kCut still has room
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t size = character_size(text, i);
    if (size == 0) {
      out += fmt::format("\\x{:02x}", byte_at(text, i));
    } else if (control_character(text, i, size)) {
      for (std::size_t k = 0; k < size; ++k) out += fmt::format("\\x{:02x}", byte_at(text, i + k));
    } else {
      out += text.substr(i, size);
    }
    i += std::max<std::size_t>(size, 1);
    if (out.size() > max_bytes) return out.substr(0, fits).append(kCut.substr(0, std::min(kCut.size(), max_bytes)));
    if (out.size() + kCut.size() <= max_bytes) fits = out.size();
  }
  return out;
}

std::string number_text(double value) {
  if (std::isnan(value)) return "nan";
  return fmt::format("{}", value);
}

std::string short_number(double value, int digits) {
  constexpr double kSmallest = 1e-4, kLargest = 1e15;
  if (!std::isfinite(value)) return number_text(value);
  const double size = std::abs(value);
  if (size == 0) return "0";
  if (size < kSmallest || size >= kLargest) return fmt::format("{:.{}g}", value, digits);
  const int decimals = std::max(0, digits - 1 - static_cast<int>(std::floor(std::log10(size))));
  std::string text = fmt::format("{:.{}f}", value, decimals);
  strip_zeros(text);
  return text;
}

bool parse_number(std::string_view text, double& value) {
  text = trim(text);
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
  double read = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), read);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(read)) return false;
  value = read;
  return true;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace tidegate
