#include "gateway/journal/chunk_reader.h"

#include "gateway/journal/history/database.h"
#include "gateway/journal/history/names.h"

namespace tidegate::journal {
namespace {

constexpr std::size_t kMostOpen = 64;
constexpr std::size_t kMostListed = 4096;

}  // namespace

Result<sql::Connection*> ChunkReader::open(std::size_t file) {
  if (const auto found = open_.find(file); found != open_.end()) return &found->second;
  auto connection = history::open_as_guest(files_[file].path);
  if (!connection && connection.error().code == Errc::not_found) return nullptr;  // retention took it
  if (!connection) return fail(std::move(connection.error()));
  if (opened_.size() == kMostOpen) {
    open_.erase(opened_.front());
    opened_.pop_front();
  }
  opened_.push_back(file);
  ++reading_.files;
  return &open_.emplace(file, std::move(*connection)).first->second;
}

Result<std::span<const history::Chunk>> ChunkReader::list(std::size_t file, const std::string& series,
                                                          const history::Visible& visible) {
  if (const auto found = listed_.find({file, series}); found != listed_.end()) return std::span(found->second);
  auto chunks = list_stored(file, series, visible);
  if (!chunks) {
    if (Status status = pass_over_if_damaged(file, std::move(chunks.error())); !status) return fail(status.error());
    return std::span<const history::Chunk>{};
  }
  if (listed_.size() == kMostListed) listed_.clear();
  return std::span(listed_.emplace(std::pair(file, series), std::move(*chunks)).first->second);
}

Result<std::vector<history::Chunk>> ChunkReader::list_stored(std::size_t file, const std::string& series,
                                                             const history::Visible& visible) {
  const auto connection = open(file);
  if (!connection) return fail(connection.error());
  if (*connection == nullptr) return std::vector<history::Chunk>{};
  const auto number = history::find_series(**connection, series);
  if (!number) return fail(number.error());
  if (!*number) return std::vector<history::Chunk>{};
  return history::list_chunks(**connection, **number, visible);
}

Result<std::span<const Sample>> ChunkReader::read(std::size_t file, const history::Chunk& chunk) {
  const Key key{file, chunk.key};
  if (const auto found = decoded_by_key_.find(key); found != decoded_by_key_.end()) {
    decoded_.splice(decoded_.begin(), decoded_, found->second);
    return std::span<const Sample>(decoded_.front().samples);
  }
  auto samples = decode(file, chunk);
  if (!samples) {
    if (Status status = pass_over_if_damaged(file, std::move(samples.error())); !status) return fail(status.error());
    return std::span<const Sample>{};
  }
  decoded_samples_ += samples->size();
  decoded_.push_front({key, std::move(*samples)});
  decoded_by_key_.emplace(key, decoded_.begin());
  while (decoded_samples_ > kMostSamples && decoded_.size() > 1) {
    decoded_samples_ -= decoded_.back().samples.size();
    decoded_by_key_.erase(decoded_.back().key);
    decoded_.pop_back();
  }
  return std::span<const Sample>(decoded_.front().samples);
}

Result<std::vector<Sample>> ChunkReader::decode(std::size_t file, const history::Chunk& chunk) {
  const auto connection = open(file);
  if (!connection) return fail(connection.error());
  std::vector<Sample> samples;
  if (*connection == nullptr) return samples;
  ++reading_.chunks;
  Status status = history::read_chunk(**connection, chunk, samples);
  if (status) return samples;
  if (status.error().code != Errc::corrupt) return fail(std::move(status.error()));
  ++reading_.damaged;
  return std::vector<Sample>{};
}

/// The rest of a damaged file is still worth reading.
Status ChunkReader::pass_over_if_damaged(std::size_t file, Error error) {
  if (error.code != Errc::corrupt) return fail(std::move(error));
  reading_.damaged_files.insert(files_[file].path.string());
  return {};
}

}  // namespace tidegate::journal
