#include "gateway/tools/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "gateway/core/csv.h"
#include "gateway/core/text.h"

namespace tidegate::tools {
namespace {

/// Numbers as they read back; nothing for NULL.
std::string plain(const Value& cell) {
  if (const auto* integer = std::get_if<std::int64_t>(&cell)) return std::to_string(*integer);
  if (const auto* number = std::get_if<double>(&cell)) return number_text(*number);
  if (const auto* text = std::get_if<std::string_view>(&cell)) return std::string(*text);
  return {};
}

class Csv final : public Rows {
 public:
  using Rows::Rows;

  Status columns(std::span<const std::string_view> names) override {
    return row(std::vector<Value>(names.begin(), names.end()));
  }
  Status row(std::span<const Value> cells) override {
    line_.clear();
    for (const Value& cell : cells) {
      if (&cell != cells.data()) line_ += ',';
      if (const auto* text = std::get_if<std::string_view>(&cell)) {
        append_csv_text(line_, *text);
      } else {
        line_ += plain(cell);
      }
    }
    line_ += "\r\n";
    return output_.write(line_);
  }
  Status end() override { return {}; }

 private:
  std::string line_;
};

void put_json_text(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

class Json final : public Rows {
 public:
  Json(Output& output, bool lines) : Rows(output), lines_(lines) {}

  Status columns(std::span<const std::string_view> names) override {
    for (const std::string_view name : names) {
      std::string key;
      put_json_text(key, name);
      keys_.push_back(key + ':');
    }
    return lines_ ? Status{} : output_.write("[");
  }
  Status row(std::span<const Value> cells) override {
    line_ = lines_ ? "" : first_ ? "\n" : ",\n";
    first_ = false;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      line_ += i == 0 ? '{' : ',';
      line_ += keys_[i];
      put(cells[i]);
    }
    line_ += lines_ ? "}\n" : "}";
    return output_.write(line_);
  }
  Status end() override { return lines_ ? Status{} : output_.write(first_ ? "]\n" : "\n]\n"); }

 private:
  void put(const Value& cell) {
    const auto* number = std::get_if<double>(&cell);
    if (const auto* text = std::get_if<std::string_view>(&cell)) {
      put_json_text(line_, *text);
    } else if (std::holds_alternative<std::monostate>(cell) || (number != nullptr && !std::isfinite(*number))) {
      line_ += "null";
    } else {
      line_ += plain(cell);
    }
  }

  const bool lines_;
  bool first_ = true;
  std::vector<std::string> keys_;
  std::string line_;
};

class Table final : public Rows {
 public:
  using Rows::Rows;

  Status columns(std::span<const std::string_view> names) override {
    widths_.resize(names.size());
    right_.resize(names.size());
    return row(std::vector<Value>(names.begin(), names.end()));
  }
  Status row(std::span<const Value> cells) override {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      // A terminal obeys control characters, and a label may come from anywhere.
      texts.push_back(printable(plain(cells[i]), std::numeric_limits<std::size_t>::max()));
      right_[i] =
          right_[i] || std::holds_alternative<double>(cells[i]) || std::holds_alternative<std::int64_t>(cells[i]);
    }
    if (measured_) return put(texts);
    for (std::size_t i = 0; i < texts.size(); ++i) widths_[i] = std::max(widths_[i], width(texts[i]));
    first_.push_back(std::move(texts));
    return first_.size() > kMeasured ? put_first() : Status{};
  }
  Status end() override { return measured_ ? Status{} : put_first(); }

 private:
  static constexpr std::size_t kMeasured = 1000;

  static std::size_t width(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  }

  Status put_first() {
    measured_ = true;
    for (const auto& texts : first_) {
      if (Status status = put(texts); !status) return status;
    }
    first_.clear();
    return {};
  }

  Status put(const std::vector<std::string>& texts) {
    std::string line;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const std::string room(widths_[i] - std::min(widths_[i], width(texts[i])), ' ');
      if (i > 0) line += "  ";
      line += right_[i] ? room + texts[i] : texts[i] + room;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return output_.write(line + '\n');
  }

  std::vector<std::size_t> widths_;
  std::vector<bool> right_;  ///< columns of numbers
  std::vector<std::vector<std::string>> first_;
  bool measured_ = false;
};

}  // namespace

std::unique_ptr<Rows> Rows::make(Format format, Output& output) {
  if (format == Format::csv) return std::make_unique<Csv>(output);
  if (format == Format::table) return std::make_unique<Table>(output);
  return std::make_unique<Json>(output, format == Format::jsonl);
}

}  // namespace tidegate::tools
