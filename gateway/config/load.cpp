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

Node parse_sections(std::string_view text, const fs::path& file, const fs::path& directory,
                    const References& references, Problems& problems) {
  Node root = parse(text, file.string(), directory, references, problems);
  if (root.kind == Node::Kind::scalar || root.kind == Node::Kind::list) {
    problems.add(root.at, "a configuration file is a map of sections, such as `sources:` and `rules:`");
    root = Node::refusal(root.at);
  }
  return root;
}

Node read(const fs::path& file, const fs::path& directory, const References& references, Problems& problems,
          Texts* texts) {
  const Result<std::string> text = references.read_file(file);
  if (!text) {
    report(file, text.error().text, problems);
    return Node::refusal();
  }
  if (texts != nullptr) texts->emplace(file.lexically_relative(directory).string(), *text);
  return parse_sections(*text, file, directory, references, problems);
}

Node read(const Annex& annex, const fs::path& file, const References& references, Problems& problems, Texts* texts) {
  const Result<std::string> text = references.read_file(file);
  if (!text) {
    if (text.error().code == Errc::not_found) return {};
    if (annex.pass_over) {
      annex.pass_over(text.error().text);
      return {};
    }
    report(file, text.error().text, problems);
    return Node::refusal();
  }
  if (texts != nullptr) texts->emplace(annex.name, *text);
  Node root = parse_sections(*text, file, {}, {}, problems);
  std::erase_if(root.entries, [&](const Node::Entry& entry) {
    const auto& own = annex.sections;
    if (std::find(own.begin(), own.end(), entry.key) != own.end()) return false;
    problems.add(entry.at, fmt::format("'{}' does not belong here: this file holds {} and nothing else",
                                       printable(entry.key), fmt::join(own, ", ")));
    return true;
  });
  return root;
}

}  // namespace

Node load(const fs::path& file, const Shape& shape, const References& references, Problems& problems, Texts* texts,
          const Annex* annex) {
  const fs::path directory = file.parent_path();
  Node root = read(file, directory, references, problems, texts);
  root.kind = Node::Kind::map;  // an empty file is an empty map
  for (const fs::path& more : yaml_files(directory / "conf.d", problems)) {
    join(root, read(more, directory, references, problems, texts), "", problems);
  }
  if (annex != nullptr) join(root, read(*annex, annex->find(root), references, problems, texts), "", problems);
  check(root, shape, problems, directory);
  return root;
}

}  // namespace tidegate::config
