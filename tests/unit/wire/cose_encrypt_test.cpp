#include "wire/cose_encrypt.hpp"

#include "support/encryption.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

using test::Buffer;
namespace cbor = test::cbor;

// What varies in the tests below; the rest is good.
struct Form {
    int64_t algorithm = -65534;
    size_t iv_size = 16;
    Buffer protected_header = {};
    Buffer ciphertext = {0xF6};
    std::vector<Buffer> recipients = {recipient(-3, 24)};
    static Buffer recipient(int64_t algorithm, size_t size) {
        return cbor::array({cbor::bytes({}),
                            cbor::map({{cbor::number(1), cbor::number(algorithm)}}),
                            cbor::bytes(Buffer(size, 7))});
    }
    Buffer encode() const {
        const Buffer body =
            cbor::array({cbor::bytes(protected_header),
                         cbor::map({{cbor::number(1), cbor::number(algorithm)},
                                    {cbor::number(5), cbor::bytes(Buffer(iv_size, 1))}}),
                         ciphertext, cbor::array(recipients)});
        Buffer out = cbor::head(6, 96);
        out.insert(out.end(), body.begin(), body.end());
        return out;
    }
    Status parse() const {
        CoseEncrypt out;
        return parse_cose_encrypt(encode(), out);
    }
};

TEST(CoseEncrypt, TakesCounterModesWithWrappedKeys) {
    EXPECT_TRUE(Form().parse().ok());
    EXPECT_TRUE((Form{.algorithm = -65532, .recipients = {Form::recipient(-3, 40)}}.parse().ok()));
    CoseEncrypt out;
    const test::Encrypted sent = test::encrypt(Buffer(10), test::Sender::kEcdhEs);
    ASSERT_TRUE(parse_cose_encrypt(sent.info, out).ok());
    ASSERT_EQ(out.recipients.size(), 1U);
    EXPECT_EQ(out.recipients[0].x.size(), 32U);
    EXPECT_EQ(out.key_size, 16U);
}

TEST(CoseEncrypt, RefusesOtherAlgorithms) {
    EXPECT_TRUE((Form{.algorithm = 1}.parse().is(Code::kIncompatible)));       // AES-GCM
    EXPECT_TRUE((Form{.algorithm = -65531}.parse().is(Code::kIncompatible)));  // AES-CBC
    EXPECT_TRUE((Form{.recipients = {Form::recipient(-5, 24)}}.parse().is(Code::kIncompatible)));
    EXPECT_TRUE((Form{.recipients = {Form::recipient(-3, 16)}}.parse().is(Code::kIncompatible)));
    EXPECT_TRUE((Form{.protected_header = {0xA1, 0x01, 0x01}}.parse().is(Code::kIncompatible)));
    // One that is not known does not hide one that is.
    EXPECT_TRUE(
        (Form{.recipients = {Form::recipient(-5, 24), Form::recipient(-3, 24)}}.parse().ok()));
}

// One meaning for every bit: what stands twice, or in the wrong place, is refused.
TEST(CoseEncrypt, RefusesAmbiguousHeaders) {
    const auto with_headers = [](const std::vector<std::pair<Buffer, Buffer>>& pairs) {
        Buffer map = cbor::head(5, pairs.size());
        for (const auto& [label, value] : pairs) {
            map.insert(map.end(), label.begin(), label.end());
            map.insert(map.end(), value.begin(), value.end());
        }
        const Buffer body =
            cbor::array({cbor::bytes({}), map, {0xF6}, cbor::array({Form::recipient(-3, 24)})});
        Buffer out = cbor::head(6, 96);
        out.insert(out.end(), body.begin(), body.end());
        CoseEncrypt parsed;
        return parse_cose_encrypt(out, parsed).ok();
    };
    const std::pair<Buffer, Buffer> algorithm = {cbor::number(1), cbor::number(-65534)};
    const std::pair<Buffer, Buffer> iv = {cbor::number(5), cbor::bytes(Buffer(16, 1))};
    const std::pair<Buffer, Buffer> critical = {cbor::number(2), cbor::array({cbor::number(5)})};
    const std::pair<Buffer, Buffer> partial = {cbor::number(6), cbor::bytes(Buffer(4, 1))};
    EXPECT_TRUE(with_headers({algorithm, iv}));
    EXPECT_FALSE(with_headers({algorithm, algorithm, iv}));
    EXPECT_FALSE(with_headers({algorithm, iv, iv}));
    EXPECT_FALSE(with_headers({iv, algorithm}));
    EXPECT_FALSE(with_headers({algorithm, critical, iv}));
    EXPECT_FALSE(with_headers({algorithm, iv, partial}));
    // A recipient of another form is passed by, and does not hide the good one.
    const Buffer nested = cbor::array({cbor::bytes({}), cbor::map({}), cbor::bytes({}), {0x80}});
    EXPECT_TRUE((Form{.recipients = {nested, Form::recipient(-3, 24)}}.parse().ok()));
    EXPECT_TRUE((Form{.recipients = {nested}}.parse().is(Code::kIncompatible)));
}

TEST(CoseEncrypt, RefusesOtherForms) {
    for (const Form& form :
         {Form{.iv_size = 12}, Form{.ciphertext = {0x40}}, Form{.recipients = {}},
          Form{.recipients = std::vector<Buffer>(5, Form::recipient(-3, 24))}}) {
        EXPECT_EQ(form.parse(),
                  Status(Code::kMalformed, Origin::kPackage, Detail::kEncryptionForm));
    }
    const Buffer good = Form().encode();
    for (size_t n = 0; n < good.size(); ++n) {
        CoseEncrypt out;
        EXPECT_FALSE(parse_cose_encrypt(Bytes(good).first(n), out).ok()) << n;
    }
    Buffer longer = good;
    longer.push_back(0);
    CoseEncrypt out;
    EXPECT_FALSE(parse_cose_encrypt(longer, out).ok());
}

}  // namespace
}  // namespace ota
