#include "gateway/config/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <vector>

#include "gateway/config/join.h"
#include "gateway/core/text.h"

namespace tidegate::config {
namespace {

namespace fs = std::filesystem;

void report(const fs::path& file, std::string what, Problems& problems) {
  problems.add({std::make_shared<const std::string>(file.string()), 0, 0}, std::move(what));
}

/// The *.yaml of a folder by name. No such folder: none.
std::vector<fs::path> yaml_files(const fs::path& folder, Problems& problems) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator i(folder, error), end; !error && i != end; i.increment(error)) {
    const fs::path& path = i->path();
    if (path.filename().string().front() == '.') continue;
    if (path.extension() == ".yaml") files.push_back(path);
    if (path.extension() == ".yml") report(path, "not read: only *.yaml is; rename it", problems);
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    report(folder, fmt::format("cannot list the folder: {}", error.message()), problems);
  }
  std::sort(files.begin(), files.end());
  if (files.size() > kMaxFiles) {
    report(folder, fmt::format("has {} files; at most {} are allowed", files.size(), kMaxFiles), problems);
    files.resize(kMaxFiles);
  }
  return files;
}

Node read(const fs::path& file, const fs::path& directory, const References& references, Problems& problems,
          Texts* texts) {
  const Result<std::string> text = references.read_file(file);
  if (!text) {
    report(file, text.error().text, problems);
    return Node::refusal();
  }
  if (texts != nullptr) texts->emplace(file.lexically_relative(directory).string(), *text);
  Node root = parse(*text, file.string(), directory, references, problems);
  if (root.kind == Node::Kind::scalar || root.kind == Node::Kind::list) {
    problems.add(root.at, "a configuration file is a map of sections, such as `sources:` and `rules:`");
    root = Node::refusal(root.at);
  }
  return root;
}

}  // namespace

Node load(const fs::path& file, const Shape& shape, const References& references, Problems& problems, Texts* texts) {
  const fs::path directory = file.parent_path();
  Node root = read(file, directory, references, problems, texts);
  root.kind = Node::Kind::map;  // an empty file is an empty map
  for (const fs::path& more : yaml_files(directory / "conf.d", problems)) {
    join(root, read(more, directory, references, problems, texts), "", problems);
  }
  check(root, shape, problems, directory);
  return root;
}

}  // namespace tidegate::config
