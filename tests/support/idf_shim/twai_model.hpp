// What the model of the TWAI node driver has on its bus: every node that is enabled hears what the
// others send, in its sender's thread, as an interrupt would be heard.
#pragma once

#include <esp_twai_types.h>

#include <cstddef>

namespace idf_model {

struct TwaiModel {
    bool is_acknowledged = true;     // by any other node; otherwise frames stay with the controller
    bool returns_meanwhile = false;  // a node that recovers, between two calls of the application
    size_t recoveries = 0;
    size_t nodes = 0;  // made and not deleted
    uint32_t bitrate = 0;
    int tx = -1;
    int rx = -1;
    // Puts each node off the bus, or back after twai_node_recover().
    void set_state(twai_error_state_t state);
    // What waits with the controllers goes out.
    void acknowledge();
    // The frames that are with the controllers alone.
    void acknowledge_one();
};
extern TwaiModel twai;

}  // namespace idf_model
