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

#include "drivers/mqtt/known_points.h"
#include "drivers/mqtt/options.h"
#include "drivers/mqtt/outlet.h"
#include "drivers/mqtt/reader.h"
#include "drivers/payload.h"
#include "gateway/core/sink.h"

namespace tidegate::drivers::mqtt {

/// Reads topics by the rules of subscriptions: the configuration's own and those of profiles. What a topic's values are
/// called, and their ids, is worked out on first sight and kept in a bounded table: after that a message costs one hash
/// of its topic, the parse, and a comparison a value. One thread at a time.
class Receiver final : public Reader {
 public:
  /// All that it is given outlives it. `outlet` is told what its points show.
  Receiver(const Options& options, std::string source, Sink& sink, TopicOutlet* outlet = nullptr);
  ~Receiver() override;

  /// One for each filter, with the highest QoS asked for: the broker knows no more than that, and a second one would
  /// only bring the retained messages again.
  std::vector<tidegate::mqtt::Subscription> subscriptions() const override;
  bool reads(std::string_view topic) const override;
  /// A topic is read by the first subscription that fits, so a copy that others brought is left out.
  std::optional<Ticket> take(const Received& message, Timestamp now) override;
  /// What a bridge says of all its devices, from now on: units, words and descriptions of their points. Points of those
  /// that it had and has no more are bad.
  std::optional<Ticket> know(const std::string& style, KnownDevices devices, Timestamp now);
  void find(Findings& findings) const override;
  /// Of the configuration's own subscriptions those that no sample came of yet: "nothing yet on 'plant/+/temp'"; "".
  std::string silent() const;
  /// Messages so far that only subscriptions of before brought, which the broker's session still has: of topics that no
  /// rule has now, or under a filter that none has. The first of each of a few topics is rejected too, in words.
  std::uint64_t unread() const { return unread_; }

 private:
  struct Field;
  struct Topic;
  struct Device;
  struct Style;
  struct Stamp {
    Timestamp time;
    Quality quality = Quality::good;
    Reason reason = Reason::none;
  };

  struct Silent {
    const SubscriptionRule* rule;
    bool heard = false;  ///< of it there were messages, and none could be used
  };

  const SubscriptionRule* rule_of(std::string_view topic) const;
  Topic& topic_of(std::string_view name);
  Style& style_of(const std::string& name);
  Device* device_of(Style& style, const SubscriptionRule& rule, std::string_view topic);
  Field& field_of(Topic& topic, const Leaf& leaf);
  void describe(const Topic& topic, std::span<const Leaf> leaves, const Leaf& leaf, Field& field) const;
  static void complete(const KnownPoint& known, const Leaf& leaf, Field& field);
  static Reading meant(const Field& field, const Leaf& leaf);
  bool resolve(const Topic& topic, const Leaf& leaf, Field& field, const Received& message, Timestamp now);
  bool named(Topic& topic, std::span<const Leaf> leaves, const Received& message);
  void take_leaves(Topic& topic, std::span<const Leaf> leaves, const Received& message, Timestamp now);
  std::optional<Ticket> take_availability(Topic& topic, std::span<const Leaf> leaves, const Received& message,
                                          Timestamp now);
  void hear(const SubscriptionRule& rule, bool used);
  void look_for_named(Topic& topic, std::span<const Leaf> leaves, const Received& message);
  void refuse(const Topic& topic, const Received& message, std::string_view reason);
  bool of_before(const Received& message) const;
  void leave_unread(Topic& topic, const Received& message, std::string_view reason);
  void lose(Topic& topic, Timestamp now);
  void forget();
  static Stamp stamp_of(Timestamp time, bool retained, Timestamp now);
  static Stamp stamp_of(const Topic& topic, std::span<const Leaf> leaves, bool retained, Timestamp now);

  const Options& options_;
  const std::string source_;
  Sink& sink_;
  TopicOutlet* const outlet_;
  Decoder decoder_;
  std::vector<Sample> samples_;

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::unordered_map<std::string, std::unique_ptr<Topic>, Hash, std::equal_to<>> topics_;
  std::unordered_map<std::string, const Topic*> given_;  ///< whose name out of the payload it is
  std::deque<Style> styles_;
  std::vector<std::uint32_t> own_;  ///< ids of its subscriptions
  std::vector<Silent> silent_;
  std::uint64_t unread_ = 0;
  int unread_topics_ = 0;        ///< that were told of
  std::size_t table_bytes_ = 0;  ///< about what topics_ takes
};

}  // namespace tidegate::drivers::mqtt
