#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "drivers/mqtt/options.h"
#include "drivers/mqtt/payload.h"
#include "gateway/core/sink.h"

namespace tidegate::drivers::mqtt {

/// From topic and payload to samples in the sink. What a topic's values are called, and their ids, is worked out on
/// first sight and kept in a bounded table: after that a message costs one hash of its topic, the parse, and a
/// comparison a value. One thread at a time.
class Receiver {
 public:
  struct Received {
    std::string_view topic;
    std::string_view payload;
    bool retained = false;
    std::span<const std::uint32_t> subscriptions = {};  ///< the ids of those that brought it; empty: not known
  };

  /// `options` and `sink` outlive it.
  Receiver(const Options& options, std::string source, Sink& sink);
  ~Receiver();

  /// Pushes what the message holds; what cannot be used goes to Sink::reject. The ticket of the last sample, if any.
  /// A topic is read by the first subscription that fits, so a copy that others brought is left out.
  std::optional<Ticket> take(const Received& message, Timestamp now);

 private:
  struct Field;
  struct Topic;

  Topic& topic_of(std::string_view name);
  Field& field_of(Topic& topic, const Leaf& leaf);
  void describe(const Topic& topic, const Leaf& leaf, Field& field) const;
  bool resolve(const Topic& topic, const Leaf& leaf, Field& field, const Received& message, Timestamp now);
  std::string series_name(const Topic& topic, const std::string& field) const;
  bool convert(Field& field, const Leaf& leaf, const Received& message, Sample& sample);
  bool convert_to_state(Field& field, const Leaf& leaf, const Received& message, Sample& sample);
  void stamp(const Topic& topic, std::span<const Leaf> leaves, bool retained, Timestamp now);

  const Options& options_;
  const std::string source_;
  Sink& sink_;
  Decoder decoder_;
  std::vector<Sample> samples_;

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::unordered_map<std::string, std::unique_ptr<Topic>, Hash, std::equal_to<>> topics_;
  std::size_t table_bytes_ = 0;  ///< about what topics_ takes
};

}  // namespace tidegate::drivers::mqtt
