#include "suit_commands.hpp"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <filesystem>

#include "base/hex.hpp"
#include "inspect.hpp"
#include "suit_description.hpp"
#include "suit_show.hpp"

namespace otactl {
namespace {

struct PackOptions {
    std::string description;
    std::string app;
    std::string settings;
    std::string vendor;
    std::string class_name;
    uint64_t sequence = 0;
    std::string version;
    std::vector<std::string> keys;
    std::vector<std::string> encrypt_to;
    std::vector<std::string> keks;
    std::string out;
};

Recipients recipients_of(const PackOptions& o) {
    Recipients out;
    for (const std::string& path : o.encrypt_to) out.public_pems.push_back(read_text(path));
    for (const std::string& path : o.keks) {
        std::string digits = read_text(path);
        while (!digits.empty() && std::isspace(static_cast<unsigned char>(digits.back())) != 0) {
            digits.pop_back();
        }
        std::array<uint8_t, 16> kek{};
        if (!ota::parse_hex(digits, kek)) {
            throw Failure(Exit::kMalformed, path + ": 32 hexadecimal digits are wanted");
        }
        out.keks.emplace_back(kek.begin(), kek.end());
    }
    return out;
}

// Its version and build time are the package's, unless said.
void add_image(const PackOptions& o, PackPlan& plan) {
    plan.components.push_back({"app", read_file(o.app), "", 0});
    const Json image = inspect(plan.components[0].payload);
    if (image["type"] != "image") throw Failure(Exit::kMalformed, o.app + " is no image");
    plan.version = o.version.empty() ? image["version"].get<std::string>() : o.version;
    const auto built = image["built_at"].get<int64_t>();
    plan.sequence =
        o.sequence != 0 ? o.sequence : static_cast<uint64_t>(std::max<int64_t>(built, 0));
    if (plan.sequence == 0) {
        throw Failure(Exit::kUsage, "--sequence: the image does not say when it was built");
    }
}

void add_settings(const PackOptions& o, PackPlan& plan) {
    if (o.sequence == 0) {
        throw Failure(Exit::kUsage, "--sequence: needed for settings; seconds since 1970 do");
    }
    plan.components.push_back({"settings", settings_of(read_file(o.settings)), "", 0});
    plan.version = o.version;
    plan.sequence = o.sequence;
}

// One image, or settings, described by flags.
PackPlan plan_of_flags(const PackOptions& o) {
    if (o.vendor.empty() || o.class_name.empty()) {
        throw Failure(Exit::kUsage, "--vendor and --class are needed, as the device has them");
    }
    PackPlan plan;
    plan.vendor = vendor_uuid(o.vendor);
    plan.class_id = class_uuid(plan.vendor, o.class_name);
    o.app.empty() ? add_settings(o, plan) : add_image(o, plan);
    return plan;
}

void run_pack(const PackOptions& o) {
    if (o.description.empty() && o.app.empty() && o.settings.empty()) {
        throw Failure(Exit::kUsage, "--description, --app or --settings");
    }
    const std::string folder = std::filesystem::path(o.description).parent_path().string();
    PackPlan plan =
        o.description.empty() ? plan_of_flags(o) : plan_from_json(read_text(o.description), folder);
    plan.recipients = recipients_of(o);
    std::vector<PrivateKey> keys;
    for (const std::string& path : o.keys) keys.push_back(PrivateKey::load(path));
    const Packed packed = pack(plan, keys);
    const Buffer& package = packed.package;
    write_file(o.out, package);
    fmt::print("{}: {} number {}, {} bytes, for {} / {}\n", o.out, plan.version, plan.sequence,
               package.size(), uuid_text(plan.vendor), uuid_text(plan.class_id));
    for (const Packed::Elsewhere& part : packed.elsewhere) {
        const std::string path = fmt::format("{}.{}.bin", o.out, part.id);
        write_file(path, part.bytes);
        fmt::print("{}: {} bytes, to lie at {}\n", path, part.bytes.size(), part.uri);
    }
}

}  // namespace

void add_pack(CLI::App& app) {
    auto o = std::make_shared<PackOptions>();
    CLI::App* command = app.add_subcommand("pack", "Make a signed SUIT package");
    command->footer(
        "The sequence number has to grow from release to release; seconds since 1970 do.\n"
        "Examples:\n"
        "  otactl pack --app bess-1.1.0.bin --vendor bess.example --class BESS-100K200/CTRL-P4/R1 "
        "\\\n"
        "      --key release.pem bess-1.1.0.suit\n"
        "  otactl pack --description release.json --key release.pem bess-1.1.0.suit\n"
        "  otactl pack --settings night.json --sequence 1795564801 --vendor bess.example \\\n"
        "      --class BESS-100K200/CTRL-P4/R1 --key release.pem night.suit\n"
        "release.json: {\"vendor\": \"bess.example\", \"class\": \"BESS-100K200/CTRL-P4/R1\",\n"
        "  \"sequence\": 1795564800, \"version\": \"1.1.0\", \"use_before\": 1893456000,\n"
        "  \"minimum_energy_mwh\": 60000000, \"not_before\": 1795600000, \"time_of_day_utc\": "
        "7200,\n"
        "  \"authorize\": 10, \"components\": [{\"id\": \"app\", \"file\": \"bess-1.1.0.bin\"},\n"
        "  {\"id\": \"cfg\", \"file\": \"site.json\"}], \"boards\": {\"class\": "
        "\"BESS-MODULE/R1\",\n"
        "  \"file\": \"module-2.0.0.bin\", \"numbers\": [1, 2, 3]}}\n"
        "A key may stay in a token: --key 'pkcs11:token=release;object=firmware?module-path=…&"
        "pin-source=…'");
    command->add_option("--description", o->description, "What to pack (JSON)");
    command->add_option("--app", o->app, "Or one image")->excludes("--description");
    command->add_option("--settings", o->settings, "Or settings (JSON)")
        ->excludes("--description")
        ->excludes("--app");
    command->add_option("--vendor", o->vendor, "Domain of the vendor")->excludes("--description");
    command->add_option("--class", o->class_name, "Name of the device class")
        ->excludes("--description");
    command->add_option("--sequence", o->sequence, "Default: when the image was built")
        ->excludes("--description");
    command->add_option("--version", o->version, "Default: the image's")->excludes("--description");
    command->add_option("--key", o->keys, "Private key (PEM, or a PKCS #11 URI); up to three")
        ->required();
    command->add_option("--encrypt-to", o->encrypt_to,
                        "Public P-256 key of a device (PEM); payloads are encrypted to "
                        "all that are named, four at most");
    command->add_option("--kek", o->keks,
                        "Likewise, a key shared with devices: file of 32 hexadecimal digits");
    command->add_option("package", o->out, "Package to write")->required();
    command->callback([o] { run_pack(*o); });
}

void add_package_sign(CLI::App& app) {
    struct Options {
        std::string key;
        std::string in;
        std::string out;
        bool add = false;
    };
    auto o = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("sign", "Add a signature to a SUIT package");
    command->footer("Example:\n  otactl sign --add --key second.pem bess-1.1.0.suit");
    command->add_flag("--add", o->add, "Keep the signatures that are there")->required();
    command->add_option("--key", o->key, "Private key (PEM, or a PKCS #11 URI)")->required();
    command->add_option("package", o->in, "Package")->required();
    command->add_option("--output,-o", o->out, "Write here instead of in place");
    command->callback([o] {
        PrivateKey key = PrivateKey::load(o->key);
        const std::string& out = o->out.empty() ? o->in : o->out;
        write_file(out, add_signature(read_file(o->in), key));
        fmt::print("{}: signed with {} too\n", out, name_of_key(o->key));
    });
}

void add_unpack(CLI::App& app) {
    struct Options {
        std::string in;
        std::string folder = ".";
    };
    auto o = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("unpack", "Write manifest and payloads of a package");
    command->footer("Example:\n  otactl unpack bess-1.1.0.suit --into parts");
    command->add_option("package", o->in, "Package")->required();
    command->add_option("--into", o->folder, "Folder")->capture_default_str();
    command->callback([o] {
        std::filesystem::create_directories(o->folder);
        for (const SuitPart& part : unpack_suit(read_file(o->in))) {
            const std::string path = (std::filesystem::path(o->folder) / part.name).string();
            write_file(path, part.bytes);
            fmt::print("{}: {} bytes\n", path, part.bytes.size());
        }
    });
}

void add_uuid(CLI::App& app) {
    struct Options {
        std::string vendor;
        std::string class_name;
    };
    auto o = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("uuid", "Ids of a vendor and a device class");
    command->footer(
        "For suit_vendor_id and suit_class_id.\n"
        "Example:\n  otactl uuid --vendor bess.example --class BESS-100K200/CTRL-P4");
    command->add_option("--vendor", o->vendor, "Domain of the vendor")->required();
    command->add_option("--class", o->class_name, "Name of the device class")->required();
    command->callback([o] {
        const Uuid vendor = vendor_uuid(o->vendor);
        fmt::print("vendor {}\nclass  {}\n", uuid_text(vendor),
                   uuid_text(class_uuid(vendor, o->class_name)));
    });
}

}  // namespace otactl
