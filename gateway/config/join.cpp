#include "gateway/config/join.h"

#include <fmt/format.h>

#include <iterator>
#include <unordered_map>

#include "gateway/core/text.h"

namespace tidegate::config {
namespace {

void append(Node& into, Node&& from) {
  into.items.insert(into.items.end(), std::make_move_iterator(from.items.begin()),
                    std::make_move_iterator(from.items.end()));
}

void join_maps(Node& into, Node&& from, const std::string& path, Problems& problems) {
  std::unordered_map<std::string, std::size_t> known;
  for (std::size_t i = 0; i < into.entries.size(); ++i) known.emplace(into.entries[i].key, i);
  for (Node::Entry& entry : from.entries) {
    const auto found = known.find(entry.key);
    if (found == known.end()) {
      into.entries.push_back(std::move(entry));
      continue;
    }
    const std::string inner = path.empty() ? entry.key : path + "." + entry.key;
    join(into.entries[found->second].value, std::move(entry.value), inner, problems);
  }
}

}  // namespace

void join(Node& into, Node from, const std::string& path, Problems& problems) {
  if (from.refused) into.refused = true;
  if (from.is_null()) return;
  if (into.is_null()) {
    const bool refused = into.refused;
    into = std::move(from);
    into.refused = refused || into.refused;
  } else if (into.kind != from.kind || into.kind == Node::Kind::scalar) {
    problems.add(from.at,
                 fmt::format("'{}' is already set at {}; keep one of the two", printable(path), text(into.at)));
  } else if (into.kind == Node::Kind::list) {
    append(into, std::move(from));
  } else {
    join_maps(into, std::move(from), path, problems);
  }
}

}  // namespace tidegate::config
