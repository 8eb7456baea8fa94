// From a claim to a certificate of the device's own, against a broker in memory.
#include "sources/aws/provisioning.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "linux/clock_virtual.hpp"
#include "support/fake_mqtt.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

using test::Buffer;
using test::FakeMqtt;

// Loses its power at the n-th save: before it, half-way, or behind it.
class FakeIdentityStore final : public IdentityStore {
  public:
    enum class Cut { kBefore, kTorn, kBehind };
    Result<size_t> load(IdentityPlace place, MutableBytes out) override {
        const Buffer& bytes = places[place];
        std::copy_n(bytes.begin(), std::min(bytes.size(), out.size()), out.begin());
        return bytes.size();
    }
    Status save(IdentityPlace place, Bytes bytes) override {
        const bool hit = ++saves == cut_at;
        if (is_off || (hit && cut == Cut::kBefore)) {
            is_off = true;
            return {Code::kStorage, Origin::kPlatform};
        }
        const size_t n = hit && cut == Cut::kTorn ? bytes.size() / 2 : bytes.size();
        places[place].assign(bytes.begin(), bytes.begin() + static_cast<long>(n));
        is_off = hit;
        return hit ? Status{Code::kStorage, Origin::kPlatform} : kOkStatus;
    }
    std::map<IdentityPlace, Buffer> places;
    size_t saves = 0;
    size_t cut_at = 0;
    Cut cut = Cut::kBefore;
    bool is_off = false;
};

const std::string kCreate = "$aws/certificates/create-from-csr/json";
const std::string kRegister = "$aws/provisioning-templates/bess/provision/json";

struct ProvisioningTest : ::testing::Test {
    ProvisioningTest() {
        config.endpoint = "localhost";
        config.claim = "serial-7";
        config.tls.client_cert_pem = config.tls.client_key_pem = "claim";
        config.template_name = "bess";
        config.serial_number = "serial-7";
        config.parameters = parameters;
        mqtt.peer = [this] { answer(); };
        mqtt.judge = [this] {
            const bool is_thing = mqtt.filters.size() == 1;
            return refuse_thing && is_thing
                       ? Status{Code::kUnauthenticated, Origin::kSource, Detail::kClientCertificate}
                       : kOkStatus;
        };
    }
    // As AWS does it: a certificate is good once the thing is registered with its token.
    void answer() {
        for (; seen < mqtt.sent.size(); ++seen) {
            const FakeMqtt::Message message = mqtt.sent[seen];
            if (silent) continue;
            if (!rejections.empty()) {
                const std::string body = rejections.front();
                rejections.erase(rejections.begin());
                if (!body.empty()) {
                    mqtt.deliver(message.topic + "/rejected", body);
                    continue;
                }
            }
            if (message.topic == kCreate) {
                ++certificates;
                mqtt.deliver(kCreate + "/accepted",
                             R"({"certificateId":"ab","certificatePem":"-----BEGIN\nC)" +
                                 std::to_string(certificates) +
                                 R"(\n-----END\n","certificateOwnershipToken":"token-)" +
                                 std::to_string(certificates) + "\"}");
            } else {
                registered = message.text();
                mqtt.deliver(kRegister + "/accepted",
                             R"({"deviceConfiguration":{"a":"b"},"thingName":"bess-serial-7"})");
            }
        }
    }
    // A start of the device; what provisioning comes to within a quarter of an hour.
    Status start(Millis limit = 900000) {
        mqtt.close();
        provisioning.emplace(mqtt, clock, TimeFloor(), store, config);
        const Millis end = clock.now() + limit;
        Status status;
        do {
            status = provisioning->step();
            clock.advance(100);
        } while (status.is(Code::kTryAgain) && clock.now() < end);
        return status;
    }
    std::string request(size_t i) const { return mqtt.sent[i].text(); }

    VirtualClock clock;
    FakeMqtt mqtt;
    FakeIdentityStore store;
    std::array<ProvisioningParameter, 1> parameters{{{"Site", "Oslo"}}};
    Provisioning::Config config;
    std::optional<Provisioning> provisioning;
    size_t seen = 0;
    int certificates = 0;
    std::string registered;
    std::vector<std::string> rejections;  // of the next requests; empty: none
    bool silent = false;
    bool refuse_thing = false;
};

TEST_F(ProvisioningTest, FromTheClaimToAnIdentity) {
    ASSERT_TRUE(start().ok());
    EXPECT_EQ(provisioning->identity().thing.view(), "bess-serial-7");
    EXPECT_EQ(provisioning->identity().certificate.view(), "-----BEGIN\nC1\n-----END\n");
    EXPECT_TRUE(
        provisioning->identity().key.view().starts_with("-----BEGIN EC PRIVATE KEY-----\n"));
    ASSERT_EQ(mqtt.sent.size(), 2U);
    EXPECT_TRUE(request(0).starts_with(
        R"({"certificateSigningRequest":"-----BEGIN CERTIFICATE REQUEST-----\n)"));
    EXPECT_EQ(request(0).find("PRIVATE"), std::string::npos);
    EXPECT_EQ(
        request(1),
        R"({"certificateOwnershipToken":"token-1","parameters":{"SerialNumber":"serial-7","Site":"Oslo"}})");
    EXPECT_TRUE(store.places[IdentityPlace::kPending].empty());
    EXPECT_FALSE(mqtt.is_open);
    // And it is not done again.
    const uint32_t connections = mqtt.connections;
    const std::string key(provisioning->identity().key.view());
    ASSERT_TRUE(start().ok());
    EXPECT_EQ(provisioning->identity().key.view(), key);
    EXPECT_EQ(mqtt.connections, connections);
}

TEST_F(ProvisioningTest, PowerLostAtEachSaveCostsACertificateAtMost) {
    using Cut = FakeIdentityStore::Cut;
    for (const Cut cut : {Cut::kBefore, Cut::kTorn, Cut::kBehind}) {
        for (size_t k = 1; k <= 4; ++k) {
            store = FakeIdentityStore();
            store.cut = cut;
            store.cut_at = k;
            certificates = 0;
            (void)start();
            EXPECT_TRUE(store.is_off) << k;
            store.is_off = false;
            ASSERT_TRUE(start().ok()) << k;
            EXPECT_LE(certificates, 2) << k;
            // The certificate that is current is the one that was registered last.
            const std::string expected = "C" + std::to_string(certificates);
            EXPECT_NE(provisioning->identity().certificate.view().find(expected),
                      std::string_view::npos);
            if (k > 1 && cut == Cut::kBehind) {
                EXPECT_EQ(certificates, 1) << k;
            }
        }
    }
}

TEST_F(ProvisioningTest, WhatPassesIsTriedAgain) {
    rejections = {R"({"statusCode":429,"errorCode":"Throttled","errorMessage":"slow"})",
                  R"({"statusCode":503})", ""};
    ASSERT_TRUE(start().ok());
    EXPECT_EQ(certificates, 1);
}

TEST_F(ProvisioningTest, WhatDoesNotPassIsTold) {
    rejections = {R"({"statusCode":403,"errorCode":"AccessDenied","errorMessage":"no"})"};
    const Status status = start();
    EXPECT_EQ(status.detail(), Detail::kProvisioningRefused);
    EXPECT_EQ(mqtt.sent.size(), 1U);
    EXPECT_FALSE(mqtt.is_open);
}

// A pending certificate of an earlier start whose token is too old.
TEST_F(ProvisioningTest, TokenThatIsTooOldIsLeftForANewOne) {
    store.cut = FakeIdentityStore::Cut::kBehind;
    store.cut_at = 1;
    (void)start();
    store.is_off = false;
    rejections = {R"({"statusCode":400,"errorCode":"InvalidCertificateOwnershipToken"})"};
    ASSERT_TRUE(start().ok());
    EXPECT_EQ(certificates, 2);
}

// It is no reason to make one certificate after the other.
TEST_F(ProvisioningTest, HookThatRefusesTheDevice) {
    rejections = {"", R"({"statusCode":403})", R"({"statusCode":403})"};
    EXPECT_EQ(start().detail(), Detail::kProvisioningRefused);
    EXPECT_EQ(start().detail(), Detail::kProvisioningRefused);
    EXPECT_EQ(certificates, 1);
    ASSERT_TRUE(start().ok());
    EXPECT_EQ(certificates, 1);
}

// By then the thing has it: another certificate may never be had.
TEST_F(ProvisioningTest, NetworkThatGoesDownBeforeTheProofCostsNothing) {
    mqtt.judge = [this] {
        return mqtt.filters.size() == 1
                   ? Status{Code::kUnavailable, Origin::kSource, Detail::kDnsFailed}
                   : kOkStatus;
    };
    EXPECT_TRUE(start(3600000).is(Code::kTryAgain));
    EXPECT_EQ(certificates, 1);
    EXPECT_EQ(provisioning->why().detail(), Detail::kDnsFailed);
    const Buffer pending = store.places[IdentityPlace::kPending];
    EXPECT_FALSE(pending.empty());
    mqtt.judge = nullptr;
    ASSERT_TRUE(start().ok());
    EXPECT_EQ(certificates, 1);
    // A record that a loss of power left behind is forgotten: a private key is in it.
    store.places[IdentityPlace::kPending] = pending;
    ASSERT_TRUE(start().ok());
    EXPECT_TRUE(store.places[IdentityPlace::kPending].empty());
}

TEST_F(ProvisioningTest, PendingCertificateThatIsRefusedIsReplaced) {
    refuse_thing = true;
    EXPECT_TRUE(start(30000).is(Code::kTryAgain));
    EXPECT_EQ(certificates, 1);
    EXPECT_EQ(provisioning->why().detail(), Detail::kClientCertificate);
    EXPECT_TRUE(store.places[IdentityPlace::kCurrent].empty());
    refuse_thing = false;
    ASSERT_TRUE(start().ok());
    EXPECT_EQ(certificates, 1);  // it was only slow
    // One that is refused for minutes is given up for another, once in a call.
    store = FakeIdentityStore();
    certificates = 0;
    refuse_thing = true;
    EXPECT_EQ(start().detail(), Detail::kProvisioningRefused);
    EXPECT_EQ(certificates, 2);
    EXPECT_FALSE(store.places[IdentityPlace::kPending].empty());
    refuse_thing = false;
    ASSERT_TRUE(start().ok());
    EXPECT_EQ(certificates, 2);
}

TEST_F(ProvisioningTest, SilenceAndLostConnectionsAreWaitedOut) {
    silent = true;
    EXPECT_TRUE(start(600000).is(Code::kTryAgain));
    EXPECT_LE(mqtt.sent.size(), 20U);
    EXPECT_GE(mqtt.sent.size(), 5U);
    silent = false;
    mqtt.failure = {Code::kUnavailable, Origin::kSource, Detail::kConnectionLost};
    ASSERT_TRUE(start().ok());
    mqtt.is_up = false;
    store = FakeIdentityStore();
    EXPECT_TRUE(start(100000).is(Code::kTryAgain));
    EXPECT_EQ(provisioning->why().detail(), Detail::kNoAnswer);
}

TEST_F(ProvisioningTest, AnswersThatAreNoneChangeNothing) {
    for (const char* body :
         {"", "{", "[]", "{}", R"({"certificatePem":7})", R"({"thingName":""})"}) {
        store = FakeIdentityStore();
        silent = true;
        mqtt.peer = [&] {
            for (; seen < mqtt.sent.size(); ++seen) {
                mqtt.deliver(mqtt.sent[seen].topic + "/accepted", std::string(body));
                mqtt.deliver("$aws/other", std::string(body));
            }
        };
        EXPECT_TRUE(start(20000).is(Code::kTryAgain)) << body;
        EXPECT_TRUE(store.places[IdentityPlace::kCurrent].empty());
        EXPECT_TRUE(store.places[IdentityPlace::kPending].empty()) << body;
    }
}

TEST(IdentityRecord, EveryBitCounts) {
    ThingIdentity identity;
    identity.thing.assign("t");
    identity.certificate.assign("certificate");
    identity.key.assign("key");
    std::array<uint8_t, kMaxIdentityRecord> record{};
    const size_t size = encode_identity(identity, record);
    ThingIdentity read;
    ASSERT_TRUE(decode_identity(Bytes(record).first(size), read).ok());
    EXPECT_EQ(read.thing.view(), "t");
    EXPECT_EQ(read.certificate.view(), "certificate");
    EXPECT_EQ(read.key.view(), "key");
    EXPECT_TRUE(read.token.empty());
    for (size_t bit = 0; bit < 8 * size; ++bit) {
        std::array<uint8_t, kMaxIdentityRecord> bad = record;
        bad[bit / 8] = static_cast<uint8_t>(bad[bit / 8] ^ 1U << bit % 8);
        EXPECT_FALSE(decode_identity(Bytes(bad).first(size), read).ok()) << bit;
        EXPECT_TRUE(read.key.empty());
    }
    for (size_t n = 0; n < size; ++n) {
        EXPECT_FALSE(decode_identity(Bytes(record).first(n), read).ok()) << n;
    }
}

}  // namespace
}  // namespace ota
