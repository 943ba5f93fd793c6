#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/node.h"
#include "gateway/config/schema.h"
#include "gateway/core/result.h"

namespace tidegate::config {

/// Bounds on what a file may be; beyond them it is refused with a problem that names the bound.
inline constexpr std::size_t kMaxFileBytes = 1u << 20;  ///< the parser takes up to 250 bytes of memory a byte
inline constexpr std::size_t kMaxFiles = 256;           ///< in conf.d
inline constexpr std::size_t kMaxDepth = 32;
inline constexpr std::size_t kMaxNodes = 200'000;  ///< aliases count each time they stand for something: no alias bomb

/// How the outside world is read: files, and what `!env`, `!file` and `!secret` stand for. Replaced in tests and by the
/// fuzzer. Errors are Errc::not_found or Errc::io.
struct References {
  struct PrivateFile {
    std::string text;
    std::string exposure;  ///< a sentence where group or others may do anything with it
  };
  std::function<std::optional<std::string>(const std::string& name)> environment;
  /// A regular file of at most kMaxFileBytes.
  std::function<Result<std::string>(const std::filesystem::path&)> read_file;
  /// The same for secrets.yaml. One that is exposed is read nevertheless, so that what else is wrong is told as well.
  std::function<Result<PrivateFile>(const std::filesystem::path&)> read_private_file;
  static References system();
};

/// One YAML text to a tree. Duplicate keys, several documents, tabs, unknown tags, undefined references, more than the
/// bounds: each is a problem at its place. `directory` is where `!secret` looks for secrets.yaml and what relative
/// `!file` paths stand on.
Node parse(std::string_view yaml, const std::string& file_name, const std::filesystem::path& directory,
           const References& references, Problems& problems);

/// The texts of the files that were read, by name as their folder has them: "tidegate.yaml", "conf.d/rules.yaml".
using Texts = std::map<std::string, std::string>;

/// A file in another folder that belongs to it as well, where it is there. Whoever may write it need not be one who may
/// read what references lead to, nor change what is not in its sections: in it there are neither.
struct Annex {
  std::function<std::filesystem::path(const Node& root)> find;  ///< by what the other files say, unchecked yet
  std::string name;                                             ///< in Texts
  std::vector<std::string> sections;
  std::function<void(const std::string& why)> pass_over;  ///< where it cannot be read; empty: that is a problem
};

/// `file` and every conf.d/*.yaml beside it (by name), and the annex, joined: lists append, maps join, a scalar set
/// twice is a problem that names both places. Then checked against `shape`. `!secret` and relative paths stand on the
/// folder of `file`, in conf.d too, so that a section may move from one file to the other. `texts`, where it is not
/// null, gets what was read.
Node load(const std::filesystem::path& file, const Shape& shape, const References& references, Problems& problems,
          Texts* texts = nullptr, const Annex* annex = nullptr);

}  // namespace tidegate::config
