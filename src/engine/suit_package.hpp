#pragma once

#include "install/data_component.hpp"
#include "install/payload_cipher.hpp"
#include "package/suit_processor.hpp"
#include "ports/module_boards.hpp"
#include "ports/remote_settings.hpp"

namespace ota {

// The components beside the application.
struct Parts {
    DataComponent& config;
    DataComponent& stage;
    ModuleBoards* const& modules;  // null: this device has none
    const Status& config_status;   // of what the running image is paired with
    SettingsHost& settings;
};

class Session;

// What the processor may ask for is the session's doing. Made with the first envelope alone, so
// that a build without them has none of it.
class SuitHosts final : public ComponentHost, public ConditionHost {
  public:
    explicit SuitHosts(Session& session) : session_(session) {}

    bool has(ComponentRef component) override;
    Result<bool> match(ComponentRef component, const Digest& digest, uint64_t size) override;
    Status fetch(ComponentRef component, const FetchOrder& order) override;
    Status copy(ComponentRef from, ComponentRef to, const FetchOrder& order) override;
    Status write(ComponentRef component, Bytes content, Bytes encryption) override;
    Result<bool> check(const Condition& condition) override;
    Status wait(Bytes info) override;
    Status invoke(ComponentRef component) override;

  private:
    Session& session_;
};

// The SUIT package in hand, from the look at it to the restart: what its prefix said, and how far
// its commands and its payloads have come. The buffer of the prefix is the caller's and keeps its
// bytes for as long.
struct SuitPackage {
    SuitPrefix prefix;
    SuitManifest manifest;
    std::optional<SuitHosts> hosts;
    std::optional<SuitProcessor> processor;
    SuitPayloadReader payloads;
    uint64_t file_at = 0;  // place in the file of what payloads reads next

    // What it is about, as the look at it found.
    bool has_app = false;
    bool has_settings = false;
    std::string_view settings;          // the document, in the manifest; until the package is done
    std::optional<BankContent> config;  // what it puts into the bank, once that lies there
    uint64_t total = 0;                 // bytes of all components that it may write

    // The payload that is under way, and where its bytes come from.
    enum class From : uint8_t { kFile, kWeb, kStage };
    From from = From::kFile;
    ComponentRef at;      // the component that a command is about
    ComponentRef target;  // that bytes go into
    FixedString<256> uri;
    Digest digest{};
    uint64_t size = 0;
    Bytes encryption;  // COSE_Encrypt in the manifest; empty: none
    PayloadCipher cipher;
    uint64_t done = 0;                   // bytes of the components before it
    std::optional<Digest> web_identity;  // of the payload fetched from elsewhere

    // A component that is read back to know what it holds.
    struct Reading {
        bool active = false;
        ComponentKind kind = ComponentKind::kConfig;
        uint64_t size = 0;
        uint64_t at = 0;
    };
    Reading reading;

    bool staged = false;     // the application of this package is in the slot
    bool fetched = false;    // it is done; the processor asks once more
    bool draining = false;   // everything was fetched: is this the end of the file?
    size_t section = 0;      // index into the sections before the restart
    bool waits = false;      // it stands at a wait of the manifest
    bool on_bus = false;     // it stands at a module board …
    Millis board_since = 0;  // … since then; 0 = not
    Status board_failure;    // of the first board that was passed over
};

}  // namespace ota
