// Manifests against a device in memory: what is accepted, what is refused, and in which order
// things are done.
#include "support/suit_factory.hpp"
#include "support/suit_host.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

namespace cbor = test::cbor;
using test::Buffer;
using test::Key;
using test::SuitHost;
using test::SuitSpec;

struct Bench {
    Bench() {
        EXPECT_TRUE(trusted.load_pem(test::public_pem(Key::kEc)).ok());
        EXPECT_TRUE(trusted.load_pem(test::public_pem(Key::kRsa)).ok());
        host.vendor.fill(0x11);
        host.class_id.fill(0x22);
        host.stored_sequence = 0;
        spec.image = Buffer(300, 0xA5);
    }
    Detail install(size_t signatures = 1) {
        file = test::make_suit(spec);
        const Status status = test::install_suit(host, file, trusted, signatures);
        EXPECT_EQ(status.ok(), status.detail() == Detail::kNone);
        return status.detail();
    }
    // After a refusal that has to come before anything is written.
    Detail refused(size_t signatures = 1) {
        const Detail why = install(signatures);
        EXPECT_EQ(host.writes, 0U);
        return why;
    }
    Buffer held() { return host.components[{0, 0}]; }
    SuitSpec spec;
    SuitHost host;
    TrustStore trusted;
    Buffer file;
};

Buffer sequence(const std::vector<std::pair<int64_t, Buffer>>& commands) {
    std::vector<Buffer> items;
    for (const auto& [code, argument] : commands) {
        items.push_back(cbor::number(code));
        items.push_back(argument);
    }
    return cbor::array(items);
}

Buffer parameter(int64_t key, const Buffer& value) {
    return cbor::map({{cbor::number(key), value}});
}

const Buffer kPolicy = cbor::number(15);
const Buffer kTrue = {0xF5};
const Buffer kFalse = {0xF4};
const Buffer kNull = {0xF6};

TEST(Suit, InstallsWhatIsSigned) {
    Bench bench;
    EXPECT_EQ(bench.install(), Detail::kNone);
    EXPECT_TRUE(bench.held() == bench.spec.image);
    EXPECT_EQ(bench.host.writes, 1U);
}

TEST(Suit, SignaturesOfBothKindsAndSeveralKeys) {
    Bench rsa;
    rsa.spec.keys = {Key::kRsa};
    EXPECT_EQ(rsa.install(), Detail::kNone);
    Bench both;
    both.spec.keys = {Key::kEc, Key::kRsa};
    EXPECT_EQ(both.install(2), Detail::kNone);
    Bench twice;
    twice.spec.keys = {Key::kEc, Key::kEc};  // one key counts once
    EXPECT_EQ(twice.refused(2), Detail::kManifestSignature);
    Bench half;
    half.spec.keys = {Key::kEc, Key::kOtherEc};
    EXPECT_EQ(half.refused(2), Detail::kManifestSignature);
    Bench other;
    other.spec.keys = {Key::kOtherEc};
    EXPECT_EQ(other.refused(), Detail::kManifestSignature);
    Bench one_of;
    one_of.spec.keys = {Key::kOtherEc, Key::kEc};
    EXPECT_EQ(one_of.install(), Detail::kNone);
    Bench four;
    four.spec.keys = {Key::kEc, Key::kEc, Key::kEc, Key::kEc};
    EXPECT_EQ(four.refused(), Detail::kCoseForm);
    Bench none;
    none.spec.keys = {};
    EXPECT_EQ(none.refused(), Detail::kAuthMissing);
}

TEST(Suit, WrongDeviceIsRefusedBeforeAnything) {
    Bench vendor;
    vendor.spec.vendor = 0x12;
    EXPECT_EQ(vendor.refused(), Detail::kVendorId);
    Bench class_id;
    class_id.spec.class_id = 0x23;
    EXPECT_EQ(class_id.refused(), Detail::kClassId);
    Bench component;
    component.spec.component = "boot";
    EXPECT_EQ(component.refused(), Detail::kComponentUnknown);
}

TEST(Suit, UnknownThingsAreRefusedAlsoWhereTheyWouldNotBeReached) {
    Bench command;
    command.spec.install_commands = {{99, kPolicy}};
    EXPECT_EQ(command.refused(), Detail::kCommandUnknown);
    Bench hidden;  // behind an alternative that holds
    hidden.spec.install_commands = {{15, cbor::array({cbor::wrap(sequence({{3, kPolicy}})),
                                                      cbor::wrap(sequence({{98, kPolicy}}))})}};
    EXPECT_EQ(hidden.refused(), Detail::kCommandUnknown);
    Bench parameters;
    parameters.spec.shared_parameters = {{15, cbor::number(1)}};
    EXPECT_EQ(parameters.refused(), Detail::kParameterUnknown);
    Bench member;
    member.spec.change_members = [](auto& members) {
        members.emplace_back(cbor::number(8), cbor::wrap(sequence({{3, kPolicy}})));
    };
    EXPECT_EQ(member.refused(), Detail::kManifestMember);
    Bench dependency;
    dependency.spec.install_commands = {{11, kPolicy}};
    EXPECT_EQ(dependency.refused(), Detail::kCommandUnknown);
}

TEST(Suit, CommandsHaveTheirPlace) {
    Bench invoke;
    invoke.spec.install_commands = {{23, cbor::number(2)}};
    EXPECT_EQ(invoke.refused(), Detail::kCommandPlace);
    Bench wait;
    wait.spec.shared_commands = {{29, cbor::number(2)}};
    EXPECT_EQ(wait.refused(), Detail::kCommandPlace);
    Bench fetch_in_install;
    fetch_in_install.spec.install_commands = {{21, cbor::number(2)}};
    EXPECT_EQ(fetch_in_install.refused(), Detail::kCommandPlace);
    Bench fetch_in_validate;
    fetch_in_validate.spec.change_members = [](auto& members) {
        for (auto& [key, value] : members) {
            if (key == cbor::number(7)) value = cbor::wrap(sequence({{21, cbor::number(2)}}));
        }
    };
    EXPECT_EQ(fetch_in_validate.refused(), Detail::kCommandPlace);
}

TEST(Suit, ValuesOfTheWrongKindOrSizeAreRefused) {
    for (const auto& [key, value] : std::vector<std::pair<int64_t, Buffer>>{
             {24, cbor::bytes(Buffer(15, 1))},         // an id is 16 bytes
             {21, cbor::text(std::string(257, 'u'))},  // a URI that is too long
             {18, cbor::bytes(Buffer(513, 1))},        // content likewise
             {26, cbor::number(-1)},                   // mWh
             {4, cbor::text("soon")},                  // a time
             {12, cbor::number(1)}}) {                 // a switch
        Bench bench;
        bench.spec.install_parameters = {{key, value}};
        const Detail why = bench.refused();
        EXPECT_TRUE(why == Detail::kCborForm || why == Detail::kCborType) << key;
    }
    const auto wait_for = [](uint64_t event, int64_t argument) {
        return cbor::wrap(cbor::map({{cbor::head(0, event), cbor::number(argument)}}));
    };
    for (const Buffer& info :
         {wait_for(2, 1), wait_for(6, 1), wait_for(8, 86400), wait_for(9, 7)}) {
        Bench bench;  // found before the download, not after it
        bench.spec.install_parameters = {{29, info}};
        EXPECT_EQ(bench.refused(), Detail::kParameterUnknown);
    }
    for (const Buffer& match :
         {cbor::array({cbor::number(6), cbor::array({cbor::number(1)})}),
          cbor::array({cbor::number(1), cbor::array({})}), cbor::array({cbor::number(1)})}) {
        Bench bench;
        bench.spec.install_parameters = {{28, cbor::wrap(match)}};
        EXPECT_NE(bench.refused(), Detail::kNone);
    }
    Bench many;  // alternatives
    many.spec.install_commands = {
        {15, cbor::array(std::vector<Buffer>(17, cbor::wrap(sequence({{3, kPolicy}}))))}};
    EXPECT_EQ(many.refused(), Detail::kCborForm);
    Bench digest;
    digest.spec.install_parameters = {{3, cbor::bytes({0x82, 0x2F, 0x41, 0x00})}};
    EXPECT_EQ(digest.refused(), Detail::kCoseAlgorithm);
    Bench policy;
    policy.spec.install_commands = {{3, cbor::number(16)}};
    EXPECT_EQ(policy.refused(), Detail::kCborForm);
}

TEST(Suit, AlternativesAreTriedInTurn) {
    const Buffer no = cbor::wrap(sequence({{14, kPolicy}}));  // abort
    const Buffer yes = cbor::wrap(sequence({{3, kPolicy}}));
    Bench second;
    second.spec.install_commands = {{15, cbor::array({no, yes})}};
    EXPECT_EQ(second.install(), Detail::kNone);
    Bench neither;
    neither.spec.install_commands = {{15, cbor::array({no, no})}};
    EXPECT_EQ(neither.install(), Detail::kAbortCommand);
    Bench or_nothing;
    or_nothing.spec.install_commands = {{15, cbor::array({no, no, kNull})}};
    EXPECT_EQ(or_nothing.install(), Detail::kNone);
    Bench hard;  // an alternative that switches soft failure off fails its try-each …
    const Buffer not_soft = cbor::wrap(sequence({{20, parameter(13, kFalse)}, {14, kPolicy}}));
    hard.spec.install_commands = {{15, cbor::array({not_soft, yes})}};
    EXPECT_EQ(hard.install(), Detail::kAbortCommand);
    Bench around;  // … which another one around it may take
    const Buffer inner = cbor::wrap(sequence({{15, cbor::array({not_soft, yes})}}));
    around.spec.install_commands = {{15, cbor::array({inner, kNull})}};
    EXPECT_EQ(around.install(), Detail::kNone);
}

TEST(Suit, RunSequenceFailsUnlessItIsSoft) {
    Bench hard;
    hard.spec.install_commands = {{32, cbor::wrap(sequence({{14, kPolicy}}))}};
    EXPECT_EQ(hard.install(), Detail::kAbortCommand);
    Bench soft;
    soft.spec.install_commands = {
        {32, cbor::wrap(sequence({{20, parameter(13, kTrue)}, {14, kPolicy}}))}};
    EXPECT_EQ(soft.install(), Detail::kNone);
    Bench inside;  // a hard one inside an alternative sends to the next alternative
    inside.spec.install_commands = {
        {15, cbor::array({cbor::wrap(sequence({{32, cbor::wrap(sequence({{14, kPolicy}}))}})),
                          cbor::wrap(sequence({{3, kPolicy}}))})}};
    EXPECT_EQ(inside.install(), Detail::kNone);
    Bench top;
    top.spec.install_parameters = {{13, kTrue}};
    EXPECT_EQ(top.refused(), Detail::kSoftFailurePlace);
}

TEST(Suit, CommandsHaveABudget) {
    // Nested repetition: 4^5 runs of a short sequence.
    Buffer body = sequence({{3, kPolicy}, {3, kPolicy}, {3, kPolicy}, {3, kPolicy}});
    for (int i = 0; i < 4; ++i) {
        const Buffer run = cbor::wrap(body);
        body = sequence({{32, run}, {32, run}, {32, run}, {32, run}});
    }
    Bench bench;
    bench.spec.install_commands = {{32, cbor::wrap(body)}};
    const Detail why = bench.install();
    EXPECT_TRUE(why == Detail::kCommandBudget || why == Detail::kNestingTooDeep ||
                why == Detail::kPrefixTooLarge);
    Bench within;
    std::vector<std::pair<int64_t, Buffer>> many(400, {3, kPolicy});
    within.spec.install_commands = many;
    EXPECT_EQ(within.install(), Detail::kNone);
    Bench beyond;
    many.assign(50, {3, kPolicy});
    const Buffer fifty = cbor::wrap(sequence(many));
    beyond.spec.install_commands.assign(21, {32, fifty});
    EXPECT_EQ(beyond.install(), Detail::kCommandBudget);
}

TEST(Suit, PayloadsAreHeldToTheManifest) {
    Bench size;
    size.spec.announced_size = 301;
    EXPECT_EQ(size.refused(), Detail::kImageSize);
    Bench bytes;
    bytes.file = test::make_suit(bytes.spec);
    bytes.file.back() ^= 1;
    EXPECT_EQ(test::install_suit(bytes.host, bytes.file, bytes.trusted).detail(),
              Detail::kImageDigest);
    Bench missing;
    missing.spec.uri = "#p01";
    EXPECT_EQ(missing.refused(), Detail::kPayloadMissing);
    Bench others;  // what nobody asks for is left out
    others.spec.uri = "#p01";
    others.spec.payloads = {{"#p01", others.spec.image}, {"#p02", Buffer(5000, 1)}};
    EXPECT_EQ(others.install(), Detail::kNone);
    Bench trailing;
    trailing.file = test::make_suit(trailing.spec);
    trailing.file.push_back(0);
    EXPECT_EQ(test::install_suit(trailing.host, trailing.file, trailing.trusted).detail(),
              Detail::kTrailingBytes);
}

TEST(Suit, ManifestMustBeWholeAndFresh) {
    Bench old;
    old.host.stored_sequence = 101;
    EXPECT_EQ(old.refused(), Detail::kSequenceNumber);
    Bench no_common;
    no_common.spec.change_members = [](auto& members) { members.erase(members.begin() + 2); };
    EXPECT_EQ(no_common.refused(), Detail::kManifestMember);
    Bench version;
    version.spec.change_members = [](auto& members) { members[0].second = cbor::number(2); };
    EXPECT_EQ(version.refused(), Detail::kManifestVersion);
}

// Text may travel beside the manifest; what nobody signed may not.
TEST(Suit, SeveredMembersHaveToBeClaimed) {
    const Buffer text = cbor::wrap(cbor::map({}));
    Bench claimed;
    claimed.spec.change_members = [&](auto& members) {
        const Buffer digest = test::sha256(text);
        members.emplace_back(cbor::number(23),
                             cbor::array({cbor::number(-16), cbor::bytes(digest)}));
    };
    claimed.spec.severed = {{23, text}};
    EXPECT_EQ(claimed.install(), Detail::kNone);
    Bench gone = claimed;
    gone.host.writes = 0;
    gone.spec.severed.clear();  // it may be left out
    EXPECT_EQ(gone.install(), Detail::kNone);
    Bench other;
    other.spec.change_members = claimed.spec.change_members;
    other.spec.severed = {{23, cbor::wrap(cbor::map({{cbor::number(1), cbor::number(1)}}))}};
    EXPECT_EQ(other.refused(), Detail::kSeveredDigest);
    Bench stray;
    stray.spec.severed = {{23, text}};
    EXPECT_EQ(stray.refused(), Detail::kEnvelopeMember);
}

TEST(Suit, EveryTruncationIsRefusedUnwritten) {
    Bench bench;
    const Buffer whole = test::make_suit(bench.spec);
    for (size_t n = 0; n < whole.size() - bench.spec.image.size(); ++n) {
        const Buffer part(whole.begin(), whole.begin() + static_cast<long>(n));
        EXPECT_FALSE(test::install_suit(bench.host, part, bench.trusted).ok()) << n;
    }
    EXPECT_EQ(bench.host.writes, 0U);
}

TEST(Suit, PrefixAsksForMoreUntilItIsWhole) {
    const Buffer whole = test::make_suit(Bench().spec);
    SuitPrefix prefix;
    ASSERT_TRUE(parse_suit_prefix(whole, prefix).ok());
    const size_t size = prefix.size;
    EXPECT_EQ(size + 5 + 3 + 300, whole.size());  // key, head, image
    for (size_t n = 1; n <= size; ++n) {
        EXPECT_TRUE(parse_suit_prefix(Bytes(whole).first(n), prefix).is(Code::kTryAgain)) << n;
    }
    EXPECT_TRUE(parse_suit_prefix(Bytes(whole).first(size + 1), prefix).ok());
    EXPECT_EQ(prefix.payloads, 1U);
}

}  // namespace
}  // namespace ota
