#include "dashboard/tar.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace tidegate::dashboard {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kBlock = 512, kPiece = 64u << 10, kTrailer = 2 * kBlock;

std::size_t padding(std::uint64_t bytes) { return static_cast<std::size_t>((kBlock - bytes % kBlock) % kBlock); }

/// Octal; or base 256 as GNU and pax have it, where that does not hold it.
std::string size_field(std::uint64_t bytes) {
  constexpr std::size_t kWidth = 12;
  if (bytes < (std::uint64_t{1} << 33)) return fmt::format("{:011o}", bytes);
  std::string field(kWidth, '\0');
  field[0] = static_cast<char>(0x80);
  for (std::size_t i = kWidth; i > kWidth - 8; bytes >>= 8) field[--i] = static_cast<char>(bytes & 0xFF);
  return field;
}

std::string header(const std::string& name, std::uint64_t bytes, std::uint64_t seconds) {
  constexpr std::size_t kSum = 148, kSumWidth = 8;
  std::string block(kBlock, '\0');
  const auto put = [&](std::size_t at, std::string_view text) { block.replace(at, text.size(), text); };
  put(0, name);
  put(100, "0000600");
  put(108, "0000000");
  put(116, "0000000");
  put(124, size_field(bytes));
  put(136, fmt::format("{:011o}", seconds));
  put(kSum, std::string(kSumWidth, ' '));
  put(156, "0");
  put(257, std::string_view("ustar\0"
                            "00",
                            8));
  const auto sum = std::accumulate(block.begin(), block.end(), 0u,
                                   [](unsigned so_far, char c) { return so_far + static_cast<unsigned char>(c); });
  put(kSum, fmt::format("{:06o}", sum));
  block[kSum + 6] = '\0';
  return block;
}

}  // namespace

Result<Tar> Tar::of(const fs::path& folder, const std::string& name, Timestamp made) {
  constexpr std::size_t kLongestName = 100;
  Tar tar;
  tar.seconds_ = static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, std::chrono::floor<std::chrono::seconds>(made).time_since_epoch().count()));
  try {
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      tar.files_.push_back(
          {entry.path(), name + '/' + entry.path().lexically_relative(folder).generic_string(), entry.file_size()});
    }
  } catch (const fs::filesystem_error& error) {
    return fail(Errc::io, "{} cannot be read: {}", folder.string(), error.what());
  }
  std::sort(tar.files_.begin(), tar.files_.end(), [](const File& a, const File& b) { return a.name < b.name; });
  for (const File& file : tar.files_) {
    if (file.name.size() > kLongestName) return fail(Errc::invalid, "{} is too long a name for a tar", file.name);
    tar.size_ += kBlock + file.bytes + padding(file.bytes);
  }
  tar.size_ += kTrailer;
  return tar;
}

Result<std::string_view> Tar::next() {
  if (is_inside_) return read_file();
  if (at_ < files_.size()) return begin_file();
  if (std::exchange(is_closed_, true)) return std::string_view();
  piece_.assign(kTrailer, '\0');
  return std::string_view(piece_);
}

Result<std::string_view> Tar::begin_file() {
  const File& file = files_[at_];
  file_ = std::ifstream(file.path, std::ios::binary);
  if (!file_) return fail(Errc::io, "{} cannot be read", file.path.string());
  left_ = file.bytes;
  is_inside_ = left_ > 0;
  if (!is_inside_) ++at_;
  piece_ = header(file.name, file.bytes, seconds_);
  return std::string_view(piece_);
}

Result<std::string_view> Tar::read_file() {
  const File& file = files_[at_];
  const auto much = static_cast<std::size_t>(std::min(left_, kPiece));
  piece_.resize(much);
  if (!file_.read(piece_.data(), static_cast<std::streamsize>(much))) {
    return fail(Errc::io, "{} cannot be read any more", file.path.string());
  }
  left_ -= much;
  if (left_ == 0) {
    piece_.append(padding(file.bytes), '\0');
    is_inside_ = false;
    ++at_;
  }
  return std::string_view(piece_);
}

}  // namespace tidegate::dashboard
