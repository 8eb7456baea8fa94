#pragma once

#include <cstddef>
#include <cstdint>

namespace ota {

// The parts of the product that a package can be about. Values are stored in flash: append only.
enum class ComponentKind : uint8_t {
    kApp = 0,         // the standby slot of the application
    kAppRunning = 1,  // the running slot, read only
    kConfig = 2,      // a bank of the configuration
    kStage = 3,       // a scratch partition
    kModule = 4,      // a module board; its number says which
    kSettings = 5,    // what the owner sets from afar
};

struct ComponentRef {
    ComponentKind kind = ComponentKind::kApp;
    uint8_t number = 0;
    bool operator==(const ComponentRef&) const = default;
};

inline constexpr size_t kMaxComponents = 16;  // of a package

}  // namespace ota
