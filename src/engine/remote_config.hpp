// Settings from afar: what of a document is taken, and what becomes of the firmware's own.
#pragma once

#include "engine/settings.hpp"
#include "ports/remote_settings.hpp"

namespace ota {

struct RefusedSetting {
    FixedString<24> name;
    const char* why = "";
};
using RefusedSettings = FixedVector<RefusedSetting, 8>;

// json: an object. kMalformed: it is not, and out is undefined. own: what safety limits may not be
// looser than. A package may not end the looking for packages: nobody could take that back.
Status parse_remote_settings(std::string_view json, const Settings& own, SettingsCarrier carrier,
                             RemoteSettings& out, RefusedSettings& refused);

// settings, which are own's, by what is asked for. A limit that own has become stricter than
// meanwhile stays.
void apply_remote_settings(const RemoteSettings& asked, const Settings& own, Settings& settings);

void format_remote_settings(const Settings& settings, const RemoteSettings& asked,
                            const RefusedSettings& refused, SettingsText& out);

}  // namespace ota
