// Writes well-formed inputs for the fuzz targets into folders under argv[1].
#include <psa/crypto.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "support/device.hpp"

namespace {

void write(const std::filesystem::path& folder, const test::Buffer& bytes) {
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "seed", std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
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

    test::Device device;
    device.put_image(0, test::make_signed_of_size("1.0.0", 16384, 1));
    device.source.package = test::make_signed_of_size("1.1.0", 16384, 2);
    if (!device.boot() || !device.update_and_settle()) return 1;
    const auto part = [&](int from, int to) {
        return test::Buffer(device.memory().begin() + from, device.memory().begin() + to);
    };
    write(root / "journal_fuzz", part(0xB000, 0xF000));
    write(root / "flash_layout_fuzz", part(0x8000, 0xE000));
    const std::string pem = test::public_pem(test::Key::kEc);
    write(root / "text_fuzz", test::Buffer(pem.begin(), pem.end()));
    const std::string head =
        "ETag: \"v1\"\nContent-Range: bytes 0-287/4096\nLocation: ../x?y\nRetry-After: 5\n"
        "Content-Encoding: identity\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\n";
    write(root / "http_fuzz", test::Buffer(head.begin(), head.end()));
    return 0;
}
