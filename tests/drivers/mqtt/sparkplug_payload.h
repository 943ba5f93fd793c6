#pragma once

#include <string>

#include "drivers/mqtt/sparkplug/payload.pb.h"

namespace tidegate::test {

namespace wire = tidegate::sparkplug::wire;

/// A Sparkplug payload, as an edge node makes it.
class SparkplugPayload {
 public:
  explicit SparkplugPayload(std::uint64_t millis) { payload_.set_timestamp(millis); }
  SparkplugPayload& seq(std::uint64_t number) {
    payload_.set_seq(number);
    return *this;
  }
  /// The next metric; the calls below are of the last.
  SparkplugPayload& metric(const std::string& name, std::uint32_t datatype = 0) {
    metric_ = payload_.add_metrics();
    if (!name.empty()) metric_->set_name(name);
    if (datatype != 0) metric_->set_datatype(datatype);
    return *this;
  }
  SparkplugPayload& by_alias(std::uint64_t alias) { return metric("").alias(alias); }
  SparkplugPayload& alias(std::uint64_t alias) {
    metric_->set_alias(alias);
    return *this;
  }
  SparkplugPayload& at(std::uint64_t millis) {
    metric_->set_timestamp(millis);
    return *this;
  }
  SparkplugPayload& whole(std::uint32_t value) {
    metric_->set_int_value(value);
    return *this;
  }
  SparkplugPayload& longer(std::uint64_t value) {
    metric_->set_long_value(value);
    return *this;
  }
  SparkplugPayload& number(double value) {
    metric_->set_double_value(value);
    return *this;
  }
  SparkplugPayload& truth(bool value) {
    metric_->set_boolean_value(value);
    return *this;
  }
  SparkplugPayload& text(const std::string& value) {
    metric_->set_string_value(value);
    return *this;
  }
  SparkplugPayload& property(const std::string& key, const std::string& value) {
    metric_->mutable_properties()->add_keys(key);
    metric_->mutable_properties()->add_values()->set_string_value(value);
    return *this;
  }
  SparkplugPayload& quality(std::uint32_t value) {
    metric_->mutable_properties()->add_keys("Quality");
    metric_->mutable_properties()->add_values()->set_int_value(value);
    return *this;
  }
  SparkplugPayload& null() {
    metric_->set_is_null(true);
    return *this;
  }
  SparkplugPayload& historical() {
    metric_->set_is_historical(true);
    return *this;
  }
  wire::Metric& raw() { return *metric_; }
  std::string bytes() const { return payload_.SerializeAsString(); }

 private:
  wire::Payload payload_;
  wire::Metric* metric_ = nullptr;
};

}  // namespace tidegate::test
