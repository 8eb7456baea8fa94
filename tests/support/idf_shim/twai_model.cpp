#include "twai_model.hpp"

#include <esp_twai.h>
#include <esp_twai_onchip.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <vector>

struct twai_node_base {
    twai_event_callbacks_t callbacks{};
    void* user = nullptr;
    twai_error_state_t state = TWAI_ERROR_BUS_OFF;
    bool is_recovering = false;
    std::deque<const twai_frame_t*> outgoing;  // the first one is with the controller
    const twai_frame_t* incoming = nullptr;
};

namespace idf_model {

TwaiModel twai;
static std::vector<twai_node_handle_t> all_nodes;

static void deliver(twai_node_handle_t sender) {
    const twai_frame_t* const frame = sender->outgoing.front();
    for (const twai_node_handle_t node : all_nodes) {
        if (node == sender || node->state == TWAI_ERROR_BUS_OFF) continue;
        node->incoming = frame;
        const twai_rx_done_event_data_t event{};
        (void)node->callbacks.on_rx_done(node, &event, node->user);
        node->incoming = nullptr;
    }
    sender->outgoing.pop_front();
    const twai_tx_done_event_data_t event{true, frame};
    (void)sender->callbacks.on_tx_done(sender, &event, sender->user);
}

void TwaiModel::acknowledge() {
    is_acknowledged = true;
    for (const twai_node_handle_t node : all_nodes) {
        while (!node->outgoing.empty()) deliver(node);
    }
}

void TwaiModel::acknowledge_one() {
    for (const twai_node_handle_t node : all_nodes) {
        if (!node->outgoing.empty()) deliver(node);
    }
}

// As the driver does: the controller's frame is dropped without a word, the queue's goes on.
void TwaiModel::set_state(twai_error_state_t state) {
    for (const twai_node_handle_t node : all_nodes) {
        const bool comes_back = node->state == TWAI_ERROR_BUS_OFF && node->is_recovering;
        if (state != TWAI_ERROR_BUS_OFF && node->state == TWAI_ERROR_BUS_OFF && !comes_back) {
            continue;
        }
        const twai_state_change_event_data_t event{node->state, state};
        if (state == TWAI_ERROR_BUS_OFF && !node->outgoing.empty()) node->outgoing.pop_front();
        node->state = state;
        node->is_recovering = false;
        (void)node->callbacks.on_state_change(node, &event, node->user);
    }
}

}  // namespace idf_model

using idf_model::all_nodes;
using idf_model::twai;

extern "C" {

esp_err_t twai_new_node_onchip(const twai_onchip_node_config_t* node_config,
                               twai_node_handle_t* node_ret) {
    if (node_config->tx_queue_depth == 0 || node_config->bit_timing.bitrate == 0 ||
        node_config->bit_timing.bitrate > 1000000) {
        return ESP_ERR_INVALID_ARG;
    }
    constexpr size_t kControllers = 3;
    if (all_nodes.size() == kControllers) return ESP_ERR_NOT_FOUND;
    twai.bitrate = node_config->bit_timing.bitrate;
    twai.tx = node_config->io_cfg.tx;
    twai.rx = node_config->io_cfg.rx;
    *node_ret = new twai_node_base;
    all_nodes.push_back(*node_ret);
    twai.nodes = all_nodes.size();
    return ESP_OK;
}

esp_err_t twai_node_register_event_callbacks(twai_node_handle_t node,
                                             const twai_event_callbacks_t* cbs, void* user_data) {
    node->callbacks = *cbs;
    node->user = user_data;
    return ESP_OK;
}

esp_err_t twai_node_enable(twai_node_handle_t node) {
    node->state = TWAI_ERROR_ACTIVE;
    return ESP_OK;
}

esp_err_t twai_node_disable(twai_node_handle_t node) {
    if (node->state == TWAI_ERROR_BUS_OFF) {
        if (twai.returns_meanwhile && node->is_recovering) node->state = TWAI_ERROR_ACTIVE;
        return ESP_ERR_INVALID_STATE;
    }
    node->state = TWAI_ERROR_BUS_OFF;
    return ESP_OK;
}

esp_err_t twai_node_recover(twai_node_handle_t node) {
    if (node->state != TWAI_ERROR_BUS_OFF) return ESP_ERR_INVALID_STATE;
    node->is_recovering = true;
    ++twai.recoveries;
    return ESP_OK;
}

esp_err_t twai_node_delete(twai_node_handle_t node) {
    if (node->state != TWAI_ERROR_BUS_OFF) return ESP_ERR_INVALID_STATE;
    std::erase(all_nodes, node);
    twai.nodes = all_nodes.size();
    delete node;
    return ESP_OK;
}

esp_err_t twai_node_transmit(twai_node_handle_t node, const twai_frame_t* frame, int) {
    if (node->state == TWAI_ERROR_BUS_OFF) return ESP_ERR_INVALID_STATE;
    const bool matches = frame->buffer_len == 0 || frame->header.dlc == frame->buffer_len;
    if (!matches || frame->header.dlc > 8) return ESP_ERR_INVALID_ARG;
    constexpr size_t kQueued = 2;  // one with the controller, one in the queue
    if (node->outgoing.size() == kQueued) return ESP_ERR_TIMEOUT;
    node->outgoing.push_back(frame);
    if (twai.is_acknowledged && node->outgoing.size() == 1) idf_model::deliver(node);
    return ESP_OK;
}

esp_err_t twai_node_receive_from_isr(twai_node_handle_t node, twai_frame_t* rx_frame) {
    if (node->incoming == nullptr) return ESP_ERR_INVALID_STATE;
    rx_frame->header = node->incoming->header;
    const size_t size = std::min(node->incoming->buffer_len, rx_frame->buffer_len);
    if (size != 0) std::memcpy(rx_frame->buffer, node->incoming->buffer, size);
    return ESP_OK;
}
}
