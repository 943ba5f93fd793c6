#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/types.h"

namespace tidegate::config {

/// A place in a file. Lines and columns count from 1.
struct Mark {
  std::shared_ptr<const std::string> file;  ///< as the user named it
  int line = 0;
  int column = 0;
};

/// `file:line:column`; the file alone where a problem has no line.
std::string text(const Mark& at);

/// One thing wrong with the configuration, shown as `file:line:column: what`.
struct Problem {
  Mark at;
  std::string what;
  std::string text() const;
};

/// All problems of a configuration, so that a user mends them in one go.
class Problems {
 public:
  static constexpr std::size_t kMax = 1000;  ///< kept; of those beyond, only the number

  void add(const Mark& at, std::string what);
  bool empty() const { return problems_.empty(); }
  /// In order of file and place, each once (an alias shows the same text at the same place again).
  std::vector<Problem> sorted() const;
  /// One line a problem, sorted, each ended by '\n'.
  std::string text() const;

 private:
  std::vector<Problem> problems_;
  std::size_t beyond_ = 0;
};

/// A YAML value with its place. After `check()` a map of a known shape holds every key of that shape (defaults filled
/// in), and what is not of its shape is refused. So the getters below cannot fail on what is not: asking for a key that
/// the shape lacks, or for another type, is a bug and asserts. Copied cheaply enough for start-up; not for the hot
/// path.
struct Node {
  enum class Kind : unsigned char { null, scalar, list, map };
  struct Entry;

  Node();
  explicit Node(Kind of, Mark where = {});
  /// Null, and told already.
  static Node refusal(Mark where = {});

  Kind kind = Kind::null;
  Mark at;
  std::string text;         ///< a scalar's text, references resolved
  bool quoted = false;      ///< written with quotes, or came from a reference: certainly a string
  bool secret = false;      ///< came from !secret, !env or !file: never printed
  bool is_default = false;  ///< filled in by check(), not written by the user
  /// A problem was already told here, so that nobody adds what follows from it: what it says is not to be read. A
  /// refused map holds what could be read; keys missing from it are not reported.
  bool refused = false;
  std::vector<Node> items;     ///< a list's
  std::vector<Entry> entries;  ///< a map's, in order of the file

  bool is_null() const { return kind == Kind::null; }
  const Node* find(std::string_view key) const;
  Node* find(std::string_view key);
  /// True where the key is there and not null; refused counts as there.
  bool has(std::string_view key) const;
  /// Nothing in it is refused: after check(), all of it may be read.
  bool sound() const;
  const Node& operator[](std::string_view key) const;
  /// A scalar's text as it may be told: "***" in place of a secret.
  std::string shown() const { return secret ? "***" : text; }

  // A checked scalar as its type.
  std::string string() const { return text; }
  bool boolean() const;
  std::int64_t integer() const;
  double number() const;
  Micros duration() const;
  std::uint64_t bytes() const;               ///< a size
  std::vector<std::string> strings() const;  ///< a list of scalars

  // The same by key.
  std::string string(std::string_view key) const { return (*this)[key].string(); }
  bool boolean(std::string_view key) const { return (*this)[key].boolean(); }
  std::int64_t integer(std::string_view key) const { return (*this)[key].integer(); }
  double number(std::string_view key) const { return (*this)[key].number(); }
  Micros duration(std::string_view key) const { return (*this)[key].duration(); }
  std::uint64_t bytes(std::string_view key) const { return (*this)[key].bytes(); }

  /// The tree as text without places, the same for the same meaning: two sections are equal when this is. Secrets are
  /// in it: compare it, never show it.
  std::string canonical() const;
  /// The same of what was written alone, secrets left out: what check() filled in may be more in a later version.
  std::string written() const;
};

struct Node::Entry {
  std::string key;
  Mark at;
  Node value;
};

}  // namespace tidegate::config
