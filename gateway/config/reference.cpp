#include <fmt/format.h>

#include "gateway/config/rule.h"
#include "gateway/core/text.h"

namespace tidegate::config {
namespace {

using Type = Shape::Type;
using Presence = Shape::Field::Presence;

/// A table's cell: one line, no bar.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string value_text(const Shape& shape) {
  const Shape::Rule& rule = shape.rule();
  switch (rule.type) {
    case Type::list:
      return "list: " + value_text(rule.of.front());
    case Type::map:
      return "map: " + value_text(rule.of.front());
    case Type::object:
    case Type::variant:
      return "section";
    case Type::either: {
      std::vector<std::string> all;
      for (const Shape& one : rule.of) all.push_back(value_text(one));
      return fmt::format("{}", fmt::join(all, ", or "));
    }
    default:
      return rule.secret ? "secret text" : expectation(rule);
  }
}

std::string default_text(const Shape::Field& field) {
  if (field.presence == Presence::required) return "required";
  return field.presence == Presence::defaulted ? "`" + field.default_text + "`" : "";
}

class Reference {
 public:
  std::string take() { return std::move(out_); }

  /// The sections within `shape`, wherever it stands: "sources[]" is an item of the list `sources`.
  void descend(const Shape& shape, const std::string& path) {
    const Shape::Rule& rule = shape.rule();
    switch (rule.type) {
      case Type::list:
        return descend(rule.of.front(), path + "[]");
      case Type::map:
        return descend(rule.of.front(), path + ".<key>");
      case Type::object:
        return object(rule, path);
      case Type::variant:
        return variant(rule, path);
      case Type::either:
        for (const Shape& one : rule.of) descend(one, path);
        return;
      default:
        return;
    }
  }

 private:
  void object(const Shape::Rule& rule, const std::string& path) {
    if (!path.empty()) heading(path, "");
    section(rule.doc, rule.fields);
    inner(rule.fields, path);
  }

  void variant(const Shape::Rule& rule, const std::string& path) {
    heading(path, "");
    section(rule.doc, rule.fields);
    inner(rule.fields, path);
    for (const auto& [name, shape] : rule.alternatives) {
      heading(path, fmt::format(" with `{}: {}`", rule.tag, name));
      section(shape.rule().doc, shape.rule().fields);
      inner(shape.rule().fields, path);
    }
  }

  void heading(const std::string& path, const std::string& which) { out_ += fmt::format("## `{}`{}\n\n", path, which); }

  void section(const std::string& doc, const std::vector<Shape::Field>& fields) {
    if (!doc.empty()) out_ += doc + "\n\n";
    if (fields.empty()) return;
    out_ += "| Key | Value | Default | Meaning |\n|---|---|---|---|\n";
    for (const Shape::Field& field : fields) {
      out_ += fmt::format("| `{}` | {} | {} | {} |\n", field.key, cell(value_text(field.shape)),
                          cell(default_text(field)), cell(field.doc));
    }
    out_ += '\n';
  }

  void inner(const std::vector<Shape::Field>& fields, const std::string& path) {
    for (const Shape::Field& field : fields) descend(field.shape, path.empty() ? field.key : path + "." + field.key);
  }

  std::string out_;
};

}  // namespace

std::string markdown(const Shape& shape) {
  Reference reference;
  reference.descend(shape, "");
  return reference.take();
}

}  // namespace tidegate::config
