#include "drivers/http/addresses.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

namespace tidegate::drivers::http {
namespace {

struct Any {
  explicit Any(const std::string& text) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
    if (inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
      storage.ss_family = AF_INET;
    } else if (inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
      storage.ss_family = AF_INET6;
    } else {
      ADD_FAILURE() << text << " is no address";
    }
  }
  const sockaddr& address() const { return reinterpret_cast<const sockaddr&>(storage); }
  sockaddr_storage storage{};
};

TEST(Addresses, ThoseOfTheCableTheCloudAndThisMachineAreToldFromOthers) {
  for (const std::string text : {"0.0.0.0",
                                 "169.254.0.0",
                                 "169.254.169.254",
                                 "169.254.255.255",
                                 "168.63.129.16",
                                 "100.100.100.200",
                                 "192.0.0.192",
                                 "::",
                                 "fe80::1",
                                 "fe80::a9fe:a9fe",
                                 "febf:ffff::1",
                                 "fd00:ec2::254",
                                 "fd00:ec2::23",
                                 "fd20:ce::254",
                                 "2002:a9fe:a9fe::",
                                 "64:ff9b:1::a9fe:a9fe",
                                 "::ffff:169.254.169.254",
                                 "::ffff:0.0.0.0",
                                 "::ffff:100.100.100.200",
                                 "::169.254.169.254",
                                 "64:ff9b::a9fe:a9fe"}) {
    EXPECT_TRUE(is_link_local(Any(text).address())) << text;
    EXPECT_EQ(in_words(Any(text).address()), text);
  }
  for (const std::string text :
       {"127.0.0.1", "10.0.0.1", "192.168.1.20", "169.253.255.255", "169.255.0.0", "168.63.129.17", "100.64.0.1",
        "192.0.0.193", "8.8.8.8", "::1", "fec0::1", "fe7f:ffff::1", "fd00:ec3::254", "2002:c0a8:114::1",
        "64:ff9b:1::c0a8:114", "fd00::1", "2001:db8::169.254.1.1", "::ffff:192.168.1.20", "64:ff9b::c0a8:114"}) {
    EXPECT_FALSE(is_link_local(Any(text).address())) << text;
  }
  sockaddr_storage other{};
  other.ss_family = AF_UNIX;
  EXPECT_FALSE(is_link_local(reinterpret_cast<const sockaddr&>(other)));
}

}  // namespace
}  // namespace tidegate::drivers::http
