#include "powercut/before.hpp"

#include "support/encryption.hpp"

namespace powercut {

using test::Buffer;
using test::Device;

namespace {

constexpr uint32_t kBankSize = 0x2000;

// An image without a signature sector, in a signed envelope.
Buffer new_suit(const Scenario& scenario) {
    test::ImageSpec spec;
    spec.version = kNew;
    spec.seed = 2;
    spec.payload = scenario.image_size - 512;
    const Buffer image = test::make_image(spec);
    spec.seed = 3;
    const Buffer other = test::make_image(spec);
    if (scenario.config) {
        test::PackageSpec package = test::app_and_config(image, config_of(kNewConfig), 100);
        if (scenario.temper == Temper::kUntrusted) package.payloads[0] = other;
        return test::make_package(package);
    }
    test::SuitSpec package;
    package.image = image;
    if (scenario.encrypted) {
        const test::Encrypted sent = test::encrypt(image, test::Sender::kEcdhEs);
        package.shared_parameters = {{19, test::cbor::bytes(sent.info)}};
        package.sent = sent.payload;
    }
    Buffer out = test::make_suit(package);
    if (scenario.temper != Temper::kUntrusted) return out;
    std::copy(other.begin(), other.end(), out.end() - static_cast<long>(other.size()));
    return out;
}

}  // namespace

Buffer config_of(uint8_t seed) {
    Buffer out(5000);
    for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<uint8_t>(i * seed);
    return out;
}

test::DeviceLayout layout_of(const Scenario& scenario) {
    test::DeviceLayout layout = scenario.layout;
    if (scenario.config) layout.config_size = layout.slots * kBankSize;
    return layout;
}

void prepare_config(Device& device) {
    const Buffer config = config_of(kOldConfig);
    Buffer padded = config;  // to a write unit
    padded.resize(5008, 0xFF);
    (void)device.config_region().program(0, padded);
    ota::Journal journal(device.journal_region());
    (void)journal.open();
    ota::Pairing pairing;
    pairing.slot = device.running();
    std::array<uint8_t, ota::layout::kImagePrefixSize> prefix{};
    (void)device.flash.read(device.table().slot(device.running())->offset, prefix);
    const Buffer build = test::sha256({prefix.begin(), prefix.end()});
    std::copy_n(build.begin(), pairing.build.size(), pairing.build.begin());
    pairing.content.size = static_cast<uint32_t>(config.size());
    const Buffer digest = test::sha256(config);
    std::copy(digest.begin(), digest.end(), pairing.content.digest.begin());
    ota::Pairings pairings;
    (void)pairings.push_back(pairing);
    (void)journal.save(pairings);
}

Buffer new_image(const Scenario& scenario) {
    if (scenario.suit) return new_suit(scenario);
    if (scenario.temper == Temper::kUntrusted) {
        return test::make_signed(
            {.version = kNew, .payload = scenario.image_size - 4096 - 512, .seed = 2},
            test::Key::kOtherEc);
    }
    if (!scenario.blank_inside) return test::make_signed_of_size(kNew, scenario.image_size, 2);
    // A payload with erased-looking sectors in it; the signature is made over it.
    test::ImageSpec spec;
    spec.version = kNew;
    spec.seed = 2;
    spec.payload = scenario.image_size - 4096 - 512;
    spec.blank_from = 12 * 1024;
    spec.blank_to = 28 * 1024;
    return test::make_signed(spec);
}

void prepare(Device& device, const Scenario& scenario) {
    const bool factory = scenario.layout.factory;
    const ota::SlotId first = factory ? ota::kFactorySlot : ota::SlotId{0};
    device.put_image(first, test::make_signed_of_size(kOld, 32 * 1024, 1));
    if (scenario.used_slot) {
        device.put_image(factory ? 0 : 1,
                         test::make_signed_of_size("0.9.0", scenario.layout.slot_size - 8192, 9));
    }
}

}  // namespace powercut
