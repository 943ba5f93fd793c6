// The messages word for word, as docs/uplink-format.md has them.

#include "gateway/uplink/mqtt/payload.h"

#include <zlib.h>
#include <zstd.h>

#include <nlohmann/json.hpp>

#include "gateway/uplink/mqtt/compress.h"
#include "tests/gateway/journal/support.h"

namespace tidegate::uplink::mqtt {
namespace {

using journal::at;

Parcel whole(const Batch& batch, std::size_t items) { return {std::make_shared<const Batch>(batch), 0, items, false}; }

class UplinkMessage : public ::testing::Test {
 protected:
  SeriesId series(std::string_view name, std::string unit, SeriesKind kind = SeriesKind::number) {
    return *catalogue.intern(name, journal::info(std::move(unit), kind));
  }

  journal::Catalogue catalogue{journal::Catalogue::Limits{}};
  Context context{"cloud", "plant-7", "5f0c", catalogue};
};

TEST_F(UplinkMessage, HoldsTheSamplesOfABatchBySeries) {
  const SeriesId temperature = series("boiler1/temperature", "°C");
  const SeriesId burner = series("boiler1/burner", "", SeriesKind::state);
  const SeriesId level = series("tank1/level", "%");
  ASSERT_TRUE(catalogue.label(burner, "idle"));
  ASSERT_TRUE(catalogue.label(burner, "run"));
  Batch batch;
  batch.seq = Seq{1041};
  batch.committed = at(1'772'366'400'250'000);
  batch.samples = {{temperature, Quality::good, Reason::none, at(1), 72.4},
                   {burner, Quality::good, Reason::none, at(2), 1},
                   {level, Quality::bad, Reason::no_answer, at(3), 0},
                   {temperature, Quality::good, Reason::none, at(4), 72.5},
                   {level, Quality::uncertain, Reason::clock, at(5), 41}};
  EXPECT_EQ(samples_json(context, whole(batch, 5)),
            R"({"id":"plant-7/5f0c/1041","gateway":"plant-7","time":1772366400250000,"series":{)"
            R"("boiler1/temperature":{"unit":"°C","points":[[1,72.4],[4,72.5]]},)"
            R"("boiler1/burner":{"points":[[2,"run"]]},)"
            R"("tank1/level":{"unit":"%","points":[[3,null,"bad","no_answer"],[5,41,"uncertain","clock"]]}}})");
}

TEST_F(UplinkMessage, IsJsonWhateverTheValuesAndNames) {
  const SeriesId odd = series("a\"b\\c/é", "\"");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Batch batch;
  batch.samples = {{odd, Quality::good, Reason::none, at(1), nan}, {odd, Quality::good, Reason::none, at(-1), 1e308}};
  const auto json = nlohmann::json::parse(samples_json(context, whole(batch, 2)));
  EXPECT_EQ(json["series"]["a\"b\\c/é"]["points"][0][1], nullptr);
  EXPECT_EQ(json["series"]["a\"b\\c/é"]["points"][1][1], 1e308);
}

TEST_F(UplinkMessage, HoldsTheAlertTransitionsOfABatchAndNoOtherEvents) {
  Batch batch;
  batch.seq = Seq{7};
  batch.committed = at(9);
  batch.events = {{at(1), tidegate::Notice{"started", "x"}},
                  journal::transition(journal::alert("hot:boiler1", Phase::active), at(8))};
  const auto json = nlohmann::json::parse(alerts_json(context, whole(batch, 2)));
  EXPECT_EQ(json["id"], "plant-7/5f0c/7");
  EXPECT_EQ(json["time"], 9);
  ASSERT_EQ(json["alerts"].size(), 1u);
  const auto& told = json["alerts"][0];
  EXPECT_EQ(told["time"], 8);
  EXPECT_EQ(told["cause"], "raised");
  EXPECT_EQ(told["from"], "pending");
  EXPECT_EQ(told["alert"]["id"], "hot:boiler1");
  EXPECT_EQ(told["alert"]["phase"], "active");
  EXPECT_EQ(told["alert"]["severity"], "critical");
  EXPECT_EQ(told["alert"]["value"], 93.2);
  EXPECT_EQ(told["alert"]["unit"], "°C");
}

TEST_F(UplinkMessage, HoldsFloodsOfAlertsApart) {
  Batch batch;
  batch.events = {{at(9), Flood{true, at(3), "hot:boiler1", 10}}};
  const auto json = nlohmann::json::parse(alerts_json(context, whole(batch, 1)));
  EXPECT_EQ(json["alerts"], nlohmann::json::array());
  EXPECT_EQ(json["floods"], nlohmann::json::array(
                                {{{"time", 9}, {"on", true}, {"since", 3}, {"first", "hot:boiler1"}, {"count", 10}}}));
  batch.events = {journal::transition(journal::alert("hot:boiler1", Phase::active), at(8))};
  EXPECT_FALSE(nlohmann::json::parse(alerts_json(context, whole(batch, 1))).contains("floods"));
}

TEST_F(UplinkMessage, SaysOfAnAlertThatNobodyIsToBeCalled) {
  AlertRecord alert = journal::alert("hot:boiler1", Phase::active);
  const auto told = [&] {
    Batch batch;
    batch.events = {journal::transition(alert, at(8))};
    return nlohmann::json::parse(alerts_json(context, whole(batch, 1)))["alerts"][0]["alert"];
  };
  EXPECT_FALSE(told().contains("silenced"));
  alert.shelved_until = at(60);
  alert.shelved_by = "Ada";
  EXPECT_EQ(told()["silenced"], true);
  EXPECT_EQ(told()["shelved_until"], at(60).time_since_epoch().count());
  EXPECT_EQ(told()["shelved_by"], "Ada");
  alert.shelved_until = kOutOfService;
  EXPECT_EQ(told()["out_of_service"], true);
  EXPECT_FALSE(told().contains("shelved_until"));
}

TEST_F(UplinkMessage, HoldsASnapshotWithItsSamplesBySeries) {
  const SeriesId a = series("pump/pressure", "bar");
  Batch batch;
  batch.seq = Seq{7};
  batch.committed = at(9);
  batch.samples = {{a, Quality::good, Reason::none, at(1), 0.5}, {a, Quality::good, Reason::none, at(3), 0.75}};
  Snapshot snapshot{"low:pump", Seq{5}, 0, at(2), at(0), at(8)};
  snapshot.samples = 2;
  snapshot.left_out = 40;
  batch.events = {{at(9), snapshot}};
  EXPECT_EQ(snapshot_json(context, whole(batch, 2)),
            R"({"id":"plant-7/5f0c/7","gateway":"plant-7","time":9,"snapshot":{"alert":"low:pump","raised":2,"from":0,)"
            R"("until":8,"samples":2,"left_out":40},)"
            R"("series":{"pump/pressure":{"unit":"bar","points":[[1,0.5],[3,0.75]]}}})");
  EXPECT_EQ(nlohmann::json::parse(snapshot_json(context, {std::make_shared<const Batch>(batch), 1, 1, true}))["id"],
            "plant-7/5f0c/7/1");
}

TEST_F(UplinkMessage, OfAPartSaysWhichAndHoldsThatOnly) {
  const SeriesId a = series("a", "");
  Batch batch;
  batch.seq = Seq{7};
  for (int i = 0; i < 5; ++i) batch.samples.push_back({a, Quality::good, Reason::none, at(i), i * 1.0});
  EXPECT_EQ(samples_json(context, {std::make_shared<const Batch>(batch), 2, 2, true}),
            R"({"id":"plant-7/5f0c/7/2","gateway":"plant-7","time":0,"series":{"a":{"points":[[2,2],[3,3]]}}})");
}

TEST_F(UplinkMessage, TellsAGap) {
  Batch gap;
  gap.seq = Seq{900};
  gap.gap = Gap{Seq{401}, Seq{900}, "retention"};
  EXPECT_EQ(gap_json(context, Lane::samples, whole(gap, 0)),
            R"({"id":"plant-7/5f0c/900","gateway":"plant-7","gap":{"first":401,"last":900,"why":"retention"}})");
  gap.gap = Gap{Seq{900}, Seq{900}, "refused"};
  EXPECT_EQ(
      gap_json(context, Lane::alerts, {std::make_shared<const Batch>(gap), 3, 1, true}),
      R"({"id":"plant-7/5f0c/900/3","gateway":"plant-7","gap":{"first":900,"last":900,"why":"refused","alerts":1}})");
}

TEST(UplinkCompression, IsUndoneByTheFormatsOwnTools) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i * 7919 % 1009) + ",";
  EXPECT_EQ(compress(text, Compression::none), text);

  const std::string gzipped = compress(text, Compression::gzip);
  EXPECT_LT(gzipped.size(), text.size());
  std::string back(text.size() + 1, '\0');
  z_stream stream{};
  ASSERT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(gzipped.data()));
  stream.avail_in = static_cast<uInt>(gzipped.size());
  stream.next_out = reinterpret_cast<Bytef*>(back.data());
  stream.avail_out = static_cast<uInt>(back.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  back.resize(stream.total_out);
  inflateEnd(&stream);
  EXPECT_EQ(back, text);

  const std::string packed = compress(text, Compression::zstd);
  EXPECT_LT(packed.size(), text.size());
  back.assign(text.size() + 1, '\0');
  back.resize(ZSTD_decompress(back.data(), back.size(), packed.data(), packed.size()));
  EXPECT_EQ(back, text);
}

}  // namespace
}  // namespace tidegate::uplink::mqtt
