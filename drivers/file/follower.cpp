#include "drivers/file/follower.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace tidegate::drivers::file {
namespace {

constexpr std::size_t kPortion = 64 * 1024;
constexpr int kMostNeighbours = 1000;

int open_file(const std::filesystem::path& path) { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); }

/// `kept` is a place in this file.
bool is_of(int file, const Position& kept) {
  struct stat status {};
  if (::fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) return false;
  return status.st_dev == kept.device && status.st_ino == kept.inode &&
         static_cast<std::uint64_t>(status.st_size) >= kept.offset && head_of(file, kept.offset) == kept.head;
}

}  // namespace

Follower::Follower(std::filesystem::path path, std::size_t max_line, bool header)
    : path_(std::move(path)), max_line_(max_line), header_(header) {}

void Follower::begin(const std::optional<Position>& kept, From from) {
  close();
  counts_ = {};
  from_ = kept ? From::beginning : from;
  if (!kept) return;
  int file = open_file(path_);
  if (file >= 0 && !is_of(file, *kept)) {
    ::close(file);
    file = -1;
  }
  if (file < 0) file = find_renamed(*kept);
  if (file < 0) {
    ++counts_.lost;
  } else {
    adopt(file, kept->offset);
  }
}

/// In the same folder, under another name; -1: nowhere.
int Follower::find_renamed(const Position& kept) const {
  std::error_code error;
  int seen = 0;
  for (std::filesystem::directory_iterator one(path_.parent_path(), error), end; !error && one != end;
       one.increment(error)) {
    struct stat status {};
    if (++seen > kMostNeighbours) return -1;
    if (::stat(one->path().c_str(), &status) != 0 || status.st_ino != kept.inode) continue;
    const int file = open_file(one->path());
    if (file >= 0 && is_of(file, kept)) return file;
    if (file >= 0) ::close(file);
  }
  return -1;
}

void Follower::adopt(int file, std::uint64_t offset) {
  close();
  file_ = file;
  ::fstat(file_, &status_);
  offset_ = offset;
  needs_header_ = header_;
}

void Follower::close() {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
  bytes_.clear();
  begin_ = 0;
  skipping_ = last_look_ = false;
}

Status Follower::open() {
  const int file = open_file(path_);
  if (file < 0) {
    const int why = errno;
    if (why == ENOENT) from_ = From::beginning;  // what appears later is all new
    const char* hint = why == ENOENT   ? "; is the path right, and has the program that writes it begun?"
                       : why == EACCES ? "; the gateway's user must be allowed to read it"
                                       : "";
    return fail(Errc::unavailable, "{}: {}{}", path_.string(), std::strerror(why), hint);
  }
  struct stat status {};
  if (::fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(file);
    return fail(Errc::unavailable, "{} is no file", path_.string());
  }
  adopt(file, from_ == From::end ? static_cast<std::uint64_t>(status.st_size) : 0);
  char before = '\n';
  if (offset_ > 0 && ::pread(file_, &before, 1, static_cast<off_t>(offset_ - 1)) == 1) skipping_ = before != '\n';
  from_ = From::beginning;
  return {};
}

Position Follower::position() const {
  Position position;
  if (file_ < 0) return position;
  position = {status_.st_dev, status_.st_ino, offset_, 0};
  position.head = head_of(file_, position.offset).value_or(0);
  return position;
}

/// More of the file into bytes_; false: there is no more for now.
bool Follower::fill() {
  bytes_.erase(0, begin_);
  begin_ = 0;
  std::array<char, kPortion> portion;
  const ssize_t size = ::pread(file_, portion.data(), portion.size(), static_cast<off_t>(offset_ + bytes_.size()));
  if (size <= 0) return false;
  bytes_.append(portion.data(), static_cast<std::size_t>(size));
  return true;
}

/// False: there is no whole line in what was read.
bool Follower::take_line(std::string_view& line, Event& event) {
  while (true) {
    const std::size_t end = bytes_.find('\n', begin_);
    const bool whole = end != std::string::npos;
    const std::size_t size = (whole ? end : bytes_.size()) - begin_;
    const bool too_long = size > max_line_;
    if (!whole && !too_long) return false;
    line = std::string_view(bytes_).substr(begin_, size);
    if (line.ends_with('\r')) line.remove_suffix(1);
    begin_ += size + (whole ? 1 : 0);
    offset_ += size + (whole ? 1 : 0);
    const bool rest_of_one = skipping_;
    skipping_ = !whole;
    event = too_long ? Event::too_long : Event::line;
    if (!rest_of_one) return true;
  }
}

/// Files have a header: its first line, once it is whole.
Result<Follower::Event> Follower::give_header(std::string_view& line) {
  header_line_.resize(max_line_ + 1);
  const ssize_t size = ::pread(file_, header_line_.data(), header_line_.size(), 0);
  header_line_.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  const std::size_t end = header_line_.find('\n');
  if (end == std::string::npos && header_line_.size() > max_line_)
    return fail(Errc::invalid, "{}: its first line is longer than {} bytes", path_.string(), max_line_);
  if (end == std::string::npos) return at_end(line);
  needs_header_ = false;
  offset_ = std::max<std::uint64_t>(offset_, end + 1);
  line = std::string_view(header_line_).substr(0, end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return Event::header;
}

/// There is no more of this file for now, or for ever.
Follower::Event Follower::at_end(std::string_view& line) {
  if (rewritten()) {
    ++counts_.cut;
    adopt(std::exchange(file_, -1), 0);
    return Event::nothing;
  }
  if (!renamed()) {
    last_look_ = false;
    return Event::nothing;
  }
  // Who writes may not have noticed yet that it was renamed.
  if (!std::exchange(last_look_, true)) return Event::nothing;
  if (begin_ < bytes_.size() && !skipping_) {
    line = std::string_view(bytes_).substr(begin_);
    offset_ += line.size();
    begin_ = bytes_.size();
    return Event::line;
  }
  ++counts_.rotations;
  close();
  return Event::nothing;
}

Result<Follower::Event> Follower::next(std::string_view& line) {
  line = {};
  if (file_ < 0) {
    if (Status opened = open(); !opened) return fail(opened.error());
  }
  if (needs_header_) return give_header(line);
  while (true) {
    Event event = Event::nothing;
    if (take_line(line, event)) return event;
    if (!fill()) return at_end(line);
  }
}

bool Follower::rewritten() const {
  struct stat now {};
  if (::fstat(file_, &now) != 0) return true;
  const std::uint64_t read = offset_ + (bytes_.size() - begin_);
  return static_cast<std::uint64_t>(now.st_size) < read;
}

bool Follower::renamed() const {
  struct stat there {};
  if (::stat(path_.c_str(), &there) != 0) return true;
  return there.st_dev != status_.st_dev || there.st_ino != status_.st_ino;
}

}  // namespace tidegate::drivers::file
