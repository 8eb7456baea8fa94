// What AWS IoT answers to a device that is being provisioned (developer guide, "Device provisioning
// MQTT API").
#pragma once

#include "sources/aws/identity_record.hpp"

namespace ota {

// {"certificateId", "certificatePem", "certificateOwnershipToken"} into certificate and token.
// kMalformed / kJsonForm: no such answer, or longer than what is held; both are empty.
Status parse_certificate_answer(Bytes payload, ThingIdentity& identity);
// {"thingName", "deviceConfiguration": {…}} into thing. Likewise.
Status parse_thing_answer(Bytes payload, ThingIdentity& identity);
// {"statusCode", "errorCode", "errorMessage"}
struct ProvisioningRejection {
    uint64_t status = 0;  // as of HTTP; 0: it says none
    FixedString<48> code;
    // Worth another try.
    bool passes() const {
        return status == 429 || status >= 500 || code.view().starts_with("Throttl");
    }
    bool is_of_token() const { return code.view() == "InvalidCertificateOwnershipToken"; }
};
ProvisioningRejection parse_provisioning_rejection(Bytes payload);

}  // namespace ota
