#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/http/options.h"
#include "gateway/core/sink.h"

namespace tidegate::drivers::http {

/// Turns answers of one URL into samples. One thread at a time.
class Content {
 public:
  virtual ~Content() = default;
  /// Asks for the series that are known already.
  virtual Status open(Sink& sink) = 0;
  /// Adds a sample for each value. What is wrong with some of them, in words. Errc::invalid: nothing of it can be read.
  virtual Result<std::string> take(Sink& sink, std::string_view body, Timestamp now, std::vector<Sample>& samples) = 0;
  /// Adds a bad sample for each series that is known.
  virtual void lose(Reason why, Timestamp time, std::vector<Sample>& samples) = 0;
};

using NameOfField = std::function<std::string(std::string_view field)>;

/// `rule` has been checked; `max_bytes` of an answer.
std::unique_ptr<Content> make_content(const ContentRule& rule, NameOfField name, Micros every, std::size_t max_bytes);

}  // namespace tidegate::drivers::http
