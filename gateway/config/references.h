#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/config/load.h"

namespace tidegate::config {

/// What `!env NAME`, `!file PATH` and `!secret KEY` stand for, while one file is read. secrets.yaml is read at the
/// first `!secret`. No message repeats a value.
class ReferenceResolver {
 public:
  ReferenceResolver(std::filesystem::path directory, const References& references, Problems& problems)
      : directory_(std::move(directory)), references_(references), problems_(problems) {}

  static bool knows(std::string_view tag);
  static std::string unknown_tag(const std::string& tag);
  /// Nothing after adding a problem at `at`.
  std::optional<std::string> resolve(std::string_view tag, const std::string& name, const Mark& at);
  /// Reads secrets.yaml if that was not done yet, and tells what is wrong with it; `at` is who asks.
  void look_at_secrets(const Mark& at);

 private:
  std::optional<std::string> environment(const std::string& name, const Mark& at);
  std::optional<std::string> file(const std::string& path, const Mark& at);
  std::optional<std::string> secret(const std::string& key, const Mark& at);

  const std::filesystem::path directory_;
  const References& references_;
  Problems& problems_;
  std::optional<Node> secrets_;  ///< a map, or refused
};

}  // namespace tidegate::config
