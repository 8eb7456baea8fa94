// Writes well-formed inputs for the fuzz targets into folders under argv[1].
#include <psa/crypto.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "package/suit_envelope.hpp"
#include "support/device.hpp"
#include "support/encryption.hpp"

namespace {

void write(const std::filesystem::path& folder, const test::Buffer& bytes,
           const char* name = "seed") {
    std::filesystem::create_directories(folder);
    std::ofstream(folder / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
}

// Wrapper and manifest of a package, for the targets that take one of them.
void write_parts(const std::filesystem::path& root, const test::Buffer& package, const char* name) {
    ota::SuitPrefix prefix;
    if (!ota::parse_suit_prefix(package, prefix).ok()) abort();
    write(root / "cose_fuzz", {prefix.auth.begin(), prefix.auth.end()}, name);
    write(root / "suit_manifest_fuzz", {prefix.manifest.begin(), prefix.manifest.end()}, name);
    write(root / "cbor_fuzz", {prefix.manifest.begin(), prefix.manifest.end()}, name);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2 || psa_crypto_init() != PSA_SUCCESS) return 2;
    const std::filesystem::path root(argv[1]);
    test::ImageSpec small;
    small.payload = 64;
    test::Buffer image = test::make_signed(small);
    test::Buffer sector(image.end() - 4096, image.end());
    image.insert(image.begin(), 0xFF);
    write(root / "esp_image_fuzz", image);
    write(root / "signature_fuzz", sector);
    const test::Buffer rsa = test::make_signed(small, test::Key::kRsa);
    write(root / "signature_fuzz", test::Buffer(rsa.end() - 4096, rsa.end()), "rsa");

    test::Device device;
    device.put_image(0, test::make_signed_of_size("1.0.0", 16384, 1));
    device.source.package = test::make_signed_of_size("1.1.0", 16384, 2);
    if (!device.boot() || !device.update_and_settle()) return 1;
    const auto part = [&](int from, int to) {
        return test::Buffer(device.memory().begin() + from, device.memory().begin() + to);
    };
    write(root / "journal_fuzz", part(0xB000, 0xF000));
    (void)device.boot(ota::ResetReason::kPanic);
    write(root / "journal_fuzz", part(0xB000, 0xF000), "after-a-panic");
    write(root / "flash_layout_fuzz", part(0x8000, 0xE000));
    const std::string pem = test::public_pem(test::Key::kEc);
    write(root / "text_fuzz", test::Buffer(pem.begin(), pem.end()));
    const auto text = [&](const char* target, const char* name, const std::string& content) {
        write(root / target, test::Buffer(content.begin(), content.end()), name);
    };
    text("text_fuzz", "rsa", test::public_pem(test::Key::kRsa));
    text("text_fuzz", "version", "1.2.3-rc.1+build.5");
    text("text_fuzz", "names", "bess*_v?.binBESS_U~1.BIN");
    text("text_fuzz", "digest", std::string(64, 'a') + "  bess.bin\n");
    text("http_fuzz", "partial", "HTTP/1.1 206\nContent-Range: bytes 4096-8191/*\nETag: W/\"a\"\n");
    text("http_fuzz", "redirect", "Location: https://user:pw@host:8443/a/../b?c#d\n");
    text("http_fuzz", "date",
         "Date: Sunday, 06-Nov-94 08:49:37 GMT\nRetry-After: Sun Nov  6 08:49:37 1994\n");
    const std::string head =
        "ETag: \"v1\"\nContent-Range: bytes 0-287/4096\nLocation: ../x?y\nRetry-After: 5\n"
        "Content-Encoding: identity\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\n";
    // A message in three frames, and one of ours.
    write(root / "isotp_fuzz",
          {0x10, 8, 0, 0x10, 20, 1, 2, 3, 4, 5, 6,    8, 0, 0x21, 1, 2,    3, 4, 5, 6, 7, 8, 0,
           0x22, 1, 2, 3,    4,  5, 6, 7, 3, 4, 0x30, 0, 0, 8,    0, 0x30, 2, 0, 0, 0, 0, 0, 0});
    write(root / "http_fuzz", test::Buffer(head.begin(), head.end()));
    // Open a package of 1,000 bytes, write into it, read what came of it; the same in a frame.
    test::Buffer dialog = {54, 16, 0, 100, 0, 24, 48,   0, 1, 0, 1, 0,
                           0,  0,  0, 0,   0, 3,  0xE8, 0, 0, 0, 0};
    dialog.resize(55, 7);
    const test::Buffer rest = {14, 16, 0,  200, 0, 4, 8,  0, 1, 0, 0, 0, 0, 1, 2, 5, 3,  0, 40, 0,
                               19, 4,  43, 14,  2, 0, 12, 0, 1, 0, 0, 0, 6, 1, 3, 0, 40, 0, 19};
    dialog.insert(dialog.end(), rest.begin(), rest.end());
    write(root / "modbus_fuzz", dialog);
    text(
        "aws_fuzz", "job",
        R"({"clientToken":"1","execution":{"jobId":"j","status":"QUEUED","versionNumber":1,"executionNumber":1,)"
        R"("jobDocument":{"afr_ota":{"protocols":["MQTT"],"streamname":"s","files":[{"filesize":"9","fileid":0}]}}}})");
    text(
        "aws_fuzz", "text",
        R"({"execution":{"jobId":"j","jobDocument":"{\"bess_ota\":1,\"url\":\"https:\\u002f\"}"}})");
    text("aws_fuzz", "certificate",
         R"({"certificateId":"1","certificatePem":"-----\n","certificateOwnershipToken":"t"})");
    text("aws_fuzz", "spool",
         ",{\"timestamp\":1795999323000,\"message\":\"I x 1a2b3c4d:1 \\\"a\\\\\"}\n"
         ",{\"timestamp\":0000000000005,\"message\":\"{\\\"_aws\\\":{\\\"Timestamp\\\":"
         "0000000000005}}\"}\n");
    text("aws_fuzz", "block", R"({"c":"1","f":0,"l":4,"i":20,"p":"AAECAw=="})");
    text("aws_fuzz", "stream", R"({"c":"1","s":1,"d":"","r":[{"f":0,"z":131072}]})");
    text("aws_fuzz", "thing", R"({"thingName":"t","deviceConfiguration":{},"statusCode":429})");
    write(root / "aws_fuzz", {0xA5, 0x61, 'c', 0x61, '1', 0x61, 'f', 0, 0x61, 'l', 1, 0x61, 'i', 0,
                              0x61, 'p', 0x41, 7});
    // A session, a download and two blocks; a seed and a key; lines of a serial adapter.
    write(root / "uds_fuzz",
          {0, 2,    0x10, 2, 11, 0x34, 0,    0x44, 0,    0,    0,    0,    0,    0,   0, 8,
           6, 0x36, 1,    1, 2,  3,    4,    6,    0x36, 2,    5,    6,    7,    8,   1, 0x37,
           4, 0x31, 1,    2, 2,  2,    0x11, 1,    5,    0x22, 0xF1, 0xA1, 0xF1, 0xA2});
    test::Buffer proof = {1, 2, 0x10, 2, 2, 0x27, 0x11, 18, 0x27, 0x12};
    proof.resize(proof.size() + 16, 9);
    write(root / "uds_fuzz", proof, "door");
    text("uds_fuzz", "lines",
         "\x02\x0Et12324455\x09T1CDA10F10\x1c"
         "B00000001A00112233445566778899");
    // Envelopes with every kind of command.
    namespace cbor = test::cbor;
    const auto sequence = [](const std::vector<test::Buffer>& items) { return cbor::array(items); };
    const test::Buffer match = sequence({cbor::number(3), cbor::number(15)});
    test::SuitSpec spec;
    spec.image = test::Buffer(64, 7);
    write(root / "suit_fuzz", test::make_suit(spec));
    spec.keys = {test::Key::kEc, test::Key::kRsa};
    spec.shared_parameters = {{4, cbor::number(1893456000)},
                              {24, cbor::bytes(test::Buffer(16, 1))}};
    spec.shared_commands = {{4, cbor::number(15)}, {24, cbor::number(15)}};
    spec.install_parameters = {
        {18, cbor::bytes({1, 2, 3})},
        {22, cbor::number(0)},
        {26, cbor::number(60000000)},
        {28, cbor::wrap(cbor::array({cbor::number(2), cbor::array({cbor::number(1)})}))},
        {29, cbor::wrap(cbor::map({{cbor::number(8), cbor::number(7200)}}))}};
    spec.install_commands = {
        {29, cbor::number(2)},
        {26, cbor::number(15)},
        {28, cbor::number(15)},
        {22, cbor::number(2)},
        {18, cbor::number(2)},
        {6, cbor::number(15)},
        {12, {0xF5}},
        {32, cbor::wrap(match)},
        {15, cbor::array({cbor::wrap(sequence({cbor::number(14), cbor::number(15)})),
                          cbor::wrap(match),
                          {0xF6}})}};
    write(root / "suit_fuzz", test::make_suit(spec), "everything");
    write_parts(root, test::make_suit(spec), "everything");
    const test::PackageSpec boards = test::boards_package(test::Buffer(64, 7), 3, 100);
    write(root / "suit_fuzz", test::make_package(boards), "boards");
    write_parts(root, test::make_package(boards), "boards");
    const test::Encrypted shared = test::encrypt(test::Buffer(64, 7), test::Sender::kAesKw);
    write(root / "cose_fuzz", shared.info, "shared");
    write(root / "cose_fuzz", test::encrypt({}, test::Sender::kEcdhEs, 32).info, "device");
    write(root / "cbor_fuzz", shared.info, "encrypt");
    return 0;
}
