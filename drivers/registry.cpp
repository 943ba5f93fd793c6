#include "drivers/registry.h"

#include <algorithm>

#include "drivers/can/can.h"
#include "drivers/coap/coap.h"
#include "drivers/file/file.h"
#include "drivers/gpio/gpio.h"
#include "drivers/host/host.h"
#include "drivers/http/http.h"
#include "drivers/hwmon/hwmon.h"
#include "drivers/iio/iio.h"
#include "drivers/modbus/modbus.h"
#include "drivers/mqtt/mqtt.h"
#include "drivers/onewire/onewire.h"
#include "drivers/push/push.h"
#include "drivers/report.h"
#include "drivers/self/self.h"
#include "drivers/serial/serial.h"
#include "drivers/simulator/simulator.h"
#include "drivers/snmp/snmp.h"

namespace tidegate::drivers {

const std::vector<DriverType>& types() {
  static const std::vector<DriverType> all = {
      can::type(),        //
      coap::type(),       //
      file::type(),       //
      gpio::type(),       //
      host::type(),       //
      http::type(),       //
      hwmon::type(),      //
      iio::type(),        //
      modbus::type(),     //
      mqtt::type(),       //
      onewire::type(),    //
      push::type(),       //
      self::type(),       //
      serial::type(),     //
      simulator::type(),  //
      snmp::type(),       //
  };
  return all;
}

const DriverType* find_type(std::string_view name) {
  const auto found = std::find_if(types().begin(), types().end(), [&](const DriverType& t) { return t.name == name; });
  return found == types().end() ? nullptr : &*found;
}

namespace {

std::string check_name(std::string_view name) {
  if (valid_series_name(name) && name.find('/') == std::string_view::npos) return "";
  return "a source's name is one level of a series name: not empty, without / + # { } and control characters";
}

std::vector<config::Shape::Field> common_fields() {
  constexpr std::int64_t kMostSeries = 1'000'000;
  constexpr auto kLongestInterval = std::chrono::days(366);
  return {
      config::required("name", config::Shape::text_where("a name", check_name),
                       "What the source is called on the dashboard, in health reports and in the log."),
      config::defaulted("enabled", config::Shape::boolean(), "true",
                        "false leaves the source out without deleting it."),
      config::defaulted("max_series", config::Shape::integer(1, kMostSeries), "5000",
                        "The most series that this source may make; more are refused, counted and shown."),
      config::defaulted("labels", config::Shape::map(config::Shape::text()), "{}",
                        "Labels that every series of this source carries, such as {area: boiler-house}."),
      config::defaulted("report", report_shape(), "every",
                        "Which readings of this source become samples, where a point does not say it itself: every, "
                        "change (and one a minute), or {deadband, at_least}."),
      config::defaulted(
          "expected_interval",
          config::Shape::either({config::Shape::choice({"learned", "on_change"}),
                                 config::Shape::duration(std::chrono::milliseconds(1), kLongestInterval)}),
          "learned",
          "How often each series speaks that the source itself gives no interval for, at least: a "
          "duration such as 10s; learned, once it speaks regularly; on_change, where silence says nothing to rules."),
  };
}

}  // namespace

config::Shape source_shape() {
  static const config::Shape shape = [] {
    std::vector<std::pair<std::string, config::Shape>> alternatives;
    for (const DriverType& type : types()) alternatives.emplace_back(type.name, type.options);
    return config::Shape::variant("A source of samples.", "type", common_fields(), std::move(alternatives));
  }();
  return shape;
}

}  // namespace tidegate::drivers
