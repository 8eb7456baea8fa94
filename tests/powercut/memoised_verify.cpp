// psa_verify_hash, linked in by --wrap: each (key, digest, signature) is checked once and
// remembered. In this program alone; a signature check takes longer than the rest of a recovery.
#include <psa/crypto.h>

#include <map>
#include <string>

extern "C" {
psa_status_t __real_psa_verify_hash(psa_key_id_t key, psa_algorithm_t alg, const uint8_t* hash,
                                    size_t hash_length, const uint8_t* signature,
                                    size_t signature_length);

psa_status_t __wrap_psa_verify_hash(psa_key_id_t key, psa_algorithm_t alg, const uint8_t* hash,
                                    size_t hash_length, const uint8_t* signature,
                                    size_t signature_length) {
    static std::map<std::string, psa_status_t> known;
    uint8_t public_key[512];
    size_t length = 0;
    if (psa_export_public_key(key, public_key, sizeof public_key, &length) != PSA_SUCCESS) {
        return __real_psa_verify_hash(key, alg, hash, hash_length, signature, signature_length);
    }
    std::string question(reinterpret_cast<const char*>(public_key), length);
    question.append(reinterpret_cast<const char*>(hash), hash_length);
    question.append(reinterpret_cast<const char*>(signature), signature_length);
    question.append(std::to_string(alg));
    const auto [entry, is_new] = known.try_emplace(std::move(question), PSA_SUCCESS);
    if (is_new)
        entry->second =
            __real_psa_verify_hash(key, alg, hash, hash_length, signature, signature_length);
    return entry->second;
}
}
