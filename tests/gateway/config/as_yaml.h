#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "gateway/config/node.h"

namespace tidegate::config {
namespace detail {

/// As a JSON string, which YAML reads the same.
inline std::string quote(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

inline bool is_plain_key(std::string_view key) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.' || c == '/';
  };
  return !key.empty() && key[0] != '-' && std::all_of(key.begin(), key.end(), plain) && key != "null" &&
         key != "Null" && key != "NULL";
}

inline std::string scalar_yaml(const Node& node) {
  if (node.secret) return quote(node.shown());
  return node.quoted || node.text.find('\n') != std::string::npos ? quote(node.text) : node.text;
}

inline void write_yaml(const Node& node, std::size_t indent, std::string& out);

/// The first key follows what stands on the line already ("- name: x").
inline void write_entries(const Node& map, std::size_t indent, std::string& out) {
  std::size_t before = 0;
  for (const auto& [key, at, value] : map.entries) {
    if (value.is_null() && value.is_default) continue;
    out.append(before, ' ') += (is_plain_key(key) ? key : quote(key)) + ":";
    write_yaml(value, indent + 2, out);
    before = indent;
  }
}

inline void write_items(const Node& list, std::size_t indent, std::string& out) {
  for (const Node& item : list.items) {
    out.append(indent, ' ') += '-';
    if (item.kind == Node::Kind::map && !item.entries.empty()) {
      out += ' ';
      write_entries(item, indent + 2, out);
    } else {
      write_yaml(item, indent + 2, out);
    }
  }
}

/// What stands behind "key:" or "-", to the end of the line and beyond.
inline void write_yaml(const Node& node, std::size_t indent, std::string& out) {
  switch (node.kind) {
    case Node::Kind::null:
      out += '\n';
      return;
    case Node::Kind::scalar:
      out += ' ' + scalar_yaml(node) + '\n';
      return;
    case Node::Kind::list:
      out += node.items.empty() ? " []\n" : "\n";
      write_items(node, indent, out);
      return;
    case Node::Kind::map:
      out += node.entries.empty() ? " {}\n" : "\n";
      out.append(node.entries.empty() ? 0 : indent, ' ');
      write_entries(node, indent, out);
      return;
  }
}

}  // namespace detail

/// What was understood, as YAML, defaults included, secrets as "***".
inline std::string as_yaml(const Node& node) {
  std::string out;
  if (node.kind == Node::Kind::map && !node.entries.empty()) {
    detail::write_entries(node, 0, out);
  } else {
    detail::write_yaml(node, 0, out);
  }
  return out;
}

}  // namespace tidegate::config
