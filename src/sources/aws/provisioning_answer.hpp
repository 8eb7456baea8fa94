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
// {"statusCode", "errorCode", "errorMessage"}: as of HTTP; 0: it says none.
uint64_t parse_rejection_status(Bytes payload);

}  // namespace ota
