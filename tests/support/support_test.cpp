// The peers themselves: what the other tests lean on must hold.

#include <gtest/gtest.h>
#include <signal.h>

#include "tests/support/broker.h"

namespace tidegate::test {
namespace {

TEST(Process, GivesOutputAndExitStatus) {
  const Finished finished = run({"sh", "-c", "echo $WORD; echo two >&2; exit 3"}, {{"WORD", "one"}});
  EXPECT_EQ(finished.status, 3);
  EXPECT_EQ(finished.output, "one\ntwo\n");
}

TEST(Process, IsKilledAtTheEndOfItsOwner) {
  pid_t pid = 0;
  {
    Process sleeper({"sleep", "1000"});
    pid = sleeper.pid();
    EXPECT_TRUE(sleeper.running());
  }
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST(Broker, CarriesAMessageAndKeepsItsPortOverARestart) {
  Broker broker;
  const int port = broker.port();
  {
    const auto listener = broker.subscribe("a/#");
    broker.publish("a/b", "21.5");
    EXPECT_TRUE(listener->wait_for_output("a/b 21.5"));
  }
  broker.restart();
  EXPECT_EQ(broker.port(), port);
  const auto listener = broker.subscribe("a/#");
  broker.publish("a/b", "22");
  EXPECT_TRUE(listener->wait_for_output("a/b 22"));
}

TEST(Broker, SpeaksTlsAndAsksForAPassword) {
  Broker broker({.user = "gateway", .password = "s3cret", .tls = true, .require_client_certificate = true});
  const auto listener = broker.subscribe("a");
  broker.publish("a", "1");
  EXPECT_TRUE(listener->wait_for_output("a 1"));
}

TEST(Broker, KeepsRetainedMessagesWithPersistence) {
  Broker broker({.persistence = true});
  broker.publish("kept", "7", 1, true);
  broker.restart();
  EXPECT_TRUE(broker.subscribe("kept")->wait_for_output("kept 7"));
}

}  // namespace
}  // namespace tidegate::test
