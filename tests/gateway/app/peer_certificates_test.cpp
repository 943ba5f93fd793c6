#include "gateway/app/peer_certificates.h"

#include <gmock/gmock.h>

#include "gateway/config/certificates.h"

namespace tidegate::app {
namespace {

using std::chrono::days;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PeerCertificatesTest : public ::testing::Test {
 protected:
  PeerCertificatesTest() {
    view.sources.resize(1);
    view.sources[0].name = "field";
    view.uplinks.resize(1);
    view.uplinks[0].name = "cloud";
    metrics.gauge("source/field/samples", "", "").set(1);
  }
  std::vector<std::string> look(std::optional<Timestamp> at) { return peers.look(view, metrics, at); }

  const Timestamp end = std::chrono::sys_days{std::chrono::year{2027} / 3 / 1};
  dashboard::GatewayView view;
  Metrics metrics;
  PeerCertificates peers;
};

TEST_F(PeerCertificatesTest, TellsThirtySevenAndOneDayBeforeAndAtTheEndOnceEach) {
  config::show_end(metrics, "source/field", end);
  EXPECT_THAT(look(end - days(31)), IsEmpty());
  for (const auto& [before, words] : std::vector<std::pair<int, std::string>>{{30, "ends within 30 days, at "},
                                                                              {7, "ends within 7 days, at "},
                                                                              {1, "ends within a day, at "},
                                                                              {0, "ended at "}}) {
    EXPECT_THAT(look(end - days(before)),
                ElementsAre(HasSubstr("source field: the other end's certificate " + words + "2027-03-01T00:00:00Z")));
    EXPECT_THAT(look(end - days(before)), IsEmpty());
  }
}

TEST_F(PeerCertificatesTest, OneThatWasRenewedIsToldOfAgain) {
  config::show_end(metrics, "uplink/cloud", end);
  EXPECT_THAT(look(end - days(5)), ElementsAre(HasSubstr("uplink cloud: the other end's certificate ends within 7")));
  config::show_end(metrics, "uplink/cloud", end + days(90));
  EXPECT_THAT(look(end - days(4)), IsEmpty());
  EXPECT_THAT(look(end + days(85)), ElementsAre(HasSubstr("uplink cloud")));
}

TEST_F(PeerCertificatesTest, NothingIsToldWithoutAClockNorOfASourceThatIsGone) {
  config::show_end(metrics, "source/field", end);
  config::show_end(metrics, "source/gone", end);
  EXPECT_THAT(look(std::nullopt), IsEmpty());
  EXPECT_THAT(look(end), ElementsAre(HasSubstr("source field: ")));
}

}  // namespace
}  // namespace tidegate::app
