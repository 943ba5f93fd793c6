#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "drivers/file/position.h"
#include "gateway/core/result.h"

namespace tidegate::drivers::file {

/// Follows a file that grows, is renamed and begun anew (rotation), or is cut and written anew. What a renamed file
/// still gets is read to its end before the new one is begun. One thread.
class Follower {
 public:
  enum class From : std::uint8_t { beginning, end };
  enum class Event : std::uint8_t {
    line,     ///< a whole one, without its end; "" too
    header,   ///< the first line of a file, where files have one
    nothing,  ///< for now
    too_long  ///< a line was left out
  };
  /// What became of files.
  struct Counts {
    std::uint64_t rotations = 0;
    std::uint64_t cut = 0;   ///< begun anew in place: what was written just before may have been missed
    std::uint64_t lost = 0;  ///< what was still to be read was gone at the start
  };

  /// `header`: the first line of each file is no line of its own.
  Follower(std::filesystem::path path, std::size_t max_line, bool header);
  ~Follower() { close(); }
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  /// Goes on where `kept` says; where it says nothing, at `from`. Also in a file that was renamed in its folder since.
  void begin(const std::optional<Position>& kept, From from);
  /// To be called again and again; after `nothing` after a while. The view is good until the next call.
  /// Errc::unavailable: there is no file, or it cannot be read.
  Result<Event> next(std::string_view& line);
  /// Behind what next() has given.
  Position position() const;
  const Counts& counts() const { return counts_; }

 private:
  Status open();
  void adopt(int file, std::uint64_t offset);
  void close();
  int find_renamed(const Position& kept) const;
  bool take_line(std::string_view& line, Event& event);
  Result<Event> give_header(std::string_view& line);
  Event at_end(std::string_view& line);
  bool fill();
  bool rewritten() const;
  bool renamed() const;

  const std::filesystem::path path_;
  const std::size_t max_line_;
  const bool header_;
  From from_ = From::end;
  int file_ = -1;
  struct stat status_ {};
  std::uint64_t offset_ = 0;  ///< in the file, of bytes_'s begin_
  std::string bytes_;         ///< what was read and not given
  std::size_t begin_ = 0;
  std::string header_line_;
  bool skipping_ = false;      ///< a line that is too long
  bool needs_header_ = false;  ///< it was not given yet
  bool last_look_ = false;     ///< renamed, and at its end: the next time that is so it is left
  Counts counts_;
};

}  // namespace tidegate::drivers::file
