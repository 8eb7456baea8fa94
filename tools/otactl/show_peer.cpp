#include "show_peer.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "observe/event_text.hpp"
#include "ports/safety.hpp"

namespace otactl {

std::string detail_of(const PeerStatus& status) {
    return ota::detail_text(static_cast<ota::Detail>(status.detail));
}

std::string interlock_text(uint16_t bits) {
    constexpr std::pair<uint16_t, const char*> kWords[] = {
        {ota::kInterlockSoc, "state of charge"},
        {ota::kInterlockHot, "cells too hot"},
        {ota::kInterlockCold, "cells too cold"},
        {ota::kInterlockCurrent, "battery current"},
        {ota::kInterlockCustom, "the application"},
        {ota::kInterlockSchedule, "the package's own time"},
        {ota::kInterlockLocal, "an update from another source"},
        {ota::kInterlockNoData, "battery data"},
    };
    std::string out;
    for (const auto& [bit, word] : kWords) {
        if ((bits & bit) != 0) out += (out.empty() ? "" : ", ") + std::string(word);
    }
    return out;
}

void show_peer(PushPeer& peer, bool json) {
    const PeerIdentity identity = peer.identify();
    const PeerStatus status = peer.status();
    if (json) {
        nlohmann::ordered_json out = {{"version", identity.version},
                                      {"hardware", identity.hardware},
                                      {"serial", identity.serial},
                                      {"security_version", identity.security_version},
                                      {"state", ota::state_name(status.state)},
                                      {"error", status.error},
                                      {"detail", status.detail == 0 ? "" : detail_of(status)},
                                      {"progress_permille", status.progress},
                                      {"next_offset", status.next},
                                      {"durable", status.durable},
                                      {"interlock", interlock_text(status.interlock)}};
        if (identity.is_locked) out["locked"] = *identity.is_locked;
        fmt::print("{}\n", out.dump(2));
        return;
    }
    fmt::print(
        "hardware    {}\nserial      {}\nfirmware    {}, security version {}\nstate       {}\n",
        identity.hardware, identity.serial, identity.version, identity.security_version,
        ota::state_name(status.state));
    if (status.detail != 0) fmt::print("last error  {}\n", detail_of(status));
    if (status.next != 0) {
        fmt::print("transfer    {:.1f} %, next byte {}, {} of it durable\n", status.progress / 10.0,
                   status.next, status.durable);
    }
    if (status.interlock != 0) fmt::print("interlock   {}\n", interlock_text(status.interlock));
    if (identity.is_locked.value_or(false))
        fmt::print("door        locked: --access-hmac or --access-key\n");
}

}  // namespace otactl
