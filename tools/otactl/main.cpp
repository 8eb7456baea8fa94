// otactl: keys, images, signatures, flash files.
#include <fmt/format.h>
#include <psa/crypto.h>

#include <CLI/CLI.hpp>

#include "flash_file.hpp"
#include "image_build.hpp"
#include "image_sign.hpp"
#include "image_verify.hpp"
#include "inspect.hpp"
#include "push_commands.hpp"
#include "serve.hpp"
#include "suit_commands.hpp"
#include "suit_pack.hpp"
#include "suit_show.hpp"

namespace {

using namespace otactl;

constexpr const char* kFooter =
    "Exit codes: 0 ok, 2 usage, 3 malformed file, 4 untrusted, 5 refused by policy or for this "
    "device,\n"
    "  6 I/O, 7 peer";

Buffer to_buffer(const std::string& text) {
    return {text.begin(), text.end()};
}

void add_keygen(CLI::App& app) {
    struct Options {
        std::string type = "ecdsa256";
        std::string key;
        std::string pub;
        bool force = false;
    };
    auto o = std::make_shared<Options>();
    CLI::App* command =
        app.add_subcommand("keygen", "Make a key pair, to sign with or, ecdsa256, to encrypt to");
    command->footer(
        "Example:\n  otactl keygen --type rsa3072 release.pem release.pub.pem\n"
        "Keep the private key off the build server; the device gets the public one.");
    command->add_option("--type", o->type, "rsa3072 or ecdsa256")
        ->check(CLI::IsMember({"rsa3072", "ecdsa256"}))
        ->capture_default_str();
    command->add_option("key", o->key, "Private key to write (PEM, mode 0600)")->required();
    command->add_option("pub", o->pub, "Public key to write (PEM)")->required();
    command->add_flag("--force", o->force, "Replace keys that are there");
    command->callback([o] {
        if (o->key == o->pub) throw Failure(Exit::kUsage, "key and pub are the same file");
        for (const std::string& path : {o->key, o->pub}) {
            if (exists(path) && !o->force) {
                throw Failure(Exit::kRefused, path + " is there already: another name, or --force");
            }
        }
        const PrivateKey key = PrivateKey::generate(o->type);
        write_file(o->pub,
                   to_buffer(key.public_pem()));  // first: it shows whether the folder is writable
        write_file(o->key, to_buffer(key.private_pem()), true);
        fmt::print("{}: private {} key, keep it secret\n{}: public key for public_key_pem\n",
                   o->key, o->type, o->pub);
    });
}

void add_build(CLI::App& image) {
    struct Options {
        ImageDescription description;
        std::string program;
        std::string out;
    };
    auto o = std::make_shared<Options>();
    CLI::App* command = image.add_subcommand("build", "Make an ESP image out of a program (ELF)");
    command->footer(
        "Example:\n  otactl image build --project bess_sim --version 1.1.0 bess_sim "
        "bess-1.1.0.bin");
    ImageDescription& d = o->description;
    command->add_option("--version", d.version, "Semantic version")->required();
    command->add_option("--project", d.project, "Project name; updates must have the device's")
        ->capture_default_str();
    command->add_option("--secure-version", d.secure_version, "Rollback index");
    command->add_option("--chip-id", d.chip_id, "Chip id; 18 = ESP32-P4")->capture_default_str();
    command->add_option("--min-chip-rev", d.min_chip_revision, "major * 100 + minor");
    command->add_option("--max-chip-rev", d.max_chip_revision, "major * 100 + minor")
        ->capture_default_str();
    command
        ->add_option("--build-time", d.build_time,
                     "Seconds since 1970, a floor for a device without a set clock; default: "
                     "SOURCE_DATE_EPOCH, or not said")
        ->envname("SOURCE_DATE_EPOCH")
        ->check(CLI::Range(int64_t{0}, int64_t{253402300799}));
    command->add_option("program", o->program, "ELF file")->required();
    command->add_option("image", o->out, "Image to write")->required();
    command->callback([o] {
        const Buffer built = build_image(read_file(o->program), o->description);
        write_file(o->out, built);
        fmt::print("{}: {} {}, {} bytes, not signed yet\n", o->out, o->description.project,
                   o->description.version, built.size());
    });
}

void add_sign(CLI::App& image) {
    struct Options {
        std::string key;
        std::string in;
        std::string out;
        bool append = false;
    };
    auto o = std::make_shared<Options>();
    CLI::App* command = image.add_subcommand("sign", "Add a Secure Boot v2 signature");
    command->footer(
        "Example:\n  otactl image sign --key release.pem bess-1.1.0.bin\n"
        "  otactl image sign --key second.pem --append bess-1.1.0.bin");
    command->add_option("--key", o->key, "Private key (PEM, or a PKCS #11 URI)")->required();
    command->add_flag("--append", o->append, "Add a second or third block");
    command->add_option("image", o->in, "Image to sign")->required();
    command->add_option("--output,-o", o->out, "Write here instead of in place");
    command->callback([o] {
        PrivateKey key = PrivateKey::load(o->key);
        const Buffer signed_image = sign_image(read_file(o->in), key, o->append);
        const std::string& out = o->out.empty() ? o->in : o->out;
        write_file(out, signed_image);
        fmt::print("{}: signed with {} ({})\n", out, name_of_key(o->key),
                   key.is_rsa() ? "RSA-3072-PSS" : "ECDSA P-256");
    });
}

void add_verify(CLI::App& app) {
    struct Options {
        Device device;
        std::string vendor;
        std::string class_name;
        size_t signatures = 1;
        std::string key;
        std::string file;
        bool json = false;
    };
    auto o = std::make_shared<Options>();
    CLI::App* command =
        app.add_subcommand("verify", "Check an image or a package as the device would");
    command->footer(
        "Examples:\n  otactl verify --key release.pub.pem --running 1.0.0 bess-1.1.0.bin\n"
        "  otactl verify --key release.pub.pem --vendor bess.example \\\n"
        "      --class BESS-100K200/CTRL-P4 bess-1.1.0.suit");
    command->add_option("--key", o->key, "Trusted public keys (PEM, one to four blocks)")
        ->required();
    command->add_option("--project", o->device.project, "Project of the device");
    command->add_option("--running", o->device.version, "Version that the device runs");
    command->add_option("--chip-rev", o->device.chip_revision, "Of the device: major * 100 + minor")
        ->capture_default_str();
    command->add_option("--slot-size", o->device.slot_size, "Bytes of the device's slot");
    command->add_option("--vendor", o->vendor, "Of the device: domain of its vendor");
    command->add_option("--class", o->class_name, "Of the device: name of its class");
    command->add_option("--signatures", o->signatures, "Keys that have to sign a package")
        ->capture_default_str();
    command->add_flag("--json", o->json, "For machines");
    command->add_option("file", o->file, "Image or package")->required();
    command->callback([o] {
        const Buffer file = read_file(o->file);
        Json unchecked = Json::array();
        if (is_suit(file)) {
            if (!o->class_name.empty() && o->vendor.empty()) {
                throw Failure(Exit::kUsage, "--class needs --vendor: the id comes from both");
            }
            SuitDevice device{o->device, "", "", o->signatures};
            if (!o->vendor.empty()) device.vendor = uuid_text(vendor_uuid(o->vendor));
            if (!o->class_name.empty()) {
                device.class_id = uuid_text(class_uuid(vendor_uuid(o->vendor), o->class_name));
            }
            unchecked = verify_suit(file, read_text(o->key), device);
        } else {
            verify_image(file, read_text(o->key), o->device);
        }
        if (o->json) {
            fmt::print(
                "{}\n",
                Json({{"file", o->file}, {"accepted", true}, {"unchecked", unchecked}}).dump());
        } else {
            fmt::print("{}: accepted\n", o->file);
            for (const Json& what : unchecked) {
                fmt::print("  not looked at: {}\n", what.get<std::string>());
            }
        }
    });
}

void add_inspect(CLI::App& parent, const char* name, const char* what) {
    struct Options {
        std::string file;
        bool json = false;
        bool diagnostic = false;
    };
    auto o = std::make_shared<Options>();
    CLI::App* command = parent.add_subcommand(name, what);
    command->footer(fmt::format("Example:\n  otactl {} bess.flash --json",
                                std::string(name) == "show" ? "flash show" : name));
    command->add_flag("--json", o->json, "For machines");
    command->add_flag("--diag", o->diagnostic, "A SUIT package in CBOR diagnostic notation")
        ->excludes("--json");
    command->add_option("file", o->file, "File")->required();
    command->callback([o] {
        if (o->diagnostic) {
            const Buffer file = read_file(o->file);
            if (!is_suit(file)) throw Failure(Exit::kUsage, "--diag: for SUIT packages");
            fmt::print("{}", suit_diagnostic(file));
            return;
        }
        const Json tree = inspect(read_file(o->file));
        fmt::print("{}", o->json ? to_json(tree) + "\n" : to_text(tree));
    });
}

void add_flash_create(CLI::App& flash) {
    struct Options {
        FlashPlan plan;
        std::string image;
        std::string out;
    };
    auto o = std::make_shared<Options>();
    CLI::App* command = flash.add_subcommand("create", "Make the flash file of a twin");
    command->footer("Example:\n  otactl flash create --app bess-1.0.0.bin bess.flash");
    command->add_option("--app", o->image, "Image of the first slot, or of the factory slot")
        ->required();
    command->add_option("--size", o->plan.size, "Bytes of the chip")
        ->transform(CLI::AsSizeValue(false));
    command->add_option("--slot-size", o->plan.slot_size, "Bytes of each slot")
        ->transform(CLI::AsSizeValue(false));
    command->add_option("--slots", o->plan.slots, "Number of OTA slots")->capture_default_str();
    command
        ->add_option("--config-size", o->plan.config_size,
                     "Bytes for configurations; 0 = none; default 16 KiB for each slot")
        ->transform(CLI::AsSizeValue(false));
    command->add_option("--stage-size", o->plan.stage_size, "Bytes to stage images; 0 = none")
        ->transform(CLI::AsSizeValue(false));
    command->add_flag("--factory", o->plan.factory, "With a factory slot, which gets the image");
    command->add_option("file", o->out, "Flash file to write")->required();
    command->callback([o] {
        const Buffer image = read_file(o->image);
        if (inspect(image)["type"] != "image")
            throw Failure(Exit::kMalformed, o->image + " is no image");
        write_file(o->out, create_flash(o->plan, image));
        fmt::print("{}: {} MiB, {} slots of {} KiB{}\n", o->out, o->plan.size >> 20, o->plan.slots,
                   o->plan.slot_size >> 10, o->plan.factory ? " and factory" : "");
    });
}

void add_serve(CLI::App& app) {
    struct Options {
        BenchServer server;
        bool prepare_only = false;
    };
    auto o = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("serve", "Serve a directory over HTTPS on a bench");
    command->footer(
        "Makes a certificate and a configuration, and starts nginx with them. Ctrl-C ends it.\n"
        "Example:\n  otactl serve releases --name update.bench --rate 200k");
    BenchServer& s = o->server;
    command->add_option("DIR", s.directory, "Directory with packages")->required();
    command->add_option("--port", s.port, "TCP port")->capture_default_str();
    command->add_option("--listen", s.listen, "Address to listen on; 0.0.0.0 = all")
        ->capture_default_str();
    command->add_option("--name", s.names, "Host name or address for the certificate; repeatable");
    command->add_option("--rate", s.rate, "Bytes a second to each device, as 200k");
    command->add_option("--state", s.state, "Folder for certificate, key and configuration")
        ->capture_default_str();
    command->add_option("--nginx", s.nginx, "nginx program")->capture_default_str();
    command->add_flag("--prepare", o->prepare_only, "Write the files, start nothing");
    command->callback([o] {
        prepare(o->server);
        const BenchServer& ready = o->server;
        fmt::print("{}: {}/nginx.conf\n  url       {}…\n  cert_pem  {}\n",
                   o->prepare_only ? "prepared" : "starting nginx", ready.state, url(ready),
                   certificate_path(ready));
        std::fflush(stdout);
        if (!o->prepare_only) run(ready);
    });
}

int run(int argc, char** argv) {
    CLI::App app{
        "otactl: keys, images, packages, signatures, flash files, a bench server, and pushing over "
        "field buses."};
    app.require_subcommand(1);
    app.footer(kFooter);
    add_keygen(app);
    CLI::App* image = app.add_subcommand("image", "Build and sign images");
    image->require_subcommand(1);
    add_build(*image);
    add_sign(*image);
    add_pack(app);
    add_package_sign(app);
    add_verify(app);
    add_unpack(app);
    add_uuid(app);
    add_inspect(
        app, "inspect",
        "Show an image, SUIT package, public key, flash file, partition table, otadata or journal");
    CLI::App* flash = app.add_subcommand("flash", "Make and show flash files of the twin");
    flash->require_subcommand(1);
    add_flash_create(*flash);
    add_serve(app);
    add_push(app);
    add_identify(app);
    add_modules(app);
    add_inspect(*flash, "show", "Show partitions, slots, otadata and journal of a flash file");
    try {
        if (psa_crypto_init() != PSA_SUCCESS) throw Failure(Exit::kIo, "the crypto library failed");
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : static_cast<int>(Exit::kUsage);
    } catch (const Failure& failure) {
        fmt::print(stderr, "otactl: {}\n", failure.what());
        return static_cast<int>(failure.code());
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {  // a library's: nothing of ours gets here
        std::fprintf(stderr, "otactl: %s\n", error.what());
        return static_cast<int>(Exit::kMalformed);
    }
}
