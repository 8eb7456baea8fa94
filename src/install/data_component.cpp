#include "install/data_component.hpp"

namespace ota {
namespace {

uint32_t bank_size_of(Flash* flash, uint8_t banks) {
    if (flash == nullptr || banks == 0) return 0;
    const FlashGeometry geometry = flash->geometry();
    return round_down(geometry.size / banks, geometry.sector_size);
}

}  // namespace

DataComponent::DataComponent(Flash* flash, uint8_t banks, ErasePolicy policy, ReadBackSink& sink)
    : flash_(flash),
      banks_(bank_size_of(flash, banks) == 0 ? uint8_t{0} : banks),
      bank_size_(bank_size_of(flash, banks)),
      writer_(region_, policy, sink) {
    if (bank_size_ != 0) choose(0);
}

void DataComponent::choose(uint8_t bank) {
    OTA_ASSERT(bank_size_ != 0 && bank < banks_);
    bank_ = bank;
    region_ = FlashRegion(*flash_, bank * bank_size_, bank_size_);
    writer_.abort();
}

}  // namespace ota
