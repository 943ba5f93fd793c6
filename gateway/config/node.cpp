#include "gateway/config/node.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "gateway/config/schema.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"

namespace tidegate::config {
namespace {

/// As a JSON string.
std::string quote(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

enum class Which { all, written };

void write_canonical(const Node& node, Which which, std::string& out) {
  switch (node.kind) {
    case Node::Kind::null:
      out += '~';
      return;
    case Node::Kind::scalar:
      out += which == Which::written && node.secret ? "!" : quote(node.text);
      if (!node.quoted) out += 'p';
      return;
    case Node::Kind::list:
      out += '[';
      for (const Node& item : node.items) {
        write_canonical(item, which, out);
        out += ',';
      }
      out += ']';
      return;
    case Node::Kind::map: {
      std::vector<const Node::Entry*> sorted;
      for (const Node::Entry& entry : node.entries) {
        if (which == Which::all || !entry.value.is_default) sorted.push_back(&entry);
      }
      std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->key < b->key; });
      out += '{';
      for (const Node::Entry* entry : sorted) {
        out += quote(entry->key) + ':';
        write_canonical(entry->value, which, out);
        out += ',';
      }
      out += '}';
      return;
    }
  }
}

std::string_view file_of(const Mark& at) { return at.file ? std::string_view(*at.file) : std::string_view(); }

auto order(const Problem& p) { return std::tuple(file_of(p.at), p.at.line, p.at.column, std::string_view(p.what)); }

}  // namespace

std::string text(const Mark& at) {
  if (at.line == 0) return std::string(file_of(at));
  return fmt::format("{}:{}:{}", file_of(at), at.line, at.column);
}

std::string Problem::text() const { return config::text(at) + ": " + what; }

void Problems::add(const Mark& at, std::string what) {
  if (problems_.size() < kMax) {
    problems_.push_back({at, std::move(what)});
  } else {
    ++beyond_;
  }
}

std::vector<Problem> Problems::sorted() const {
  std::vector<Problem> all = problems_;
  std::sort(all.begin(), all.end(), [](const Problem& a, const Problem& b) { return order(a) < order(b); });
  const auto same = [](const Problem& a, const Problem& b) { return order(a) == order(b); };
  all.erase(std::unique(all.begin(), all.end(), same), all.end());
  return all;
}

std::string Problems::text() const {
  std::string out;
  for (const Problem& problem : sorted()) out += problem.text() + '\n';
  if (beyond_ > 0) out += fmt::format("and {} more problems\n", beyond_);
  return out;
}

Node::Node() = default;
Node::Node(Kind of, Mark where) : kind(of), at(std::move(where)) {}

Node Node::refusal(Mark where) {
  Node node(Kind::null, std::move(where));
  node.refused = true;
  return node;
}

const Node* Node::find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

Node* Node::find(std::string_view key) { return const_cast<Node*>(std::as_const(*this).find(key)); }

bool Node::has(std::string_view key) const {
  const Node* found = find(key);
  return found && (!found->is_null() || found->refused);
}

bool Node::sound() const {
  return !refused && std::all_of(items.begin(), items.end(), [](const Node& item) { return item.sound(); }) &&
         std::all_of(entries.begin(), entries.end(), [](const Entry& entry) { return entry.value.sound(); });
}

const Node& Node::operator[](std::string_view key) const {
  static const Node kNull;
  const Node* found = find(key);
  assert(found && "the shape has no such key");
  return found ? *found : kNull;
}

bool Node::boolean() const {
  assert(text == "true" || text == "false");
  return text == "true";
}

std::int64_t Node::integer() const {
  std::int64_t value = 0;
  [[maybe_unused]] const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  assert(error == std::errc() && end == text.data() + text.size());
  return value;
}

double Node::number() const {
  double value = 0;
  [[maybe_unused]] const bool is_number = parse_number(text, value);
  assert(is_number);
  return value;
}

Micros Node::duration() const {
  const auto value = parse_duration(text);
  assert(value);
  return value.value_or(Micros{0});
}

std::uint64_t Node::bytes() const {
  const auto value = parse_size(text);
  assert(value);
  return value.value_or(0);
}

std::vector<std::string> Node::strings() const {
  std::vector<std::string> all;
  for (const Node& item : items) all.push_back(item.text);
  return all;
}

std::string Node::canonical() const {
  std::string out;
  write_canonical(*this, Which::all, out);
  return out;
}

std::string Node::written() const {
  std::string out;
  write_canonical(*this, Which::written, out);
  return out;
}

}  // namespace tidegate::config
