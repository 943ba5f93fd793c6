#pragma once

#include <deque>
#include <filesystem>
#include <list>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "gateway/core/result.h"
#include "gateway/journal/history/day_file.h"
#include "gateway/journal/history/files.h"
#include "gateway/journal/sqlite.h"

namespace tidegate::journal {

/// What reading a store took, and what of it could not be read.
struct Reading {
  std::uint64_t files = 0;    ///< day files that were opened
  std::uint64_t chunks = 0;   ///< of these files, decoded
  std::uint64_t batches = 0;  ///< of the log, decoded
  std::uint64_t damaged = 0;  ///< chunks and batches that could not be read
  std::set<std::string> damaged_files;
  bool sound() const { return damaged == 0 && damaged_files.empty(); }
};

/// The chunks of a directory's day files, as they were listed when it was made. Some files stay open, and the chunks
/// read last stay decoded, since a join asks for the same ones again and again. One thread.
class ChunkReader {
 public:
  static constexpr std::size_t kMostSamples = 1u << 20;  ///< that stay decoded; 24 MB

  ChunkReader(const std::filesystem::path& directory, Reading& reading)
      : files_(history::day_files(directory)), reading_(reading) {}

  const std::vector<history::DayFileName>& files() const { return files_; }
  /// Of one series, in order of round. None where the file is gone, or damaged (which is noted). Good until the next
  /// call.
  Result<std::span<const history::Chunk>> list(std::size_t file, const std::string& series,
                                               const history::Visible& visible);
  /// A chunk's samples; none where it is damaged (which is noted). Good until the next call.
  Result<std::span<const Sample>> read(std::size_t file, const history::Chunk& chunk);

 private:
  using Key = std::pair<std::size_t, std::int64_t>;  ///< file, and the chunk's key in it
  struct Decoded {
    Key key;
    std::vector<Sample> samples;
  };

  Result<sql::Connection*> open(std::size_t file);
  Result<std::vector<history::Chunk>> list_stored(std::size_t file, const std::string& series,
                                                  const history::Visible& visible);
  Result<std::vector<Sample>> decode(std::size_t file, const history::Chunk& chunk);
  Status pass_over_if_damaged(std::size_t file, Error error);

  const std::vector<history::DayFileName> files_;
  Reading& reading_;
  std::map<std::size_t, sql::Connection> open_;
  std::deque<std::size_t> opened_;  ///< the longest open first
  std::map<std::pair<std::size_t, std::string>, std::vector<history::Chunk>> listed_;
  std::list<Decoded> decoded_;  ///< used last first
  std::map<Key, std::list<Decoded>::iterator> decoded_by_key_;
  std::size_t decoded_samples_ = 0;
};

}  // namespace tidegate::journal
