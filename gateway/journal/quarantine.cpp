#include "gateway/journal/quarantine.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "gateway/core/time_text.h"

namespace tidegate::journal {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kQuarantinesKept = 2;
constexpr std::string_view kAside = ".corrupt-";

fs::path with(const fs::path& file, const char* suffix) { return file.string() + suffix; }

Status rename_if_there(const fs::path& from, const fs::path& to) {
  std::error_code error;
  if (!fs::exists(from, error)) return {};
  fs::rename(from, to, error);
  if (error) return fail(Errc::io, "{} cannot be renamed to {}: {}", from.string(), to.string(), error.message());
  return {};
}

}  // namespace

std::string time_for_name(Timestamp now) {
  std::string text = rfc3339_seconds(now);
  std::erase_if(text, [](char c) { return c == ':' || c == '-'; });
  return text;
}

void sync_directory(const fs::path& directory) {
  const int opened = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0) return;
  ::fsync(opened);
  ::close(opened);
}

fs::path aside_name(const fs::path& file, Timestamp now) {
  const std::string base = fmt::format("{}{}{}", file.string(), kAside, time_for_name(now));
  fs::path name = base;
  for (int i = 2; fs::exists(name); ++i) name = fmt::format("{}.{}", base, i);
  return name;
}

void forget_old_quarantines(const fs::path& directory, std::string_view beginning) {
  std::vector<std::pair<fs::file_time_type, fs::path>> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory, ignored)) {
    const std::string name = entry.path().filename().string();
    const bool part = name.ends_with("-wal") || name.ends_with("-shm");
    const bool aside = name.starts_with(beginning) && name.find(kAside) != std::string::npos;
    if (aside && !part) found.emplace_back(entry.last_write_time(ignored), entry.path());
  }
  std::sort(found.begin(), found.end());
  for (std::size_t i = 0; i + kQuarantinesKept < found.size(); ++i) {
    for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(with(found[i].second, suffix), ignored);
  }
}

fs::path successor_of(const fs::path& file) { return with(file, ".new"); }

void forget_successor(const fs::path& file) {
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(with(successor_of(file), suffix), ignored);
}

Status finish_swap(const fs::path& file) {
  std::error_code ignored;
  if (fs::exists(file, ignored) || !fs::exists(successor_of(file), ignored)) {
    forget_successor(file);
    return {};
  }
  // The damaged file has its new name already; a WAL that is left is of that one.
  fs::remove(with(file, "-wal"), ignored);
  fs::remove(with(file, "-shm"), ignored);
  return rename_if_there(successor_of(file), file);
}

Status swap_in_successor(const fs::path& file, const fs::path& aside) {
  std::error_code ignored;
  fs::last_write_time(file, fs::file_time_type::clock::now(), ignored);  // it is the newest of those set aside
  const std::pair<fs::path, fs::path> renames[] = {
      {file, aside}, {with(file, "-wal"), with(aside, "-wal")}, {successor_of(file), file}};
  std::size_t done = 0;
  Status status;
  for (; status && done < std::size(renames); ++done) {
    status = rename_if_there(renames[done].first, renames[done].second);
  }
  if (!status) {  // the damaged file goes on until the next try: without one a new one would begin
    for (--done; done-- > 0;) static_cast<void>(rename_if_there(renames[done].second, renames[done].first));
    return status;
  }
  fs::remove(with(file, "-shm"), ignored);
  sync_directory(file.parent_path());
  forget_old_quarantines(file.parent_path(), file.filename().string());
  return {};
}

}  // namespace tidegate::journal
