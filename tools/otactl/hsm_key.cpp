#include "hsm_key.hpp"

#include <mbedtls/ecp.h>
#include <mbedtls/pk.h>
#include <mbedtls/rsa.h>
#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

#include <array>

#include "mpi.hpp"
#include "verify/signature.hpp"

namespace otactl {
namespace {

[[noreturn]] void fail(const std::string& what, const char* next) {
    throw Failure(Exit::kIo, what + ": " + next);
}

void check(CK_RV result, const char* what) {
    if (result != CKR_OK) fail(what, p11_kit_strerror(result));
}

class Uri {
  public:
    explicit Uri(const std::string& text) : uri_(p11_kit_uri_new()) {
        const int parsed = p11_kit_uri_parse(text.c_str(), P11_KIT_URI_FOR_ANY, uri_);
        if (parsed != P11_KIT_URI_OK) {
            p11_kit_uri_free(uri_);
            throw Failure(Exit::kUsage,
                          std::string("the PKCS #11 URI: ") + p11_kit_uri_message(parsed));
        }
    }
    ~Uri() { p11_kit_uri_free(uri_); }
    Uri(const Uri&) = delete;
    Uri& operator=(const Uri&) = delete;
    P11KitUri* get() const { return uri_; }

    std::string pin() const {
        if (const char* value = p11_kit_uri_get_pin_value(uri_)) return value;
        const char* source = p11_kit_uri_get_pin_source(uri_);
        if (source == nullptr) return {};
        std::string path = source;
        if (path.starts_with("file:")) path.erase(0, 5);
        std::string pin = read_text(path);
        while (!pin.empty() && (pin.back() == '\n' || pin.back() == '\r')) pin.pop_back();
        return pin;
    }

  private:
    P11KitUri* uri_;
};

// Loaded for as long as the program runs.
std::vector<CK_FUNCTION_LIST*> load_modules(const Uri& uri) {
    std::vector<CK_FUNCTION_LIST*> out;
    if (const char* path = p11_kit_uri_get_module_path(uri.get())) {
        CK_FUNCTION_LIST* module = p11_kit_module_load(path, P11_KIT_MODULE_CRITICAL);
        if (module == nullptr) fail(std::string("module-path ") + path, p11_kit_message());
        check(p11_kit_module_initialize(module), path);
        out.push_back(module);
        return out;
    }
    CK_FUNCTION_LIST** modules = p11_kit_modules_load_and_initialize(0);
    if (modules == nullptr) fail("PKCS #11 modules", p11_kit_message());
    for (size_t i = 0; modules[i] != nullptr; ++i) out.push_back(modules[i]);
    return out;
}

// One session with the token that the URI names, logged in where there is a PIN.
class Session {
  public:
    Session(CK_FUNCTION_LIST* module, CK_SLOT_ID slot, const std::string& pin) : module_(module) {
        check(module->C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, &session_),
              "opening the token");
        if (pin.empty()) return;
        std::string copy = pin;
        const CK_RV result =
            module->C_Login(session_, CKU_USER, reinterpret_cast<CK_UTF8CHAR*>(copy.data()),
                            static_cast<CK_ULONG>(copy.size()));
        if (result != CKR_OK && result != CKR_USER_ALREADY_LOGGED_IN) {
            module->C_CloseSession(session_);
            throw Failure(Exit::kRefused, std::string("the token does not take the PIN "
                                                      "(pin-value, pin-source): ") +
                                              p11_kit_strerror(result));
        }
    }
    ~Session() { module_->C_CloseSession(session_); }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // 0 = none.
    CK_OBJECT_HANDLE find(std::vector<CK_ATTRIBUTE> wanted, size_t& count) {
        check(module_->C_FindObjectsInit(session_, wanted.data(),
                                         static_cast<CK_ULONG>(wanted.size())),
              "looking for the key");
        std::array<CK_OBJECT_HANDLE, 2> found{};
        CK_ULONG n = 0;
        const CK_RV result = module_->C_FindObjects(session_, found.data(), found.size(), &n);
        module_->C_FindObjectsFinal(session_);
        check(result, "looking for the key");
        count = n;
        return n == 0 ? 0 : found[0];
    }
    Buffer attribute(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
        CK_ATTRIBUTE wanted = {type, nullptr, 0};
        check(module_->C_GetAttributeValue(session_, object, &wanted, 1), "reading the key");
        constexpr CK_ULONG kLongest = 4096;
        if (wanted.ulValueLen > kLongest) fail("reading the key", "an attribute is not available");
        Buffer out(wanted.ulValueLen);
        wanted.pValue = out.data();
        check(module_->C_GetAttributeValue(session_, object, &wanted, 1), "reading the key");
        return out;
    }
    Buffer sign(CK_OBJECT_HANDLE key, CK_MECHANISM mechanism, const ota::Digest& digest) {
        check(module_->C_SignInit(session_, &mechanism, key), "signing");
        Buffer out(512);
        CK_ULONG size = out.size();
        ota::Digest input = digest;
        check(module_->C_Sign(session_, input.data(), input.size(), out.data(), &size), "signing");
        out.resize(size);
        return out;
    }

  private:
    CK_FUNCTION_LIST* module_;
    CK_SESSION_HANDLE session_ = 0;
};

std::string pem_of(mbedtls_pk_context& key) {
    std::array<unsigned char, 4096> text{};
    require_mbedtls(mbedtls_pk_write_pubkey_pem(&key, text.data(), text.size()));
    return reinterpret_cast<const char*>(text.data());
}

struct PublicKey {
    mbedtls_pk_context pk;
    PublicKey() { mbedtls_pk_init(&pk); }
    ~PublicKey() { mbedtls_pk_free(&pk); }
    PublicKey(const PublicKey&) = delete;
    PublicKey& operator=(const PublicKey&) = delete;
};

constexpr size_t kRsaBytes = 384;
constexpr size_t kPoint = 65;  // uncompressed, of P-256

std::string rsa_pem(const Buffer& modulus, const Buffer& exponent) {
    if (modulus.size() != kRsaBytes) {
        throw Failure(Exit::kMalformed, "only RSA-3072 and ECDSA P-256 keys sign images");
    }
    PublicKey key;
    require_mbedtls(mbedtls_pk_setup(&key.pk, mbedtls_pk_info_from_type(MBEDTLS_PK_RSA)));
    mbedtls_rsa_context* rsa = mbedtls_pk_rsa(key.pk);
    require_mbedtls(mbedtls_rsa_import_raw(rsa, modulus.data(), modulus.size(), nullptr, 0, nullptr,
                                           0, nullptr, 0, exponent.data(), exponent.size()));
    require_mbedtls(mbedtls_rsa_complete(rsa));
    return pem_of(key.pk);
}

// CKA_EC_POINT is the point in a DER OCTET STRING (PKCS #11 2.3.3).
std::string ec_pem(const Buffer& parameters, const Buffer& point) {
    // prime256v1: 1.2.840.10045.3.1.7
    const Buffer kP256 = {0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
    if (parameters != kP256 || point.size() != kPoint + 2) {
        throw Failure(Exit::kMalformed, "only RSA-3072 and ECDSA P-256 keys sign images");
    }
    PublicKey key;
    require_mbedtls(mbedtls_pk_setup(&key.pk, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)));
    mbedtls_ecp_keypair* pair = mbedtls_pk_ec(key.pk);
    require_mbedtls(mbedtls_ecp_group_load(&pair->grp, MBEDTLS_ECP_DP_SECP256R1));
    require_mbedtls(mbedtls_ecp_point_read_binary(&pair->grp, &pair->Q, point.data() + 2, kPoint));
    return pem_of(key.pk);
}

class TokenKey final : public HsmKey {
  public:
    TokenKey(std::unique_ptr<Session> session, CK_OBJECT_HANDLE key)
        : session_(std::move(session)), key_(key) {
        CK_KEY_TYPE type = 0;
        const Buffer bytes = session_->attribute(key, CKA_KEY_TYPE);
        std::memcpy(&type, bytes.data(), std::min(bytes.size(), sizeof type));
        is_rsa_ = type == CKK_RSA;
        read_public_key();
    }
    bool is_rsa() const override { return is_rsa_; }
    std::string public_pem() const override { return pem_; }
    Buffer sign(const ota::Digest& digest) override {
        CK_RSA_PKCS_PSS_PARAMS pss = {CKM_SHA256, CKG_MGF1_SHA256, 32};
        const CK_MECHANISM mechanism = is_rsa_ ? CK_MECHANISM{CKM_RSA_PKCS_PSS, &pss, sizeof pss}
                                               : CK_MECHANISM{CKM_ECDSA, nullptr, 0};
        Buffer signature = session_->sign(key_, mechanism, digest);
        // The public half was found by its id alone.
        ota::TrustStore own;
        require(own.load_pem(pem_), "the token's public key");
        const bool holds = ota::signature_holds(own.keys()[0], digest, signature);
        if (!holds) fail("the token's public key", "it does not belong to the private one");
        return signature;
    }

  private:
    // The public half stands beside it, under the same id.
    void read_public_key() {
        Buffer id = session_->attribute(key_, CKA_ID);
        CK_OBJECT_CLASS kind = CKO_PUBLIC_KEY;
        size_t count = 0;
        const CK_OBJECT_HANDLE own = session_->find(
            {{CKA_CLASS, &kind, sizeof kind}, {CKA_ID, id.data(), id.size()}}, count);
        if (own == 0) fail("the token", "it has no public key with the id of the private one");
        if (count > 1) fail("the token", "several public keys have the id of the private one");
        pem_ = is_rsa_ ? rsa_pem(session_->attribute(own, CKA_MODULUS),
                                 session_->attribute(own, CKA_PUBLIC_EXPONENT))
                       : ec_pem(session_->attribute(own, CKA_EC_PARAMS),
                                session_->attribute(own, CKA_EC_POINT));
    }

    std::unique_ptr<Session> session_;
    CK_OBJECT_HANDLE key_;
    bool is_rsa_ = false;
    std::string pem_;
};

std::vector<CK_SLOT_ID> tokens_of(CK_FUNCTION_LIST* module, const Uri& uri) {
    CK_ULONG count = 0;
    check(module->C_GetSlotList(CK_TRUE, nullptr, &count), "the module's slots");
    std::vector<CK_SLOT_ID> slots(count);
    check(module->C_GetSlotList(CK_TRUE, slots.data(), &count), "the module's slots");
    std::vector<CK_SLOT_ID> out;
    for (const CK_SLOT_ID slot : slots) {
        CK_TOKEN_INFO info;
        if (module->C_GetTokenInfo(slot, &info) != CKR_OK) continue;
        if ((info.flags & CKF_TOKEN_INITIALIZED) == 0) continue;
        if (p11_kit_uri_match_token_info(uri.get(), &info) != 0) out.push_back(slot);
    }
    return out;
}

}  // namespace

std::shared_ptr<HsmKey> HsmKey::open(const std::string& text) {
    const Uri uri(text);
    std::vector<std::pair<CK_FUNCTION_LIST*, CK_SLOT_ID>> tokens;
    for (CK_FUNCTION_LIST* module : load_modules(uri)) {
        for (const CK_SLOT_ID slot : tokens_of(module, uri)) tokens.emplace_back(module, slot);
    }
    if (tokens.empty()) fail("no token fits the URI", "check token= and module-path=");
    // A PIN is for one token: another would count a failed attempt, and see it.
    if (tokens.size() > 1) fail("several tokens fit the URI", "say which by token= or serial=");
    auto session = std::make_unique<Session>(tokens[0].first, tokens[0].second, uri.pin());
    CK_OBJECT_CLASS kind = CKO_PRIVATE_KEY;
    std::vector<CK_ATTRIBUTE> wanted = {{CKA_CLASS, &kind, sizeof kind}};
    for (const CK_ATTRIBUTE_TYPE type : {CKA_LABEL, CKA_ID}) {
        CK_ATTRIBUTE* given = p11_kit_uri_get_attribute(uri.get(), type);
        if (given != nullptr) wanted.push_back(*given);
    }
    size_t count = 0;
    const CK_OBJECT_HANDLE key = session->find(wanted, count);
    if (count == 0) fail("no private key fits the URI", "check object=, id= and the PIN");
    if (count > 1) fail("several keys fit the URI", "say object= or id=");
    return std::make_shared<TokenKey>(std::move(session), key);
}

}  // namespace otactl
